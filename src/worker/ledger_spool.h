// LedgerSpool: units on their way to the ledger, in a file, while it is not yet known
// whether what they tell will be committed.
//
// Threads: one. Memory: one unit.
// Errors:  kOutOfSpace, kUnavailable of the disk.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "model/unit.h"
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
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit LedgerSpool(std::FILE* file) : file_(file) {}

  // Reads the unit at `offset` and moves it on; false at the end.
  Result<bool> read_at(long& offset, WindowNumber& window, UnitOutcomes& outcomes) const;

  std::unique_ptr<std::FILE, Close> file_;
  long end_ = 0;  // Bytes written.
};

}  // namespace tallyman
