// Aggregates over what a ledger names: the same digits as on SQLite for the same data,
// for every kind of key and every way to name rows.
#include "target/postgres_aggregate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "db/test_postgres.h"
#include "target/named_ranges.h"
#include "target/sqlite_test_backend.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

class Ledger {
 public:
  explicit Ledger(RowIdKind kind) { start(kind); }

  void start(RowIdKind kind) {
    units_.emplace_back();
    units_.back().ids.kind = kind;
  }
  Ledger& add(Outcome outcome, std::int64_t id) {
    units_.back().outcomes.push_back(outcome);
    units_.back().ids.push(id);
    return *this;
  }
  Ledger& add(Outcome outcome, std::string_view id) {
    units_.back().outcomes.push_back(outcome);
    units_.back().ids.push(id);
    return *this;
  }
  RowIdSourceMaker ids() const {
    return [this]() -> RowIdSource {
      return [this, next = std::size_t{0}](UnitOutcomes& into) mutable -> Result<bool> {
        if (next == units_.size()) return false;
        into = units_[next++];
        return true;
      };
    };
  }

 private:
  std::vector<UnitOutcomes> units_;
};

AggregateSpec spec(AggregateType type, std::string field = {},
                   std::vector<std::string> group_by = {},
                   std::vector<Outcome> outcomes = {}) {
  AggregateSpec made;
  made.name = "asked";
  made.type = type;
  made.field = std::move(field);
  made.group_by = std::move(group_by);
  made.outcomes = std::move(outcomes);
  return made;
}

class PostgresAggregates : public testing::Test {
 protected:
  std::vector<AggregateResult> ask(const char* name, const Ledger& ledger,
                                   const std::vector<AggregateSpec>& specs) {
    auto transaction = database_->begin_read();
    db::PostgresConnection& connection = db::postgres(*transaction.value());
    const PostgresTable table = read_postgres_table(connection, name).value();
    if (resource_.name.empty()) resource_ = table.resource;
    auto results =
        aggregate_postgres(connection, table, resource_, specs, ledger.ids(), {});
    EXPECT_TRUE(results.ok()) << results.error().message;
    return std::move(results).value();
  }
  std::string ask_one(const char* name, const Ledger& ledger, AggregateSpec one) {
    const AggregateResult result = ask(name, ledger, {std::move(one)}).front();
    return result.error.empty() ? result.value : "error: " + result.error;
  }
  Target::Presence presence(const char* name, const Ledger& ledger) {
    auto transaction = database_->begin_read();
    db::PostgresConnection& connection = db::postgres(*transaction.value());
    const PostgresTable table = read_postgres_table(connection, name).value();
    auto counted = count_present_postgres(connection, table, ledger.ids(), {});
    EXPECT_TRUE(counted.ok()) << counted.error().message;
    return std::move(counted).value();
  }

  db::TemporaryPostgres database_;
  Resource resource_;
};

using enum AggregateType;

constexpr const char* kSales =
    "CREATE TABLE sales (id integer PRIMARY KEY, item text, amount decimal(12,2), "
    "weight double precision, day date, clock time, moment timestamp, flag boolean, "
    "small smallint, big bigint, code uuid, free %FREE%);";

std::string sales_of(const std::string& free_type) {
  std::string schema = kSales;
  schema.replace(schema.find("%FREE%"), 6, free_type);
  return schema;
}

std::string random_rows(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return static_cast<int>(random() % n); };
  const auto maybe = [&](std::string value) {
    return below(8) == 0 ? std::string("NULL") : value;
  };
  std::string sql;
  for (int id = 1; id <= count; ++id) {
    const std::vector<std::string> items = {"'Food'", "'food'",    "'\xC3\x89t\xC3\xA9'",
                                            "''",     "'a \"b\"'", "'Zoo'"};
    const auto digits2 = [&](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    const std::string day =
        "2024-" + digits2(1 + below(12)) + "-" + digits2(1 + below(28));
    const std::string clock = digits2(below(24)) + ":" + digits2(below(60)) + ":00";
    const std::string amount = (below(2) ? "-" : "") + std::to_string(below(1'000'000)) +
                               "." + digits2(below(100));
    sql +=
        std::string(sql.empty() ? "" : ",") + "(" + std::to_string(id) + "," +
        maybe(items[static_cast<std::size_t>(below(items.size()))]) + "," +
        maybe(amount) + "," +
        maybe(std::to_string(below(1000)) + "." + std::to_string(below(100'000))) + "," +
        maybe("'" + day + "'") + "," + maybe("'" + clock + "'") + "," +
        maybe("'" + day + "T" + clock + "'") + "," + maybe(below(2) ? "true" : "false") +
        "," + maybe(std::to_string(below(100))) + "," +
        maybe(std::to_string(static_cast<std::int64_t>(random()) / 4)) + "," +
        maybe("'550e8400-e29b-41d4-a716-44665544000" + std::to_string(below(10)) + "'") +
        "," + maybe(std::to_string(below(100)) + "." + std::to_string(below(1000))) + ")";
  }
  return "INSERT INTO sales VALUES " + sql;
}

TEST_F(PostgresAggregates, GiveTheDigitsThatSqliteGives) {
  SqliteTestBackend sqlite;
  const std::string rows = random_rows(800, 20240131);
  sqlite.execute(sales_of("decimal"));
  sqlite.execute(rows);
  database_.sql(sales_of("numeric") + rows);

  Ledger ledger(RowIdKind::kInteger);
  std::mt19937_64 random(7);
  for (int i = 0; i < 1500; ++i) {
    if (i % 200 == 0) ledger.start(RowIdKind::kInteger);
    const auto id = i < 400 ? i + 1 : static_cast<std::int64_t>(random() % 850);
    const Outcome outcome = i < 400             ? Outcome::kCreated
                            : random() % 3 == 0 ? Outcome::kUnchanged
                            : random() % 5 == 0 ? Outcome::kFailed
                                                : Outcome::kUpdated;
    ledger.add(outcome, id);
  }

  std::vector<AggregateSpec> specs;
  const std::vector<std::vector<std::string>> groupings = {
      {},       {"item"},   {"day", "flag"}, {"amount"}, {"small", "clock", "item"},
      {"free"}, {"weight"}, {"moment"},      {"code"},   {"big"}};
  const std::vector<std::vector<Outcome>> masks = {
      {}, {Outcome::kCreated}, {Outcome::kUpdated, Outcome::kUnchanged}};
  for (const auto& groups : groupings) {
    for (const auto& mask : masks) {
      specs.push_back(spec(kCount, "", groups, mask));
      for (const char* field : {"amount", "weight", "id", "small", "big", "free"}) {
        for (const AggregateType type : {kSum, kAvg, kMin, kMax, kCountDistinct}) {
          specs.push_back(spec(type, field, groups, mask));
        }
      }
      for (const char* field : {"item", "day", "clock", "moment", "code"}) {
        for (const AggregateType type : {kMin, kMax, kCountDistinct}) {
          specs.push_back(spec(type, field, groups, mask));
        }
      }
      specs.push_back(spec(kCountDistinct, "flag", groups, mask));
    }
  }
  const Resource resource = sqlite.target().introspect("sales").value();
  auto transaction = sqlite.database().begin_read();
  const auto expected =
      sqlite.target().aggregate(*transaction.value(), resource, specs, ledger.ids(), {});
  const auto found = ask("sales", ledger, specs);
  ASSERT_EQ(found.size(), specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    ASSERT_EQ(found[i].value, expected.value()[i].value) << to_json(specs[i]);
    ASSERT_EQ(found[i].error, expected.value()[i].error) << to_json(specs[i]);
  }
  const auto present =
      sqlite.target().count_present(*transaction.value(), resource, ledger.ids(), {});
  EXPECT_EQ(presence("sales", ledger).named, present.value().named);
  EXPECT_EQ(presence("sales", ledger).present, present.value().present);
}

TEST_F(PostgresAggregates, NameRowsByAnyKey) {
  db::TestPostgresServer::sql(
      database_.superuser_url(),
      "CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', "
      "deterministic = false)");
  const auto sum_of = [&](const char* type, const std::vector<const char*>& values,
                          const std::vector<const char*>& ids) {
    std::string sql = "DROP TABLE IF EXISTS t; CREATE TABLE t (k " + std::string(type) +
                      " PRIMARY KEY, n int);";
    int n = 1;
    for (const char* value : values) {
      sql += "INSERT INTO t VALUES ('" + std::string(value) + "', " + std::to_string(n) +
             ");";
      n *= 10;
    }
    database_.sql(sql);
    Ledger ledger(RowIdKind::kText);
    for (const char* id : ids) ledger.add(Outcome::kUpdated, id);
    resource_ = {};
    const Target::Presence counted = presence("t", ledger);
    return ask_one("t", ledger, spec(kSum, "n")) + " " + std::to_string(counted.named) +
           " " + std::to_string(counted.present);
  };
  EXPECT_EQ(sum_of("text", {"a", "b", "A"}, {"a", "A", "x", "a"}), "101 3 2");
  EXPECT_EQ(sum_of("text COLLATE anycase", {"a", "b"}, {"a", "A", "x"}), "1 2 1");
  EXPECT_EQ(sum_of("char(5)", {"ab", "c"}, {"ab", "ab   "}), "1 1 1");
  EXPECT_EQ(sum_of("numeric", {"1.50", "2"}, {"1.5", "2.000", "3"}), "11 3 2");
  EXPECT_EQ(sum_of("timestamptz", {"2024-01-31 10:30:00+02", "2025-01-01 00:00Z"},
                   {"2024-01-31T08:30:00Z"}),
            "1 1 1");
  EXPECT_EQ(sum_of("bytea", {"\\x00ff", "\\x"}, {"\\x00ff", "\\x"}), "11 2 2");
  EXPECT_EQ(sum_of("inet", {"10.0.0.1", "10.0.0.2/24"}, {"10.0.0.1/32", "10.0.0.2/24"}),
            "11 2 2");
  EXPECT_EQ(sum_of("float8", {"0.1", "Infinity"}, {"0.1", "inf"}), "11 2 2");
  EXPECT_EQ(sum_of("date", {"2024-01-31", "infinity", "0044-03-15 BC"},
                   {"infinity", "0044-03-15 BC"}),
            "110 2 2");
}

TEST_F(PostgresAggregates, NameRowsByKeysOfSeveralColumns) {
  database_.sql(
      "CREATE TYPE mood AS ENUM ('sad', 'ok');"
      "CREATE TABLE t (a text, m mood, \"n\"\"o\" numeric(6,2), v int, "
      "PRIMARY KEY (\"n\"\"o\", a, m));"
      "INSERT INTO t VALUES ('x', 'ok', 1.5, 1), ('y\"', 'sad', -2, 10), "
      "('x', 'sad', 1.5, 100)");
  Ledger ledger(RowIdKind::kText);
  ledger.add(Outcome::kCreated, R"([1.5,"x","ok"])")
      .add(Outcome::kUpdated, R"([-2,"y\"","sad"])")
      .add(Outcome::kUpdated, R"([1.5,"x","ok"])");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v")), "11");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v", {"m"})), R"({"ok":1,"sad":10})");
  EXPECT_EQ(ask_one("t", ledger, spec(kMax, "m")), "\"sad\"");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v", {}, {Outcome::kCreated})), "1");
}

TEST_F(PostgresAggregates, CountARowOnceHoweverTheLedgerNamesIt) {
  database_.sql(
      "CREATE TABLE t (id bigint PRIMARY KEY, v int);"
      "INSERT INTO t SELECT i, 1 FROM generate_series(1, 20000) AS i");
  // More ranges than are held at once, the later ones among the earlier ones: once each
  // for itself, once so close that they are put together.
  for (const std::int64_t step : {20, 4}) {
    Ledger ledger(RowIdKind::kInteger);
    for (std::size_t i = 0; i < NamedRanges::kHeldMax + 10'000; ++i) {
      ledger.add(Outcome::kUpdated, static_cast<std::int64_t>(i % 1000) * step + 1);
    }
    const std::int64_t created = step * 250;  // A quarter of them was updated, too.
    for (std::int64_t id = 1; id <= created; ++id) ledger.add(Outcome::kCreated, id);
    const auto in_all = static_cast<std::uint64_t>(created + 750);
    EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v")), std::to_string(in_all));
    EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v", {}, {Outcome::kCreated})),
              std::to_string(created));
    EXPECT_EQ(presence("t", ledger).named, in_all);
  }
}

// Few ranges are listed, and counted in parts.
TEST_F(PostgresAggregates, OfFewRangesCountEachRowOnce) {
  database_.sql(
      "CREATE TABLE t (id bigint PRIMARY KEY, v int);"
      "INSERT INTO t SELECT i, 1 FROM generate_series(-10, 260000) AS i;"
      "INSERT INTO t VALUES (-9223372036854775808, 1), (9223372036854775807, 1)");
  Ledger ledger(RowIdKind::kInteger);
  for (std::int64_t id = 1; id <= 230'000; ++id) ledger.add(Outcome::kCreated, id);
  for (std::int64_t id = 229'991; id <= 250'000; ++id) ledger.add(Outcome::kUpdated, id);
  ledger.add(Outcome::kUpdated, 259'999)
      .add(Outcome::kFailed, 5)
      .add(Outcome::kCreated, INT64_MIN)
      .add(Outcome::kCreated, INT64_MAX)
      .add(Outcome::kCreated, INT64_MAX - 1);  // Not there.
  EXPECT_EQ(presence("t", ledger).named, 250'004u);
  EXPECT_EQ(presence("t", ledger).present, 250'003u);
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v")), "250003");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v", {}, {Outcome::kUpdated})), "20011");
  database_.sql("DELETE FROM t WHERE id IN (1, 100000, 100001, 250000)");
  EXPECT_EQ(presence("t", ledger).present, 249'999u);
}

TEST_F(PostgresAggregates, TellIdsThatLieCloseTogetherFromTheirNeighbours) {
  database_.sql(
      "CREATE TABLE t (id int PRIMARY KEY, v int);"
      "INSERT INTO t SELECT i, i FROM generate_series(-3000, 3000) AS i");
  Ledger ledger(RowIdKind::kInteger);
  std::int64_t updated = 0;
  std::int64_t created = 0;
  for (std::int64_t id = -2001; id <= 2001; id += 2) {
    const bool is_new = id % 3 == 0;
    ledger.add(is_new ? Outcome::kCreated : Outcome::kUpdated, id);
    (is_new ? created : updated) += id * (id + 5000);
  }
  ledger.add(Outcome::kUpdated, 2999);  // By itself.
  ledger.add(Outcome::kUpdated, 3001);  // Not there.
  database_.sql("UPDATE t SET v = id * (id + 5000) WHERE id <> 2999");
  database_.sql("DELETE FROM t WHERE id = 1001");  // In the middle: updated.
  updated -= 1001 * 6001;
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v")),
            std::to_string(created + updated + 2999));
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v", {}, {Outcome::kCreated})),
            std::to_string(created));
  EXPECT_EQ(ask_one("t", ledger, spec(kMin, "id")), "-2001");
  EXPECT_EQ(presence("t", ledger).named, 2004u);
  EXPECT_EQ(presence("t", ledger).present, 2002u);
}

TEST_F(PostgresAggregates, TellTextsApartByTheirBytes) {
  db::TestPostgresServer::sql(
      database_.superuser_url(),
      "CREATE EXTENSION citext; CREATE COLLATION anycase (provider = icu, "
      "locale = 'und-u-ks-level2', deterministic = false)");
  database_.sql(
      "CREATE TABLE t (id int PRIMARY KEY, a text COLLATE anycase, b citext, c char(4), "
      "d inet, e int[]);"
      "INSERT INTO t VALUES (1, 'b', 'B', 'x', '10.0.0.9', '{1,2}'), "
      "(2, 'B', 'b', 'x ', '10.0.0.10', '{1, 2}'), (3, 'a', 'A', 'X', NULL, NULL)");
  Ledger ledger(RowIdKind::kInteger);
  for (std::int64_t id = 1; id <= 3; ++id) ledger.add(Outcome::kCreated, id);
  for (const char* field : {"a", "b"}) {
    EXPECT_EQ(ask_one("t", ledger, spec(kCountDistinct, field)), "3") << field;
  }
  EXPECT_EQ(ask_one("t", ledger, spec(kCount, "", {"a"})), R"({"B":1,"a":1,"b":1})");
  EXPECT_EQ(ask_one("t", ledger, spec(kMin, "a")), "\"B\"");
  EXPECT_EQ(ask_one("t", ledger, spec(kMax, "b")), "\"b\"");
  EXPECT_EQ(ask_one("t", ledger, spec(kCount, "", {"c"})), R"({"X":1,"x":2})");
  EXPECT_EQ(ask_one("t", ledger, spec(kMin, "d")), "\"10.0.0.10/32\"");
  EXPECT_EQ(ask_one("t", ledger, spec(kCount, "", {"e"})), R"({"{1,2}":2,"null":1})");
}

TEST_F(PostgresAggregates, AreExactWhereAFloatWouldNotBe) {
  database_.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n numeric, big bigint, f float8, r real);"
      "INSERT INTO t VALUES (1, 1e30, 9223372036854775807, 1e300, 0.1), "
      "(2, 0.000000000000000000000000000001, 9223372036854775807, 1, 0.2), "
      "(3, 1.00, -1, -1e300, 0.3), (4, 1.0, 0, 'NaN', NULL)");
  Ledger ledger(RowIdKind::kInteger);
  for (std::int64_t id = 1; id <= 3; ++id) ledger.add(Outcome::kCreated, id);
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "n")),
            "1000000000000000000000000000001.000000000000000000000000000001");
  EXPECT_EQ(ask_one("t", ledger, spec(kAvg, "n")),
            "333333333333333333333333333333.666666666666666666666666666667");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "big")), "18446744073709551613");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "f")), "1");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "r")), "0.6");
  EXPECT_EQ(ask_one("t", ledger, spec(kMax, "r")), "0.3");
  ledger.add(Outcome::kCreated, 4);
  EXPECT_EQ(ask_one("t", ledger, spec(kCountDistinct, "n")), "3");
  EXPECT_THAT(ask_one("t", ledger, spec(kSum, "f")), HasSubstr("not finite"));
  database_.sql("UPDATE t SET n = 'NaN' WHERE id = 4");
  EXPECT_THAT(ask_one("t", ledger, spec(kSum, "n")), HasSubstr("not finite"));
  EXPECT_THAT(ask_one("t", ledger, spec(kMax, "n")), HasSubstr("not finite"));
  EXPECT_EQ(ask_one("t", ledger, spec(kMin, "n", {"id"})).substr(0, 7), "error: ");
}

TEST_F(PostgresAggregates, StopAtTooManyGroups) {
  database_.sql(
      "CREATE TABLE t (id int PRIMARY KEY);"
      "INSERT INTO t SELECT generate_series(1, 100001)");
  Ledger ledger(RowIdKind::kInteger);
  for (std::int64_t id = 1; id <= 100'000; ++id) ledger.add(Outcome::kCreated, id);
  EXPECT_THAT(ask_one("t", ledger, spec(kCount, "", {"id"})), HasSubstr("{\"1\":1,"));
  ledger.add(Outcome::kCreated, 100'001);
  const auto results = ask("t", ledger, {spec(kCount, "", {"id"}), spec(kCount)});
  EXPECT_THAT(results[0].error, HasSubstr("more than 100000 groups"));
  EXPECT_EQ(results[1].value, "100001");
}

TEST_F(PostgresAggregates, CallFunctionsOverTheRowsInTheirOrder) {
  database_.sql(
      "CREATE TABLE t (id int PRIMARY KEY, \"the text\" text, n numeric(9,3), b bytea, "
      "d timestamptz, a int[], j jsonb);"
      "INSERT INTO t SELECT i, CASE WHEN i % 7 > 0 THEN repeat('x', i % 50) END, "
      "i / 8.0, decode('00ff', 'hex'), '2024-01-31T10:30:00Z', ARRAY[i], "
      "jsonb_build_object('a', i) FROM generate_series(1, 20000) AS i");
  Ledger ledger(RowIdKind::kInteger);
  for (std::int64_t id = 20'000; id >= 1; id -= 3) ledger.add(Outcome::kUpdated, id);
  resource_ = {};
  (void)ask("t", ledger, {});
  resource_.aggregates["sum"].function = [](JobRows& rows) {
    std::string last;
    std::int64_t count = 0;
    std::int64_t id = 0;
    bool ordered = true;
    while (rows.next()) {
      ordered = ordered && *rows.value("id").integer() > id;
      id = *rows.value("id").integer();
      ++count;
      if (id == 8) {
        last = std::string(rows.value("the text").text()) + "|" +
               std::string(rows.value("n").text()) + "|" +
               std::to_string(rows.value("b").text().size()) + "|" +
               std::string(rows.value("d").text()) + "|" +
               std::string(rows.value("a").text()) + "|" +
               std::string(rows.value("j").text());
      }
    }
    return Json::text(std::to_string(count) + (ordered ? " ordered " : " mixed ") + last);
  };
  resource_.aggregates["throws"].function = [](JobRows& rows) -> Json {
    rows.next();
    return Json::text(rows.value("nothing").text());
  };
  AggregateSpec sum = spec(kCustom);
  sum.function = "sum";
  AggregateSpec throws = sum;
  throws.function = "throws";
  const auto results = ask("t", ledger, {sum, throws, spec(kCount)});
  EXPECT_EQ(results[0].value,
            R"("6667 ordered xxxxxxxx|1|2|2024-01-31T10:30:00Z|{8}|{\"a\": 8}")");
  EXPECT_THAT(results[1].error, HasSubstr("no field \"nothing\""));
  EXPECT_EQ(results[2].value, "6667");
}

TEST_F(PostgresAggregates, OfNothingAreZeroAndNull) {
  database_.sql(
      "CREATE TABLE t (id int PRIMARY KEY, v int, f float8);"
      "CREATE TABLE plain (v int)");
  Ledger ledger(RowIdKind::kInteger);
  ledger.add(Outcome::kFailed, 0).add(Outcome::kDeleted, 5);
  EXPECT_EQ(ask_one("t", ledger, spec(kCount)), "1");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v")), "null");
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "f")), "null");
  EXPECT_EQ(ask_one("t", ledger, spec(kCount, "", {"v"})), "{}");
  resource_.aggregates["rows"].function = [](JobRows& rows) {
    return Json::text(rows.next() ? "some" : "none");
  };
  AggregateSpec custom = spec(kCustom);
  custom.function = "rows";
  EXPECT_EQ(ask_one("t", ledger, custom), "\"none\"");
  EXPECT_EQ(presence("t", ledger).named, 0u);

  resource_ = {};
  Ledger nameless(RowIdKind::kNone);
  nameless.add(Outcome::kCreated, 0).add(Outcome::kCreated, 0);
  EXPECT_EQ(ask_one("plain", nameless, spec(kCount)), "2");
  EXPECT_THAT(ask_one("plain", nameless, spec(kSum, "v")), HasSubstr("no primary key"));
  EXPECT_EQ(presence("plain", nameless).present, 2u);
}

TEST_F(PostgresAggregates, LeaveOutRowsOfTablesThatInherit) {
  database_.sql(
      "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1);"
      "CREATE TABLE child () INHERITS (t); INSERT INTO child VALUES (1, 10)");
  Ledger ledger(RowIdKind::kInteger);
  ledger.add(Outcome::kCreated, 1);
  EXPECT_EQ(ask_one("t", ledger, spec(kSum, "v")), "1");
}

TEST_F(PostgresAggregates, MayBeAskedAgainInTheSameTransaction) {
  database_.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
  Ledger ledger(RowIdKind::kInteger);
  ledger.add(Outcome::kCreated, 1).add(Outcome::kCreated, 2);
  auto transaction = database_->begin_read();
  db::PostgresConnection& connection = db::postgres(*transaction.value());
  const PostgresTable table = read_postgres_table(connection, "t").value();
  for (int i = 0; i < 2; ++i) {
    const auto counted = count_present_postgres(connection, table, ledger.ids(), {});
    EXPECT_EQ(counted.value().named, 2u);
    EXPECT_EQ(counted.value().present, 1u);
  }
}

TEST_F(PostgresAggregates, SayWhatTheRoleLacks) {
  database_.sql("CREATE TABLE t (id int PRIMARY KEY)");
  db::TestPostgresServer::sql(
      database_.superuser_url(),
      "DO $$BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM public, app', "
      "current_database()); END$$");
  Ledger ledger(RowIdKind::kInteger);
  ledger.add(Outcome::kCreated, 1);
  EXPECT_EQ(presence("t", ledger).named, 1u) << "a few ids take no table";
  for (std::int64_t id = 3; id < 400; id += 2) ledger.add(Outcome::kCreated, id);
  auto transaction = database_->begin_read();
  db::PostgresConnection& connection = db::postgres(*transaction.value());
  const PostgresTable table = read_postgres_table(connection, "t").value();
  const auto counted = count_present_postgres(connection, table, ledger.ids(), {});
  ASSERT_FALSE(counted.ok());
  EXPECT_EQ(counted.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(counted.error().message, HasSubstr("GRANT TEMPORARY"));
}

}  // namespace
}  // namespace tallyman
