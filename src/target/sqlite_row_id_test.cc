#include "target/sqlite_row_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/sqlite_test_backend.h"

namespace tallyman {
namespace {

// Inserts rows and finds each of them again by the id that was given out.
void expect_found_again(const std::string& schema, const std::string& upload,
                        const std::vector<std::string>& results) {
  SqliteTestBackend backend;
  backend.execute(schema);
  const TargetRun run =
      run_job(backend, {.table = "t", .type = ContentType::kNdjson, .upload = upload},
              1000, false);
  EXPECT_EQ(run.results, results);
  auto transaction = backend.database().begin_read();
  const auto presence =
      backend.target().count_present(*transaction.value(), run.resource, run.ids(), {});
  ASSERT_TRUE(presence.ok()) << presence.error().message;
  EXPECT_EQ(presence.value().named, results.size());
  EXPECT_EQ(presence.value().present, results.size());
}

TEST(SqliteRowId, IsTheTextOfAKeyOfOneColumn) {
  expect_found_again("CREATE TABLE t (k TEXT PRIMARY KEY)",
                     "{\"k\":\"41\"}\n{\"k\":\"it's \\\"x\\\"\"}\n{\"k\":\"\"}\n",
                     {"created 41", "created it's \"x\"", "created "});
  expect_found_again("CREATE TABLE t (k REAL PRIMARY KEY)",
                     "{\"k\":0.1}\n{\"k\":3}\n{\"k\":1e300}\n",
                     {"created 0.1", "created 3", "created 1e+300"});
  expect_found_again("CREATE TABLE t (k DECIMAL(10,2) PRIMARY KEY)",
                     "{\"k\":0.10}\n{\"k\":3.00}\n{\"k\":\"-12345678.99\"}\n",
                     {"created 0.1", "created 3", "created -12345678.99"});
  expect_found_again("CREATE TABLE t (k BLOB PRIMARY KEY)",
                     "{\"k\":\"\\\\x00ff\"}\n{\"k\":\"\\\\x\"}\n",
                     {"created \\x00ff", "created \\x"});
  expect_found_again("CREATE TABLE t (k BOOLEAN PRIMARY KEY)",
                     "{\"k\":true}\n{\"k\":false}\n", {"created 1", "created 0"});
  expect_found_again("CREATE TABLE t (k DATE PRIMARY KEY)", "{\"k\":\"2024-01-31\"}\n",
                     {"created 2024-01-31"});
}

TEST(SqliteRowId, KeepsTypesApartWhereTheColumnDoes) {
  expect_found_again(
      "CREATE TABLE t (k PRIMARY KEY)",
      "{\"k\":41}\n{\"k\":\"41\"}\n{\"k\":41.5}\n{\"k\":\"\\\\x41\"}\n",
      {"created 41", "created \"41\"", "created 41.5", R"(created "\\x41")"});
}

TEST(SqliteRowId, IsAJsonArrayOfSeveralColumns) {
  expect_found_again(
      "CREATE TABLE t (a TEXT, b INTEGER, c DECIMAL(5,2), d BLOB, PRIMARY KEY (d, c, b, "
      "a)) "
      "WITHOUT ROWID",
      "{\"a\":\"x\",\"b\":9223372036854775807,\"c\":1.5,\"d\":\"\\\\x01\"}\n"
      "{\"a\":\"[\\\"\\n\",\"b\":-1,\"c\":2,\"d\":\"\\\\x\"}\n",
      {R"(created ["\\x01",1.5,9223372036854775807,"x"])",
       R"(created ["\\x",2,-1,"[\"\n"])"});
}

TEST(SqliteRowId, OfAnotherShapeIsNone) {
  SqliteTestBackend backend;
  backend.execute("CREATE TABLE t (a TEXT, b INTEGER, PRIMARY KEY (a, b))");
  auto transaction = backend.database().begin_read();
  const SqliteTable table =
      read_sqlite_table(db::sqlite(*transaction.value()), "t").value();
  std::deque<std::string> arena;
  for (const char* text : {"", "x", "[]", "[\"x\"]", "[\"x\",1,2]", "[\"x\",null]",
                           "{\"a\":1}", "[\"x\",1"}) {
    EXPECT_EQ(parse_row_id(table, text, arena).has_value(), false) << text;
  }
}

}  // namespace
}  // namespace tallyman
