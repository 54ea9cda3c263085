// DuplicateRule: which records of a window fail because their key occurs more than once
// in the upload (on_duplicate).
//
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "model/job.h"
#include "target/target.h"

namespace tallyman {

class DuplicateRule {
 public:
  // `keys`: null for OnDuplicate::kSequence only.
  static Result<DuplicateRule> make(OnDuplicate rule, KeyTable* keys,
                                    const BoundWindow& window);

  // Of the i-th record of the window, with that number; nothing where it may be written.
  // To be asked in file order, after all records before it are done.
  const char* reason(std::size_t i, std::int64_t record) const;
  // The record took effect.
  void applied(std::size_t i);

  // Some record of the window may fail or not by what becomes of one before it.
  bool has_dependent() const;

 private:
  DuplicateRule(OnDuplicate rule, std::vector<KeyTable::Occurrences> occurrences)
      : rule_(rule), occurrences_(std::move(occurrences)) {}

  OnDuplicate rule_;
  std::vector<KeyTable::Occurrences> occurrences_;
  std::unordered_set<std::int64_t> applied_;
};

}  // namespace tallyman
