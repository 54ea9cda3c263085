#include "store/ledger_codec.h"

#include <gtest/gtest.h>

#include <random>

#include "store/varint.h"

namespace tallyman {
namespace {

using Bytes = std::vector<std::uint8_t>;

// What comes back: ids of records without a row are not kept.
UnitOutcomes without_lost_ids(UnitOutcomes unit) {
  RowIds ids{.kind = unit.ids.kind, .integers = {}, .texts = {}, .ends = {}};
  for (std::size_t i = 0; i < unit.size(); ++i) {
    const bool has_row = is_success(unit.outcomes[i]);
    if (ids.kind == RowIdKind::kInteger) {
      ids.push(has_row ? unit.ids.integers[i] : std::int64_t{0});
    }
    if (ids.kind == RowIdKind::kText) {
      ids.push(has_row ? unit.ids.text(i) : std::string_view());
    }
  }
  unit.ids = std::move(ids);
  return unit;
}

void expect_equal(const UnitOutcomes& left, const UnitOutcomes& right) {
  EXPECT_EQ(left.first_record, right.first_record);
  EXPECT_EQ(left.places, right.places);
  EXPECT_EQ(left.outcomes, right.outcomes);
  EXPECT_EQ(left.ids.kind, right.ids.kind);
  EXPECT_EQ(left.ids.integers, right.ids.integers);
  EXPECT_EQ(left.ids.texts, right.ids.texts);
  EXPECT_EQ(left.ids.ends, right.ids.ends);
  EXPECT_EQ(left.errors, right.errors);
}

void expect_round_trip(const UnitOutcomes& unit) {
  const auto decoded = decode_outcomes(encode_outcomes(unit));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  expect_equal(decoded.value(), without_lost_ids(unit));
}

UnitOutcomes successes(std::size_t count, std::int64_t first_id, std::int64_t step) {
  UnitOutcomes unit;
  unit.outcomes.assign(count, Outcome::kCreated);
  unit.ids.kind = RowIdKind::kInteger;
  for (std::size_t i = 0; i < count; ++i) {
    unit.ids.push(first_id + static_cast<std::int64_t>(i) * step);
  }
  return unit;
}

class RandomUnit {
 public:
  explicit RandomUnit(unsigned seed) : engine_(seed) {}

  UnitOutcomes make() {
    UnitOutcomes unit;
    unit.first_record = RecordNumber(1 + below(1'000'000'000));
    unit.ids.kind = static_cast<RowIdKind>(below(3));
    const std::int64_t size = below(40);
    const bool has_places = below(2) == 1 && size > 0;
    std::uint32_t place = 0;
    auto outcome = Outcome::kCreated;
    for (std::int64_t i = 0; i < size; ++i) {
      if (below(3) == 0) outcome = kAllOutcomes[static_cast<std::size_t>(below(6))];
      unit.outcomes.push_back(outcome);
      if (has_places)
        unit.places.push_back(place += static_cast<std::uint32_t>(below(3)));
      ++place;
      if (unit.ids.kind == RowIdKind::kInteger) unit.ids.push(id());
      if (unit.ids.kind == RowIdKind::kText) {
        unit.ids.push(std::string(static_cast<std::size_t>(below(5)), 'x'));
      }
      if (outcome == Outcome::kFailed) {
        unit.errors.emplace_back(static_cast<std::uint32_t>(i), error());
      }
    }
    return unit;
  }

 private:
  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(end));
  }
  std::int64_t id() {
    switch (below(5)) {
      case 0: return INT64_MAX;
      case 1: return INT64_MIN;
      case 2: return static_cast<std::int64_t>(engine_());
      default: return ++last_id_;
    }
  }
  RecordError error() {
    return {static_cast<RecordErrorCode>(below(kRecordErrorCodeCount)),
            below(2) ? "age" : "", "rule " + std::to_string(below(3))};
  }

  std::mt19937_64 engine_;
  std::int64_t last_id_ = 100;
};

TEST(LedgerCodec, GivesBackWhatItWasGiven) {
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_round_trip(RandomUnit(seed).make());
  }
}

TEST(LedgerCodec, KeepsTheEdges) {
  expect_round_trip({});
  expect_round_trip(successes(1, INT64_MAX, 0));
  expect_round_trip(successes(3, INT64_MIN, 1));
  UnitOutcomes far = successes(2, 1, 1);
  far.first_record = RecordNumber(INT64_MAX);
  far.places = {7, UINT32_MAX};
  expect_round_trip(far);
}

TEST(LedgerCodec, ALongRunTakesAFewBytes) {
  EXPECT_LE(encode_outcomes(successes(80'000, 5'000'000'000, 1)).size(), 32u);
  EXPECT_LE(encode_outcomes(successes(80'000, 17, 8)).size(), 32u);
  UnitOutcomes every_eighth = successes(10'000, 1, 8);
  for (std::uint32_t i = 0; i < 10'000; ++i) every_eighth.places.push_back(i * 8);
  EXPECT_LE(encode_outcomes(every_eighth).size(), 40u);
}

TEST(LedgerCodec, OneReasonIsWrittenOnce) {
  UnitOutcomes unit;
  const RecordError error{RecordErrorCode::kInvalidType, "age", std::string(500, 'e')};
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    unit.outcomes.push_back(Outcome::kFailed);
    unit.errors.emplace_back(i, error);
  }
  EXPECT_LE(encode_outcomes(unit).size(), 500u + 2 * 1'000 + 50);
  expect_round_trip(unit);
}

TEST(LedgerCodec, ACutIsRefusedWhereverItIs) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Bytes bytes = encode_outcomes(RandomUnit(seed).make());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto decoded = decode_outcomes(std::span(bytes).first(size));
      ASSERT_FALSE(decoded.ok()) << size;
      EXPECT_EQ(decoded.error().code, ErrorCode::kInternal);
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(decode_outcomes(longer).ok());
  }
}

// Whatever one changed byte makes of it: an error, or outcomes that can be read through.
TEST(LedgerCodec, AChangedByteDoesNoHarm) {
  std::size_t refused = 0;
  for (unsigned seed = 0; seed < 30; ++seed) {
    const Bytes bytes = encode_outcomes(RandomUnit(seed).make());
    for (std::size_t place = 0; place < bytes.size(); ++place) {
      for (const int change : {0x01, 0x80, 0xFF}) {
        Bytes changed = bytes;
        changed[place] = static_cast<std::uint8_t>(changed[place] ^ change);
        const auto decoded = decode_outcomes(changed);
        if (!decoded.ok()) {
          ++refused;
          continue;
        }
        for (const auto& [error_place, error] : decoded.value().errors) {
          ASSERT_LT(error_place, decoded.value().size());
        }
        if (decoded.value().ids.kind == RowIdKind::kText) {
          ASSERT_EQ(decoded.value().ids.ends.size(), decoded.value().size());
        }
      }
    }
  }
  EXPECT_GT(refused, 0u);
}

TEST(LedgerCodec, AnImpossibleNumberOfRecordsIsRefused) {
  ByteWriter out;
  out.byte(1).number(1).number(kUnitRecordsMax + 1);
  out.number((kUnitRecordsMax + 1) << 3).byte(0).byte(0).number(0).number(0);
  EXPECT_FALSE(decode_outcomes(out.take()).ok());
  ByteWriter fits;
  fits.byte(1).number(1).number(1'000);
  fits.number(1'000 << 3).byte(0).byte(0).number(0).number(0);
  EXPECT_TRUE(decode_outcomes(fits.take()).ok());
}

TEST(LedgerCodec, KeepsErrorCounts) {
  ErrorCounts counts{};
  EXPECT_EQ(decode_error_counts(encode_error_counts(counts)).value(), counts);
  counts.front() = 1;
  counts.back() = UINT64_MAX;
  const Bytes bytes = encode_error_counts(counts);
  EXPECT_EQ(decode_error_counts(bytes).value(), counts);
  EXPECT_FALSE(decode_error_counts(std::span(bytes).first(0)).ok());
  EXPECT_FALSE(decode_error_counts(std::span(bytes).first(bytes.size() - 1)).ok());
  EXPECT_FALSE(decode_error_counts(Bytes{1, kRecordErrorCodeCount, 1}).ok());
}

TEST(LedgerCodec, CountsErrorsByCode) {
  UnitOutcomes unit;
  unit.outcomes.assign(3, Outcome::kFailed);
  unit.errors = {{0, {RecordErrorCode::kNotFound, "", ""}},
                 {1, {RecordErrorCode::kNotFound, "", ""}},
                 {2, {RecordErrorCode::kDatabaseError, "", ""}}};
  const ErrorCounts counts = count_errors(unit);
  EXPECT_EQ(counts[static_cast<std::size_t>(RecordErrorCode::kNotFound)], 2u);
  EXPECT_EQ(counts[static_cast<std::size_t>(RecordErrorCode::kDatabaseError)], 1u);
}

TEST(LedgerCodec, KeepsParentRecords) {
  std::vector<RecordNumber> records;
  for (std::int64_t i = 5; i < 10'000; ++i) records.emplace_back(i);
  Bytes bytes = encode_records(records);
  EXPECT_LE(bytes.size(), 16u);
  EXPECT_EQ(decode_records(bytes).value(), records);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_records(std::span(bytes).first(size)).ok()) << size;
  }
  bytes.push_back(1);
  EXPECT_FALSE(decode_records(bytes).ok());
  EXPECT_TRUE(decode_records(encode_records({})).value().empty());
}

TEST(LedgerCodec, KeepsTexts) {
  const std::vector<std::string> texts{"", "a\nb", std::string(300, 'x'), "\xC3\xA9"};
  const Bytes bytes = encode_texts(texts);
  EXPECT_EQ(decode_texts(bytes).value(), texts);
  EXPECT_TRUE(decode_texts(encode_texts({})).value().empty());
  EXPECT_FALSE(decode_texts(std::span(bytes).first(bytes.size() - 1)).ok());
  EXPECT_FALSE(decode_texts(Bytes{}).ok());
}

TEST(Varint, ReadsEveryWidthAndNeverPastTheEnd) {
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t value = std::uint64_t{1} << bit;
    for (const std::uint64_t each : {value - 1, value, ~value}) {
      ByteWriter out;
      out.number(each).signed_number(static_cast<std::int64_t>(each));
      const Bytes bytes = out.take();
      ByteReader in(bytes);
      EXPECT_EQ(in.number(), each);
      EXPECT_EQ(in.signed_number(), static_cast<std::int64_t>(each));
      EXPECT_EQ(in.left(), 0u);
      EXPECT_FALSE(in.failed());
      EXPECT_EQ(in.number(), 0u);
      EXPECT_TRUE(in.failed());
    }
  }
  const Bytes too_long(10, 0xFF);
  ByteReader in(too_long);
  in.number();
  EXPECT_TRUE(in.failed());
}

}  // namespace
}  // namespace tallyman
