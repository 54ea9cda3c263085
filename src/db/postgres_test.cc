#include "db/postgres.h"

#include <gtest/gtest.h>

#include <thread>

#include "db/test_postgres.h"

namespace tallyman::db {
namespace {

std::unique_ptr<PostgresConnection> connect(const TemporaryPostgres& database) {
  auto connection = PostgresConnection::open({.url = database.url()});
  CHECK(connection.ok());
  return std::move(connection).value();
}

TEST(PostgresConnection, GivesBackWhatItWasGiven) {
  TemporaryPostgres database;
  const auto connection = connect(database);
  const std::vector<std::uint8_t> bytes = {0, 1, 255};
  const std::optional<std::int64_t> nothing;
  const auto row = connection->execute(
      "SELECT $1::bigint, $2::text, $3::bytea, $4::bigint, $5::boolean", std::int64_t{-5},
      "a'b\\c", bytes, nothing, true);
  ASSERT_TRUE(row.ok()) << row.error().message;
  EXPECT_EQ(row.value().integer(0, 0), -5);
  EXPECT_EQ(row.value().text(0, 1), "a'b\\c");
  EXPECT_EQ(row.value().bytes(0, 2), bytes);
  EXPECT_TRUE(row.value().is_null(0, 3));
  EXPECT_EQ(row.value().optional_integer(0, 3), std::nullopt);
  EXPECT_TRUE(row.value().boolean(0, 4));
}

TEST(PostgresConnection, TakesArraysInBinary) {
  TemporaryPostgres database;
  const auto connection = connect(database);
  PostgresArray texts(kTextOid);
  texts.add("one");
  texts.add_null();
  texts.add("");
  PostgresArray none(kInt4Oid);
  PostgresParams params;
  const std::vector<std::int64_t> integers = {7, -9'000'000'000};
  params.add_integers(integers);
  params.add_view(kTextArrayOid, texts.wire());
  params.add_view(kInt4ArrayOid, none.wire());
  const auto row =
      connection->execute_params("SELECT $1::text, $2::text, $3::text", params);
  ASSERT_TRUE(row.ok()) << row.error().message;
  EXPECT_EQ(row.value().text(0, 0), "{7,-9000000000}");
  EXPECT_EQ(row.value().text(0, 1), "{one,NULL,\"\"}");
  EXPECT_EQ(row.value().text(0, 2), "{}");
}

TEST(PostgresConnection, GivesArraysInBinary) {
  TemporaryPostgres database;
  const auto connection = connect(database);
  const auto row = connection->execute_params(
      "SELECT array_agg(v), array_agg(nullif(v, 2)), array_agg(v) FILTER (WHERE false), "
      "array_agg(ARRAY[v, 10 * v]), ARRAY (SELECT 1 WHERE false) "
      "FROM generate_series(1, 3) AS v",
      PostgresParams(), true);
  ASSERT_TRUE(row.ok()) << row.error().message;
  std::vector<std::int64_t> elements;
  const auto take = [&](std::string_view wire) {
    elements.push_back(read_wire_integer(wire));
  };
  EXPECT_FALSE(has_null_element(row.value().text(0, 0)));
  for_each_element(row.value().text(0, 0), take);
  EXPECT_EQ(elements, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_TRUE(has_null_element(row.value().text(0, 1)));
  EXPECT_FALSE(has_null_element(row.value().text(0, 2)));
  for_each_element(row.value().text(0, 2), take);
  EXPECT_EQ(elements.size(), 3U);  // Of no rows there is no array.
  for_each_element(row.value().text(0, 4), take);
  EXPECT_EQ(elements.size(), 3U);
  elements.clear();
  for_each_element(row.value().text(0, 3), take);
  EXPECT_EQ(elements, (std::vector<std::int64_t>{1, 10, 2, 20, 3, 30}));
}

TEST(PostgresConnection, NoPartOfAPasswordIsShown) {
  for (const char* url :
       {"postgresql://app:top@secret@localhost/x",
        "postgresql://app:top/secret@localhost/x",
        "postgresql://app:12/secret@localhost/x",
        "postgresql://app:top%secret@localhost/x", "postgresql://app:secret@[::1/x",
        "postgresql://app:secret@localhost:x/x",
        "postgresql://app:secret@localhost/x?nothing=1",
        "host=localhost password='secret", "postgresql://app:secret@localhost:1/x"}) {
    const auto refused = PostgresConnection::open({.url = url});
    ASSERT_FALSE(refused.ok()) << url;
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos)
        << refused.error().message;
    EXPECT_EQ(refused.error().message.find("top"), std::string::npos)
        << refused.error().message;
  }
}

TEST(PostgresConnection, FailuresAreSortedAndQuoteNoValue) {
  TemporaryPostgres database;
  database.sql("CREATE TABLE people (id int PRIMARY KEY, age int CHECK (age > 0))");
  const auto connection = connect(database);
  const auto malformed = connection->execute("SELECT $1::int", "secret");
  ASSERT_FALSE(malformed.ok());
  EXPECT_EQ(malformed.error().code, ErrorCode::kInternal);
  EXPECT_EQ(malformed.error().message.find("secret"), std::string::npos);
  EXPECT_EQ(connection->failure().sqlstate, "22P02");

  const auto check = connection->execute("INSERT INTO people VALUES ($1, $2)", 1, -1);
  ASSERT_FALSE(check.ok());
  EXPECT_EQ(check.error().code, ErrorCode::kConflict);
  EXPECT_EQ(connection->failure().constraint, "people_age_check");
  EXPECT_EQ(connection->execute("SELECT 1 FROM nowhere").error().code,
            ErrorCode::kNotFound);
  EXPECT_TRUE(connection->is_idle());
}

TEST(PostgresConnection, CopyCountsItsRows) {
  TemporaryPostgres database;
  database.sql("CREATE TABLE people (id int PRIMARY KEY)");
  const auto connection = connect(database);
  auto begun = connection->copy_in("COPY people FROM STDIN");
  ASSERT_TRUE(begun.ok());
  PostgresCopyIn copy = std::move(begun).value();
  ASSERT_TRUE(copy.write("1\n2\n").ok());
  ASSERT_TRUE(copy.write("3\n").ok());
  const auto rows = copy.finish();
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows.value(), 3);
}

TEST(PostgresConnection, CopyThatIsRefusedSaysWhyAtItsEnd) {
  TemporaryPostgres database;
  database.sql("CREATE TABLE people (id int PRIMARY KEY)");
  const auto connection = connect(database);
  auto begun = connection->copy_in("COPY people FROM STDIN");
  ASSERT_TRUE(begun.ok());
  PostgresCopyIn copy = std::move(begun).value();
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += "1\n";
  for (int i = 0; i < 50; ++i) {
    if (!copy.write(lines).ok()) break;
  }
  const auto rows = copy.finish();
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, ErrorCode::kConflict);
  EXPECT_EQ(connection->failure().constraint, "people_pkey");
  EXPECT_TRUE(connection->is_idle());
}

TEST(PostgresConnection, ACopyThatIsLeftGivesTheConnectionUp) {
  TemporaryPostgres database;
  database.sql("CREATE TABLE people (id int PRIMARY KEY)");
  const auto connection = connect(database);
  {
    auto copy = connection->copy_in("COPY people FROM STDIN");
    ASSERT_TRUE(copy.ok());
  }
  EXPECT_FALSE(connection->is_usable());
  EXPECT_EQ(connection->exec("SELECT 1").error().code, ErrorCode::kUnavailable);
}

TEST(PostgresConnection, AConnectionThatIsKilledIsUnavailable) {
  TemporaryPostgres database;
  const auto connection = connect(database);
  const auto other = connect(database);
  ASSERT_TRUE(
      other->execute("SELECT pg_terminate_backend($1)", connection->backend_pid()).ok());
  const auto answer = connection->exec("SELECT 1");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(connection->is_usable());
}

TEST(PostgresConnection, AnAnswerThatDoesNotComeGivesTheConnectionUp) {
  TemporaryPostgres database;
  auto connection = PostgresConnection::open(
      {.url = database.url(), .answer_time = std::chrono::milliseconds(50)});
  ASSERT_TRUE(connection.ok());
  const auto answer = connection.value()->exec("SELECT pg_sleep(1)");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(connection.value()->is_usable());
}

TEST(PostgresConnection, AWrongPasswordOrDatabaseIsForGood) {
  TemporaryPostgres database;
  std::string url = database.url();
  url.replace(url.find("test_"), 5, "toast_");
  const auto connection = PostgresConnection::open({.url = url});
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.error().code, ErrorCode::kInvalidArgument);
  const auto nobody =
      PostgresConnection::open({.url = "postgresql://x@/y?host=/nonexistent"});
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code, ErrorCode::kUnavailable);
}

TEST(PostgresConnection, HearsNotifications) {
  TemporaryPostgres database;
  const auto connection = connect(database);
  const auto other = connect(database);
  ASSERT_TRUE(connection->exec("LISTEN tallyman").ok());
  EXPECT_FALSE(connection->wait_for_notification(std::chrono::milliseconds(1)).value());
  ASSERT_TRUE(other->exec("NOTIFY tallyman, 'unit'").ok());
  const auto heard = connection->wait_for_notification(std::chrono::seconds(5)).value();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->channel, "tallyman");
  EXPECT_EQ(heard->payload, "unit");
  EXPECT_EQ(heard->sender, other->backend_pid());
}

TEST(PostgresFailure, SaysWhatPasses) {
  for (const char* state :
       {"40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "53100", "53200",
        "53300", "25006", "08006", "08001", "25P03", ""}) {
    EXPECT_TRUE(is_passing({.sqlstate = state})) << state;
  }
  for (const char* state : {"23505", "22P02", "42P01", "P0001", "25P02", "40002"}) {
    EXPECT_FALSE(is_passing({.sqlstate = state})) << state;
  }
}

TEST(PostgresQuoted, NamesAndTextsKeepTheirQuotes) {
  TemporaryPostgres database;
  const auto connection = connect(database);
  const std::string hostile = "a\"; DROP '\\ x";
  const auto row = connection->exec("SELECT " + postgres_literal(hostile) + " AS " +
                                    postgres_quoted(hostile));
  ASSERT_TRUE(row.ok()) << row.error().message;
  EXPECT_EQ(row.value().text(0, 0), hostile);
}

}  // namespace
}  // namespace tallyman::db
