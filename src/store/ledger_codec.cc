#include "store/ledger_codec.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "store/varint.h"

namespace tallyman {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr unsigned kOutcomeBits = 3;
constexpr std::uint64_t kOutcomeMask = (1 << kOutcomeBits) - 1;
static_assert(kAllOutcomes.size() <= kOutcomeMask + 1);

Error not_ours() {
  return {ErrorCode::kInternal,
          "the ledger holds bytes that this program did not write; check the database "
          "(PRAGMA integrity_check) and restore it where it is damaged"};
}

bool starts_with_version(ByteReader& in) { return in.byte() == kVersion && !in.failed(); }

// Steps wrap around, so that the largest numbers have one too.
std::int64_t step_between(std::int64_t from, std::int64_t to) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(to) -
                                   static_cast<std::uint64_t>(from));
}

std::int64_t step_on(std::int64_t from, std::int64_t step) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) +
                                   static_cast<std::uint64_t>(step));
}

// Takes numbers one by one and writes runs of equal steps.
class NumberWriter {
 public:
  explicit NumberWriter(ByteWriter& out) : out_(out) {}
  void add(std::int64_t number) {
    const std::int64_t step = step_between(last_, number);
    last_ = number;
    if (length_ > 0 && step != step_) flush();
    step_ = step;
    ++length_;
  }
  void flush() {
    if (length_ > 0) out_.number(length_).signed_number(step_);
    length_ = 0;
  }

 private:
  ByteWriter& out_;
  std::int64_t last_ = 0;
  std::int64_t step_ = 0;
  std::uint64_t length_ = 0;
};

class NumberReader {
 public:
  explicit NumberReader(ByteReader& in) : in_(in) {}
  std::int64_t next() {
    if (length_ == 0) {
      length_ = in_.number();
      step_ = in_.signed_number();
      if (length_ == 0) in_.fail();
    }
    --length_;
    last_ = step_on(last_, step_);
    return last_;
  }
  // A run that goes past the last number is not ours.
  bool at_end_of_run() const { return length_ == 0; }

 private:
  ByteReader& in_;
  std::int64_t last_ = 0;
  std::int64_t step_ = 0;
  std::uint64_t length_ = 0;
};

void write_runs(ByteWriter& out, const std::vector<Outcome>& outcomes) {
  for (std::size_t i = 0; i < outcomes.size();) {
    std::size_t end = i + 1;
    while (end < outcomes.size() && outcomes[end] == outcomes[i]) ++end;
    out.number((end - i) << kOutcomeBits | static_cast<std::uint64_t>(outcomes[i]));
    i = end;
  }
}

bool read_runs(ByteReader& in, std::uint64_t count, std::vector<Outcome>& into) {
  while (into.size() < count) {
    const std::uint64_t run = in.number();
    const std::uint64_t length = run >> kOutcomeBits;
    const std::uint64_t outcome = run & kOutcomeMask;
    if (in.failed() || length == 0 || length > count - into.size()) return false;
    if (outcome >= kAllOutcomes.size()) return false;
    into.insert(into.end(), length, static_cast<Outcome>(outcome));
  }
  return true;
}

void write_places(ByteWriter& out, const std::vector<std::uint32_t>& places) {
  out.byte(places.empty() ? 0 : 1);
  NumberWriter numbers(out);
  for (const std::uint32_t place : places) numbers.add(place);
  numbers.flush();
}

bool read_places(ByteReader& in, std::uint64_t count, std::vector<std::uint32_t>& into) {
  const std::uint8_t kind = in.byte();
  if (kind == 0) return !in.failed();
  if (kind != 1 || count == 0) return false;
  NumberReader numbers(in);
  std::int64_t last = -1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t place = numbers.next();
    if (in.failed() || place <= last || place > UINT32_MAX) return false;
    into.push_back(static_cast<std::uint32_t>(place));
    last = place;
  }
  return numbers.at_end_of_run();
}

void write_ids(ByteWriter& out, const UnitOutcomes& unit) {
  out.byte(static_cast<std::uint8_t>(unit.ids.kind));
  NumberWriter numbers(out);
  for (std::size_t i = 0; i < unit.size(); ++i) {
    if (!is_success(unit.outcomes[i])) continue;
    switch (unit.ids.kind) {
      case RowIdKind::kNone: return;
      case RowIdKind::kInteger:
        CHECK(i < unit.ids.integers.size());
        numbers.add(unit.ids.integers[i]);
        break;
      case RowIdKind::kText:
        CHECK(i < unit.ids.ends.size());
        out.text(unit.ids.text(i));
        break;
    }
  }
  numbers.flush();
}

bool read_integer_ids(ByteReader& in, UnitOutcomes& unit) {
  NumberReader numbers(in);
  unit.ids.integers.reserve(unit.size());
  for (const Outcome outcome : unit.outcomes) {
    unit.ids.push(is_success(outcome) ? numbers.next() : std::int64_t{0});
    if (in.failed()) return false;
  }
  return numbers.at_end_of_run();
}

bool read_text_ids(ByteReader& in, UnitOutcomes& unit) {
  if (in.left() > UINT32_MAX) return false;
  unit.ids.ends.reserve(unit.size());
  for (const Outcome outcome : unit.outcomes) {
    unit.ids.push(is_success(outcome) ? in.text() : std::string_view());
    if (in.failed()) return false;
  }
  return true;
}

bool read_ids(ByteReader& in, UnitOutcomes& unit) {
  const std::uint8_t kind = in.byte();
  if (in.failed() || kind > static_cast<std::uint8_t>(RowIdKind::kText)) return false;
  unit.ids.kind = static_cast<RowIdKind>(kind);
  switch (unit.ids.kind) {
    case RowIdKind::kNone: return true;
    case RowIdKind::kInteger: return read_integer_ids(in, unit);
    case RowIdKind::kText: return read_text_ids(in, unit);
  }
  return false;
}

void write_errors(ByteWriter& out, const UnitOutcomes& unit) {
  using Text = std::tuple<RecordErrorCode, std::string_view, std::string_view>;
  std::map<Text, std::uint64_t> numbers;
  std::vector<Text> texts;
  std::vector<std::uint64_t> which;
  which.reserve(unit.errors.size());
  for (const auto& [place, error] : unit.errors) {
    const Text text(error.code, error.field, error.message);
    const auto [found, is_new] = numbers.emplace(text, texts.size());
    if (is_new) texts.push_back(text);
    which.push_back(found->second);
  }

  out.number(texts.size());
  for (const auto& [code, field, message] : texts) {
    out.byte(static_cast<std::uint8_t>(code)).text(field).text(message);
  }
  out.number(which.size());
  std::uint32_t last = 0;
  for (std::size_t i = 0; i < which.size(); ++i) {
    out.number(unit.errors[i].first - last).number(which[i]);
    last = unit.errors[i].first;
  }
}

bool read_error_texts(ByteReader& in, std::vector<RecordError>& into) {
  const std::uint64_t count = in.number();
  if (in.failed() || count > in.left()) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint8_t code = in.byte();
    const std::string_view field = in.text();
    const std::string_view message = in.text();
    if (in.failed() || code >= kRecordErrorCodeCount) return false;
    into.push_back(
        {static_cast<RecordErrorCode>(code), std::string(field), std::string(message)});
  }
  return true;
}

bool read_errors(ByteReader& in, UnitOutcomes& unit) {
  std::vector<RecordError> texts;
  if (!read_error_texts(in, texts)) return false;
  const std::uint64_t count = in.number();
  if (in.failed() || count > unit.size() || count > in.left()) return false;
  unit.errors.reserve(count);
  std::uint64_t place = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t distance = in.number();
    const std::uint64_t which = in.number();
    if (in.failed() || (distance == 0 && i > 0) || which >= texts.size()) return false;
    if (distance >= unit.size() - place) return false;
    place += distance;
    unit.errors.emplace_back(static_cast<std::uint32_t>(place), texts[which]);
  }
  return true;
}

}  // namespace

std::vector<std::uint8_t> encode_outcomes(const UnitOutcomes& unit) {
  CHECK(unit.size() <= kUnitRecordsMax);
  CHECK(unit.places.empty() || unit.places.size() == unit.size());
  ByteWriter out;
  out.byte(kVersion);
  out.number(static_cast<std::uint64_t>(unit.first_record.value())).number(unit.size());
  write_runs(out, unit.outcomes);
  write_places(out, unit.places);
  write_ids(out, unit);
  write_errors(out, unit);
  return out.take();
}

Result<UnitOutcomes> decode_outcomes(std::span<const std::uint8_t> bytes) {
  ByteReader in(bytes);
  if (!starts_with_version(in)) return not_ours();
  UnitOutcomes unit;
  const auto first = static_cast<std::int64_t>(in.number());
  const std::uint64_t count = in.number();
  if (in.failed() || first < 1 || count > kUnitRecordsMax) return not_ours();
  unit.first_record = RecordNumber(first);
  if (!read_runs(in, count, unit.outcomes) || !read_places(in, count, unit.places) ||
      !read_ids(in, unit) || !read_errors(in, unit) || in.left() > 0) {
    return not_ours();
  }
  return unit;
}

ErrorCounts count_errors(const UnitOutcomes& outcomes) {
  ErrorCounts counts{};
  for (const auto& [place, error] : outcomes.errors) {
    ++counts[static_cast<std::size_t>(error.code)];
  }
  return counts;
}

std::vector<std::uint8_t> encode_error_counts(const ErrorCounts& counts) {
  ByteWriter out;
  out.byte(kVersion);
  for (std::size_t code = 0; code < counts.size(); ++code) {
    if (counts[code] > 0) out.number(code).number(counts[code]);
  }
  return out.take();
}

Result<ErrorCounts> decode_error_counts(std::span<const std::uint8_t> bytes) {
  ByteReader in(bytes);
  if (!starts_with_version(in)) return not_ours();
  ErrorCounts counts{};
  while (in.left() > 0) {
    const std::uint64_t code = in.number();
    const std::uint64_t count = in.number();
    if (in.failed() || code >= counts.size()) return not_ours();
    counts[code] = count;
  }
  return counts;
}

std::vector<std::uint8_t> encode_records(std::span<const RecordNumber> records) {
  ByteWriter out;
  out.byte(kVersion).number(records.size());
  NumberWriter numbers(out);
  for (const RecordNumber record : records) numbers.add(record.value());
  numbers.flush();
  return out.take();
}

Result<std::vector<RecordNumber>> decode_records(std::span<const std::uint8_t> bytes) {
  ByteReader in(bytes);
  if (!starts_with_version(in)) return not_ours();
  const std::uint64_t count = in.number();
  if (in.failed() || count > kUnitRecordsMax) return not_ours();
  std::vector<RecordNumber> records;
  NumberReader numbers(in);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t record = numbers.next();
    if (in.failed() || record < 1) return not_ours();
    records.emplace_back(record);
  }
  if (!numbers.at_end_of_run() || in.left() > 0) return not_ours();
  return records;
}

std::vector<std::uint8_t> encode_texts(const std::vector<std::string>& texts) {
  ByteWriter out;
  out.byte(kVersion);
  for (const std::string& text : texts) out.text(text);
  return out.take();
}

Result<std::vector<std::string>> decode_texts(std::span<const std::uint8_t> bytes) {
  ByteReader in(bytes);
  if (!starts_with_version(in)) return not_ours();
  std::vector<std::string> texts;
  while (in.left() > 0) texts.emplace_back(in.text());
  if (in.failed()) return not_ours();
  return texts;
}

}  // namespace tallyman
