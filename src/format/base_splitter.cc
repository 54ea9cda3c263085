#include "format/base_splitter.h"

#include <utility>

#include "base/check.h"

namespace tallyman {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

BaseSplitter::BaseSplitter(const SplitLimits& limits, const PieceBuilder::Mark& mark)
    : limits_(limits),
      pieces_(limits, mark),
      position_(mark.offset),
      started_(mark.offset > 0) {
  CHECK(limits.record_bytes_max > 0);
  CHECK(limits.piece_bytes_max >= limits.record_bytes_max);
  CHECK(limits.piece_records_max > 0);
}

Result<void> BaseSplitter::push(std::string_view bytes) {
  CHECK(!finished_);
  if (error_) return *error_;
  auto result = started_ ? Result<void>() : consume_start(bytes);
  if (result.ok() && !bytes.empty()) result = consume(bytes);
  if (!result.ok()) error_ = result.error();
  return result;
}

Result<void> BaseSplitter::finish() {
  if (error_) return *error_;
  CHECK(!finished_);
  finished_ = true;
  auto result = started_ || start_.empty() ? Result<void>() : consume(start_);
  if (result.ok()) result = end();
  if (!result.ok()) {
    error_ = result.error();
    return result;
  }
  pieces_.complete();
  return result;
}

// Takes bytes off the front of `bytes` until it is known whether the upload begins with a
// byte order mark, which may come in three parts.
Result<void> BaseSplitter::consume_start(std::string_view& bytes) {
  while (!bytes.empty() && start_.size() < kByteOrderMark.size() &&
         bytes.front() == kByteOrderMark[start_.size()]) {
    start_ += bytes.front();
    bytes.remove_prefix(1);
  }
  if (start_.size() == kByteOrderMark.size()) {
    started_ = true;
    position_ += std::exchange(start_, {}).size();
    return {};
  }
  if (bytes.empty()) return {};
  started_ = true;
  return start_.empty() ? Result<void>() : consume(std::exchange(start_, {}));
}

}  // namespace tallyman
