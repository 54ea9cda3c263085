#include "target/postgres_job_writer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "target/postgres_test_backend.h"

namespace tallyman {
namespace {

class PostgresJobWriterTest : public testing::Test {
 protected:
  void begin(const std::string& schema, const std::string& upload, WriteSpec spec = {}) {
    backend_.execute(schema);
    resource_ = std::move(backend_.target().introspect("t")).value();
    upload_.emplace(ContentType::kCsv, upload, resource_);
    spec.columns = upload_->columns();
    writer_ = std::move(backend_.target().make_writer(resource_, spec)).value();
  }

  std::unique_ptr<db::Transaction> transaction(
      std::chrono::milliseconds wait = std::chrono::seconds(5)) {
    auto begun = backend_.database().begin_write(wait);
    CHECK(begun.ok());
    return std::move(begun).value();
  }

  // A window of two records, as one unit.
  Result<UnitOutcomes> write(db::Transaction& transaction, std::size_t number) {
    const auto bound = writer_->bind(upload_->windows(2).at(number), SliceSet());
    return writer_->write(transaction, *bound, SliceNumber(0), WriteOptions());
  }
  Result<UnitOutcomes> write(std::size_t number) {
    const auto own = transaction();
    auto outcomes = write(*own, number);
    if (outcomes.ok()) TALLY_TRY(own->commit());
    return outcomes;
  }

  // The first window is there, and the second finds another table.
  void expect_that_nothing_more_is_written() {
    const auto second = write(1);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::kConflict) << second.error().message;
    EXPECT_EQ(backend_.query("SELECT id FROM t ORDER BY id"),
              (std::vector<std::string>{"1", "2"}));
  }

  PostgresTestBackend backend_;
  Resource resource_;
  std::optional<TestUpload> upload_;
  std::unique_ptr<JobWriter> writer_;
};

// The table is not looked at again for each unit: a trigger that is new is noticed by
// what COPY says of its rows.
TEST_F(PostgresJobWriterTest, RowsThatCopyDidNotStoreAreNotCounted) {
  begin("CREATE TABLE t (id int PRIMARY KEY, v int)", "id,v\n1,1\n2,2\n3,0\n4,4\n");
  const auto first = write(0);
  ASSERT_TRUE(first.ok()) << first.error().message;
  backend_.execute(
      "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN IF new.v = 0 THEN RETURN NULL; END IF; RETURN new; END';"
      "CREATE TRIGGER swallows BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION "
      "swallow()");
  expect_that_nothing_more_is_written();
}

// On the general path it is looked at for each unit.
TEST_F(PostgresJobWriterTest, ATableThatHasChangedIsNotWrittenAsItWas) {
  begin("CREATE TABLE t (id int PRIMARY KEY, v int)", "id,v\n1,1\n2,2\n3,3\n4,4\n",
        {.general_path = true});
  const auto first = write(0);
  ASSERT_TRUE(first.ok()) << first.error().message;
  backend_.execute("ALTER TABLE t ADD COLUMN w int DEFAULT 5");
  expect_that_nothing_more_is_written();
}

// Not by their rows, which are different ones: by their slice.
TEST_F(PostgresJobWriterTest, UnitsOfParallelJobsTakeTurns) {
  begin("CREATE TABLE t (id int PRIMARY KEY, v int)", "id,v\n1,1\n2,2\n3,3\n4,4\n",
        {.operation = Operation::kUpsert, .unique_fields = {"id"}, .parallel = true});
  const auto one = transaction();
  const auto other = transaction(std::chrono::milliseconds(100));
  ASSERT_TRUE(write(*one, 0).ok());
  const auto waited = write(*other, 1);
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code, ErrorCode::kUnavailable) << waited.error().message;
  ASSERT_TRUE(one->commit().ok());
  other->rollback();
  EXPECT_TRUE(write(1).ok());
}

// A value for each record, none more, in file order: however many a query makes at once.
TEST_F(PostgresJobWriterTest, DrawsAnIdForEachRecord) {
  for (const std::size_t count : {1U, 15U, 16U, 17U, 40U}) {
    std::string upload = "v\n";
    for (std::size_t i = 1; i <= count; ++i) upload += std::to_string(i) + "\n";
    begin("DROP TABLE IF EXISTS t; CREATE TABLE t (id bigserial PRIMARY KEY, v int)",
          upload);
    const auto bound = writer_->bind(upload_->windows(count).at(0), SliceSet());
    const auto own = transaction();
    const auto outcomes = writer_->write(*own, *bound, SliceNumber(0), WriteOptions());
    ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
    ASSERT_TRUE(own->commit().ok());
    EXPECT_EQ(backend_.query("SELECT count(*) || ' ' || count(*) FILTER (WHERE id = v) "
                             "|| ' ' || (SELECT last_value FROM t_id_seq) FROM t"),
              std::vector{fmt::format("{0} {0} {0}", count)});
  }
}

}  // namespace
}  // namespace tallyman
