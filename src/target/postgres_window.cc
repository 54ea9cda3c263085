#include "target/postgres_window.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "db/postgres_params.h"

namespace tallyman {
namespace {

// FNV-1a over the bytes, then mixed, as its low bits are weak. All nodes must agree on
// it: never change it.
class KeyHash {
 public:
  void add(std::string_view bytes) {
    add_byte(static_cast<unsigned char>(bytes.size()));
    for (const char c : bytes) add_byte(static_cast<unsigned char>(c));
  }
  std::uint64_t value() const {
    std::uint64_t mixed = hash_;
    mixed ^= mixed >> 33;
    mixed *= 0xFF51'AFD7'ED55'8CCDULL;
    mixed ^= mixed >> 33;
    return mixed;
  }

 private:
  void add_byte(unsigned char byte) {
    hash_ ^= byte;
    hash_ *= 0x0000'0100'0000'01B3ULL;
  }
  std::uint64_t hash_ = 0xCBF2'9CE4'8422'2325ULL;
};

// A run of so many numbers goes to one lane, some hundred pages of rows.
constexpr std::uint64_t kRun = 8192;

// The number that a value of a key ends with, taken off it: of an integer all of it, of a
// text the decimal digits at its end.
std::uint64_t take_number(PostgresWire wire, std::string_view& bytes) {
  std::uint64_t number = 0;
  if (wire == PostgresWire::kInt2 || wire == PostgresWire::kInt4 ||
      wire == PostgresWire::kInt8) {
    number = static_cast<std::uint64_t>(db::read_wire_integer(bytes));
    bytes = {};
  } else if (wire == PostgresWire::kText) {
    std::uint64_t unit = 1;
    for (; !bytes.empty() && bytes.back() >= '0' && bytes.back() <= '9';
         bytes.remove_suffix(1), unit *= 10) {
      number += unit * static_cast<std::uint64_t>(bytes.back() - '0');
    }
  }
  return number;
}

// Which of `count` a number is given to. Multiples of the golden ratio, modulo 1, lie
// evenly: whatever the step from number to number, neighbours take turns.
std::uint64_t turn_of(std::uint64_t rest, std::uint64_t number, std::uint64_t count) {
  return ((rest + number * 0x9E37'79B9'7F4A'7C15ULL) >> 32) * count >> 32;
}

// In the table of PostgreSQL's view; the resource may show fewer fields.
std::size_t table_place(const PostgresTable& table, const Field& field) {
  return table.resource.field_place(field.name).value();
}

}  // namespace

void PostgresWindow::append_fields(std::span<const std::size_t> columns, std::size_t i,
                                   std::string& into) const {
  std::size_t size = 0;
  for (const std::size_t column : columns) size += 4 + wire(column, i).size();
  const std::size_t begin = into.size();
  into.resize(begin + size);  // Once: to append each of them took twice as long.
  char* out = into.data() + begin;
  for (const std::size_t column : columns) {
    const std::string_view bytes = wire(column, i);
    const bool is_value = state(column, i) == CellState::kValue;
    db::put_wire32(out,
                   is_value ? static_cast<std::uint32_t>(bytes.size()) : 0xFFFF'FFFF);
    out = std::copy(bytes.begin(), bytes.end(), out + 4);
  }
}

const RecordError* PostgresWindow::error(std::size_t i) const {
  if (!failed_[i]) return nullptr;
  const auto found = std::lower_bound(
      errors_.begin(), errors_.end(), i,
      [](const auto& entry, std::size_t place) { return entry.first < place; });
  return &found->second;
}

std::size_t PostgresWindow::memory_bytes() const {
  std::size_t bytes =
      failed_.capacity() +
      (places_.capacity() + by_slice_.capacity()) * sizeof(std::uint32_t) +
      errors_.capacity() * (sizeof(RecordError) + 64);
  for (const PostgresCells& cells : columns_) bytes += cells.memory_bytes();
  for (const DrawnIds& drawn : ids_) bytes += drawn.wires.memory_bytes();
  return bytes;
}

Result<PostgresBinder> PostgresBinder::make(const Resource& resource,
                                            const PostgresTable& table,
                                            const WritePlan& plan) {
  PostgresBinder binder;
  binder.columns_ = plan.fields.size();
  // A NULL is one, also in a column that a sequence feeds.
  binder.rules_ = BindingRules::make(resource, plan, [](const Field&) { return false; });
  for (std::size_t column = 0; column < plan.fields.size(); ++column) {
    if (!plan.bound[column]) continue;
    const Field& field = resource.fields[plan.fields[column]];
    const PostgresType& type = table.columns[table_place(table, field)].type;
    TALLY_TRY_ASSIGN(auto column_binder, PostgresColumnBinder::make(
                                             field, type, may_bind(field, plan, column)));
    binder.bound_.push_back({column, std::move(column_binder)});
  }
  for (const std::size_t column : plan.duplicate_columns) {
    const auto found =
        std::find_if(binder.bound_.begin(), binder.bound_.end(),
                     [&](const Column& bound) { return bound.place == column; });
    CHECK(found != binder.bound_.end());
    binder.key_.push_back(static_cast<std::size_t>(found - binder.bound_.begin()));
  }
  return binder;
}

std::uint32_t PostgresBinder::slice_by_key(std::span<const Cell> record,
                                           std::uint32_t place,
                                           const PostgresSlicing& slicing,
                                           std::string& scratch) const {
  KeyHash hash;
  std::uint64_t number = 0;
  RecordError ignored;
  CellState state = CellState::kAbsent;
  for (const std::size_t key : key_) {
    scratch.clear();
    const Column& column = bound_[key];
    if (!column.binder.bind(record[column.place], scratch, state, ignored) ||
        state != CellState::kValue) {
      return place % slicing.slices;
    }
    std::string_view key_rest = scratch;
    number += take_number(column.binder.wire(), key_rest);
    hash.add(key_rest);
  }
  const std::uint64_t rest = hash.value();
  const std::uint64_t slices = slicing.slices;
  if (!slicing.in_turns) {
    return static_cast<std::uint32_t>(turn_of(rest, number / kRun, slices));
  }
  // By the other half of the hash: where there is no number the lane would follow from
  // the turn.
  const std::uint64_t lane =
      turn_of(std::rotl(rest, 32), number / kRun, slices / kSliceTurns);
  const std::uint64_t turn = turn_of(rest, number, kSliceTurns);
  return static_cast<std::uint32_t>(lane * kSliceTurns + turn);
}

std::vector<std::uint32_t> PostgresBinder::slice_all(
    const Window& window, const PostgresSlicing& slicing) const {
  CHECK(slicing.slices > 0 && (!slicing.by_key || !key_.empty()));
  CHECK(!slicing.in_turns || slicing.slices % kSliceTurns == 0);
  std::vector<std::uint32_t> slices(window.record_count);
  if (slicing.slices == 1) return slices;
  std::uint32_t place = 0;
  std::string scratch;
  for (const WindowPart& part : window.parts) {
    for (std::size_t i = part.begin; i < part.end; ++i, ++place) {
      if (slicing.by_key) {
        slices[place] = part.batch->fault(i) ? place % slicing.slices
                                             : slice_by_key(part.batch->record(i), place,
                                                            slicing, scratch);
      } else {
        slices[place] = static_cast<std::uint32_t>(std::uint64_t{place} * slicing.slices /
                                                   window.record_count);
      }
    }
  }
  return slices;
}

void PostgresBinder::take(const PostgresSlicing& slicing,
                          std::span<const std::uint32_t> slices, PostgresWindow& into) {
  std::vector<std::uint8_t> wanted(slicing.slices, slicing.wanted.empty() ? 1 : 0);
  for (const std::uint32_t slice : slicing.wanted) wanted[slice] = 1;

  std::vector<std::uint32_t> counts(slicing.slices + 1);
  std::uint32_t taken = 0;
  for (const std::uint32_t slice : slices) {
    if (!wanted[slice]) continue;
    ++counts[slice + 1];
    ++taken;
  }
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
  into.slice_begins_ = counts;
  into.by_slice_.resize(taken);
  const bool all = taken == slices.size();
  if (!all) into.places_.reserve(taken);
  std::uint32_t i = 0;
  for (std::uint32_t place = 0; place < slices.size(); ++place) {
    if (!wanted[slices[place]]) continue;
    if (!all) into.places_.push_back(place);
    into.by_slice_[counts[slices[place]]++] = i++;
  }
}

std::unique_ptr<PostgresWindow> PostgresBinder::bind(
    Window window, const PostgresSlicing& slicing) const {
  auto bound = std::make_unique<PostgresWindow>();
  bound->number_ = window.number;
  bound->first_record_ = window.first_record;
  bound->window_records_ = window.record_count;
  take(slicing, slice_all(window, slicing), *bound);
  bound->failed_.resize(bound->by_slice_.size());
  bound->columns_.resize(columns_);
  for (const Column& column : bound_) {
    bound->columns_[column.place].reserve(bound->size());
  }

  std::size_t first = 0;
  std::size_t begin = 0;  // The part's first record, in the window.
  for (WindowPart& part : window.parts) {
    const std::size_t end = begin + (part.end - part.begin);
    first = bind_part(part, begin, first, *bound);
    part.batch.reset();  // Its text is copied: a window is never in memory twice.
    begin = end;
  }
  CHECK(begin == window.record_count && first == bound->size());
  rules_.check(*bound,
               [&](std::size_t i, const RecordError& error) { bound->fail(i, error); });
  std::sort(bound->errors_.begin(), bound->errors_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return bound;
}

std::size_t PostgresBinder::bind_part(const WindowPart& part, std::size_t begin,
                                      std::size_t first, PostgresWindow& window) const {
  const RecordBatch& batch = *part.batch;
  CHECK(batch.columns() == columns_ || part.begin == part.end);
  const std::size_t end = begin + (part.end - part.begin);
  std::size_t last = first;
  while (last < window.size() && window.place(last) < end) ++last;
  const auto in_batch = [&](std::size_t i) {
    return part.begin + (window.place(i) - begin);
  };
  if (batch.has_faults()) {
    for (std::size_t i = first; i < last; ++i) {
      if (const RecordError* fault = batch.fault(in_batch(i))) window.fail(i, *fault);
    }
  }

  RecordError error;
  for (const Column& column : bound_) {
    PostgresCells& cells = window.columns_[column.place];
    for (std::size_t i = first; i < last; ++i) {
      CellState state = CellState::kAbsent;
      if (!window.failed_[i]) {
        const Cell& cell = batch.record(in_batch(i))[column.place];
        if (!column.binder.bind(cell, cells.bytes(), state, error)) {
          window.fail(i, error);
        } else if (state == CellState::kAbsent) {
          window.has_absent_ = true;
        }
      }
      cells.end(state);
    }
  }
  return last;
}

}  // namespace tallyman
