#include "worker/ledger_spool.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "store/ledger_codec.h"

namespace tallyman {
namespace {

struct Head {
  std::int64_t window = 0;
  std::uint64_t bytes = 0;
};

Error spool_error(Error error) {
  if (error.code != ErrorCode::kOutOfSpace) error.code = ErrorCode::kUnavailable;
  return error;
}

}  // namespace

Result<LedgerSpool> LedgerSpool::create(const std::string& path) {
  auto file = File::open(path, File::Mode::kCreate);
  if (!file.ok()) return spool_error(std::move(file).error());
  return LedgerSpool(std::move(file).value());
}

Result<void> LedgerSpool::append(WindowNumber window, const UnitOutcomes& outcomes) {
  const std::vector<std::uint8_t> bytes = encode_outcomes(outcomes);
  const Head head{.window = window.value(), .bytes = bytes.size()};
  std::string unit(sizeof head, '\0');
  std::memcpy(unit.data(), &head, sizeof head);
  unit.append(bytes.begin(), bytes.end());
  if (auto written = file_.write(end_, unit); !written.ok()) {
    return spool_error(std::move(written).error());
  }
  end_ += unit.size();
  return {};
}

Result<bool> LedgerSpool::read_at(std::uint64_t& offset, WindowNumber& window,
                                  UnitOutcomes& outcomes) const {
  if (offset == end_) return false;
  const auto read = [&](void* into, std::size_t size) -> Result<void> {
    auto done = file_.read(offset, {static_cast<char*>(into), size});
    if (!done.ok()) return spool_error(std::move(done).error());
    offset += size;
    return {};
  };
  Head head;
  TALLY_TRY(read(&head, sizeof head));
  std::vector<std::uint8_t> bytes(head.bytes);
  TALLY_TRY(read(bytes.data(), bytes.size()));
  TALLY_TRY_ASSIGN(outcomes, decode_outcomes(bytes));
  window = WindowNumber(head.window);
  return true;
}

Result<void> LedgerSpool::for_each(
    const std::function<Result<void>(WindowNumber, UnitOutcomes)>& take) const {
  std::uint64_t offset = 0;
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
    return [this, offset = std::uint64_t{0}](UnitOutcomes& into) mutable -> Result<bool> {
      WindowNumber window(0);
      return read_at(offset, window, into);
    };
  };
}

}  // namespace tallyman
