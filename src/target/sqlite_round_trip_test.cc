// What is accepted is kept: every value that a record was created with reads back as the
// same value, and aggregates over random rows equal those of whole numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <set>

#include "base/decimal.h"
#include "target/sqlite_test_backend.h"

namespace tallyman {
namespace {

class RoundTrip : public testing::Test {
 protected:
  // Inserts one value a record into a table (id, v) and gives the results.
  std::vector<std::string> insert(const std::string& type,
                                  const std::vector<std::string>& values) {
    backend_.execute("DROP TABLE IF EXISTS t");
    backend_.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v " + type + ")");
    std::string upload = "id,v\n";
    for (std::size_t i = 0; i < values.size(); ++i) {
      upload += std::to_string(i) + "," + values[i] + "\n";
    }
    return run_job(backend_, {.table = "t", .upload = upload}, 1000, false).results;
  }

  // The stored value of a record through an aggregate: as the program reads it back.
  std::string stored(std::size_t id) {
    TargetRun run;
    run.resource = backend_.target().introspect("t").value();
    run.units.emplace_back();
    run.units[0].outcomes = {Outcome::kCreated};
    run.units[0].ids.kind = RowIdKind::kInteger;
    run.units[0].ids.push(static_cast<std::int64_t>(id));
    auto transaction = backend_.database().begin_read();
    const AggregateSpec max{.name = "v", .type = AggregateType::kMax, .field = "v"};
    return backend_.target()
        .aggregate(*transaction.value(), run.resource, std::span(&max, 1), run.ids(), {})
        .value()
        .front()
        .value;
  }

  SqliteTestBackend backend_;
};

TEST_F(RoundTrip, DecimalsAreKeptOrRefusedNeverRounded) {
  std::mt19937_64 random(20240131);
  struct Type {
    std::string name;
    int precision;
    int scale;
  };
  for (const Type& type : {Type{"DECIMAL(12,2)", 12, 2}, Type{"DECIMAL(18,6)", 18, 6},
                           Type{"DECIMAL(38,10)", 38, 10}, Type{"NUMERIC(5)", 5, 0},
                           Type{"NUMERIC", -1, -1}}) {
    SCOPED_TRACE(type.name);
    std::vector<std::string> values;
    for (int i = 0; i < 400; ++i) {
      const auto digits = [&](std::uint64_t most) {
        std::string text;
        for (std::uint64_t n = random() % (most + 1); n > 0; --n) {
          text += static_cast<char>('0' + random() % 10);
        }
        return text;
      };
      std::string value = random() % 2 ? "-" : "";
      value.append(digits(random() % 24)).append("7.").append(digits(random() % 12));
      values.push_back(std::move(value));
    }
    const auto results = insert(type.name, values);
    int created = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Decimal value = *Decimal::parse(values[i]);
      const bool fits =
          type.precision < 0 || (value.scale() <= type.scale &&
                                 value.whole_digits() <= type.precision - type.scale);
      if (results[i].starts_with("created")) {
        ++created;
        EXPECT_TRUE(fits) << values[i];
        EXPECT_EQ(stored(i), value.to_string());
      } else {
        EXPECT_EQ(results[i], "failed VALUE_OUT_OF_RANGE v");
        // Fifteen digits always can be kept.
        EXPECT_FALSE(fits && value.whole_digits() + value.scale() <= 15) << values[i];
      }
    }
    EXPECT_GT(created, 10);
  }
}

TEST_F(RoundTrip, DecimalsAtTheLimitAndAbove) {
  EXPECT_THAT(
      insert("DECIMAL(5,2)", {"999.99", "-999.99", "1000", "0.001", "1.50000", "1e2",
                              "1e3", "1e-2", "1e-3", "abc", "1e", "NaN", "1e999999999"}),
      testing::ElementsAre("created 0", "created 1", "failed VALUE_OUT_OF_RANGE v",
                           "failed VALUE_OUT_OF_RANGE v", "created 4", "created 5",
                           "failed VALUE_OUT_OF_RANGE v", "created 7",
                           "failed VALUE_OUT_OF_RANGE v", "failed INVALID_TYPE v",
                           "failed INVALID_TYPE v", "failed INVALID_TYPE v",
                           "failed VALUE_OUT_OF_RANGE v"));
  // Whole numbers are kept to the last digit as far as int64 goes.
  insert("DECIMAL(30,2)", {"9223372036854775807", "-9223372036854775808"});
  EXPECT_EQ(stored(0), "9223372036854775807");
  EXPECT_EQ(stored(1), "-9223372036854775808");
  EXPECT_EQ(insert("DECIMAL(30,2)", {"9223372036854775809"}).front(),
            "failed VALUE_OUT_OF_RANGE v");
}

TEST_F(RoundTrip, TextsOfAnyBytes) {
  std::string all = "\"";
  for (int c = 1; c < 128; ++c) {
    if (c != '"') all += static_cast<char>(c);
  }
  all += "äß→😀\"\"\"";
  insert("TEXT", {all, "\"\"", "'", "NULL", "\"NULL\"", "0x00", " 1 "});
  EXPECT_THAT(backend_.query("SELECT length(v) FROM t ORDER BY id"),
              testing::ElementsAre("131", "0", "1", "4", "4", "4", "3"));
}

// --- Aggregates against sums of whole cents -------------------------------------------

struct Row {
  std::int64_t cents = 0;
  std::string category;
};

class RandomAggregates : public testing::TestWithParam<int> {};

TEST_P(RandomAggregates, EqualThoseOfWholeNumbers) {
  SqliteTestBackend backend;
  backend.execute(
      "CREATE TABLE t (code TEXT PRIMARY KEY, id INTEGER UNIQUE NOT NULL, "
      "amount DECIMAL(14,2), category TEXT);"
      "CREATE TABLE i (id INTEGER PRIMARY KEY, amount DECIMAL(14,2), category TEXT);"
      "INSERT INTO i VALUES (3, 77777.77, 'not of the job'), (100000, 1.11, 'neither');");
  std::mt19937_64 random(static_cast<std::uint64_t>(GetParam()));
  const bool text_key = GetParam() % 2 == 0;
  const std::int64_t spread =
      GetParam() % 3 == 0 ? 50'000 : 300;  // Sparse and dense ids.

  std::map<std::int64_t, Row> rows;
  std::string upload = text_key ? "code,id,amount,category\n" : "id,amount,category\n";
  for (int n = 0; n < 1000; ++n) {
    const std::int64_t id =
        10 + static_cast<std::int64_t>(random() % 1000) * spread / 300;
    Row row;
    row.cents =
        static_cast<std::int64_t>(random() % 2'000'000'000'000) - 1'000'000'000'000;
    row.category.append("c").append(std::to_string(random() % 7));
    if (text_key) upload.append("K-").append(std::to_string(id)).append(",");
    const std::int64_t magnitude = row.cents < 0 ? -row.cents : row.cents;
    char amount[40];
    std::snprintf(amount, sizeof amount, "%s%lld.%02lld", row.cents < 0 ? "-" : "",
                  static_cast<long long>(magnitude / 100),
                  static_cast<long long>(magnitude % 100));
    upload += std::to_string(id) + "," + amount + "," + row.category + "\n";
    rows[id] = row;
  }
  const TargetRun run = run_job(
      backend,
      {.operation = Operation::kUpsert, .table = text_key ? "t" : "i", .upload = upload},
      90, false);

  std::int64_t sum = 0;
  std::int64_t least = INT64_MAX;
  std::set<std::int64_t> amounts;
  std::map<std::string, std::int64_t> counts;
  for (const auto& [id, row] : rows) {
    sum += row.cents;
    least = std::min(least, row.cents);
    amounts.insert(row.cents);
    ++counts[row.category];
  }
  std::string by_category;
  for (const auto& [category, count] : counts) {
    by_category +=
        (by_category.empty() ? "{\"" : ",\"") + category + "\":" + std::to_string(count);
  }
  const auto of_cents = [](std::int64_t cents) { return Decimal(cents).divided(100, 2); };

  std::vector<AggregateSpec> specs(6);
  specs[0].type = AggregateType::kCount;
  specs[1] = {.name = "sum", .type = AggregateType::kSum, .field = "amount"};
  specs[2] = {.name = "avg", .type = AggregateType::kAvg, .field = "amount"};
  specs[3] = {.name = "min", .type = AggregateType::kMin, .field = "amount"};
  specs[4] = {
      .name = "distinct", .type = AggregateType::kCountDistinct, .field = "amount"};
  specs[5] = {.name = "groups", .type = AggregateType::kCount, .group_by = {"category"}};
  auto transaction = backend.database().begin_read();
  const auto results = backend.target().aggregate(*transaction.value(), run.resource,
                                                  specs, run.ids(), {});
  ASSERT_TRUE(results.ok()) << results.error().message;
  for (const AggregateResult& result : results.value()) EXPECT_EQ(result.error, "");
  EXPECT_EQ(results.value()[0].value, std::to_string(rows.size()));
  EXPECT_EQ(results.value()[1].value, of_cents(sum).to_string());
  EXPECT_EQ(results.value()[2].value, of_cents(sum).divided(rows.size(), 8).to_string());
  EXPECT_EQ(results.value()[3].value, of_cents(least).to_string());
  EXPECT_EQ(results.value()[4].value, std::to_string(amounts.size()));
  EXPECT_EQ(results.value()[5].value, by_category + "}");

  const auto presence =
      backend.target().count_present(*transaction.value(), run.resource, run.ids(), {});
  EXPECT_EQ(presence.value().named, rows.size());
  EXPECT_EQ(presence.value().present, rows.size());
}

// More distinct values than are kept in memory (32 MiB): the rest is counted on disk.
TEST(SqliteAggregates, CountDistinctValuesThatDoNotFitIntoMemory) {
  SqliteTestBackend backend;
  backend.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, g INT)");
  std::string upload = "v,g\n";
  const std::string filler(1000, 'x');
  constexpr int kDistinct = 45'000;
  for (int i = 0; i < kDistinct + 1000; ++i) {
    upload += filler + std::to_string(i % kDistinct) + "," + std::to_string(i % 2) + "\n";
  }
  const TargetRun run = run_job(backend, {.table = "t", .upload = upload}, 20'000, false);
  std::vector<AggregateSpec> specs(2);
  specs[0] = {.name = "all", .type = AggregateType::kCountDistinct, .field = "v"};
  specs[1] = {.name = "by group", .type = AggregateType::kCountDistinct, .field = "v"};
  specs[1].group_by = {"g"};
  auto transaction = backend.database().begin_read();
  const auto results = backend.target().aggregate(*transaction.value(), run.resource,
                                                  specs, run.ids(), {});
  ASSERT_TRUE(results.ok()) << results.error().message;
  EXPECT_EQ(results.value()[0].value, "45000");
  EXPECT_EQ(results.value()[1].value, R"({"0":22500,"1":22500})");
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomAggregates, testing::Range(1, 13));

}  // namespace
}  // namespace tallyman
