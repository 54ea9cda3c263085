#include "worker/ledger_spool.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include "store/ledger_codec.h"

namespace tallyman {
namespace {

struct Head {
  std::int64_t window = 0;
  std::uint64_t bytes = 0;
};

Error spool_error(const char* action) {
  const ErrorCode code =
      errno == ENOSPC ? ErrorCode::kOutOfSpace : ErrorCode::kUnavailable;
  return {code, std::string("the job's scratch file cannot be ") + action + ": " +
                    std::strerror(errno)};
}

}  // namespace

Result<LedgerSpool> LedgerSpool::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w+be");
  if (!file) return spool_error("made");
  return LedgerSpool(file);
}

Result<void> LedgerSpool::append(WindowNumber window, const UnitOutcomes& outcomes) {
  const std::vector<std::uint8_t> bytes = encode_outcomes(outcomes);
  const Head head{.window = window.value(), .bytes = bytes.size()};
  if (std::fseek(file_.get(), end_, SEEK_SET) != 0 ||
      std::fwrite(&head, sizeof head, 1, file_.get()) != 1 ||
      std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size() ||
      std::fflush(file_.get()) != 0) {
    return spool_error("written");
  }
  end_ += static_cast<long>(sizeof head + bytes.size());
  return {};
}

Result<bool> LedgerSpool::read_at(long& offset, WindowNumber& window,
                                  UnitOutcomes& outcomes) const {
  if (offset == end_) return false;
  Head head;
  if (std::fseek(file_.get(), offset, SEEK_SET) != 0 ||
      std::fread(&head, sizeof head, 1, file_.get()) != 1) {
    return spool_error("read");
  }
  std::vector<std::uint8_t> bytes(head.bytes);
  if (std::fread(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
    return spool_error("read");
  }
  TALLY_TRY_ASSIGN(outcomes, decode_outcomes(bytes));
  window = WindowNumber(head.window);
  offset += static_cast<long>(sizeof head + bytes.size());
  return true;
}

Result<void> LedgerSpool::for_each(
    const std::function<Result<void>(WindowNumber, UnitOutcomes)>& take) const {
  long offset = 0;
  while (true) {
    WindowNumber window(0);
    UnitOutcomes outcomes;
    TALLY_TRY_ASSIGN(const bool more, read_at(offset, window, outcomes));
    if (!more) return {};
    TALLY_TRY(take(window, std::move(outcomes)));
  }
}

RowIdSourceMaker LedgerSpool::ids() const {
  return [this]() -> RowIdSource {
    return [this, offset = 0L](UnitOutcomes& into) mutable -> Result<bool> {
      WindowNumber window(0);
      return read_at(offset, window, into);
    };
  };
}

}  // namespace tallyman
