// LedgerSpool: units on their way to the ledger, in a file, while it is not yet known
// whether what they tell will be committed.
//
// Threads: one. Memory: one unit.
// Errors:  kOutOfSpace; kUnavailable for all else that the disk may say: the job starts
//          over with a new spool.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "model/unit.h"
#include "payload/file.h"
#include "target/target.h"

namespace tallyman {

class LedgerSpool {
 public:
  // A new, empty file in place of any that was there.
  static Result<LedgerSpool> create(const std::string& path);

  Result<void> append(WindowNumber window, const UnitOutcomes& outcomes);

  // Every unit, in order, from the start.
  Result<void> for_each(
      const std::function<Result<void>(WindowNumber, UnitOutcomes)>& take) const;

  // The same as a source of row ids.
  RowIdSourceMaker ids() const;

 private:
  explicit LedgerSpool(File file) : file_(std::move(file)) {}

  // Reads the unit at `offset` and moves it on; false at the end.
  Result<bool> read_at(std::uint64_t& offset, WindowNumber& window,
                       UnitOutcomes& outcomes) const;

  File file_;
  std::uint64_t end_ = 0;  // Bytes written.
};

}  // namespace tallyman
