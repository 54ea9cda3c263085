#include "payload/postgres_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "payload/test_postgres_place.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

const JobId kJob{Uuid({1, 2, 3})};

class PostgresPayload : public testing::Test {
 protected:
  // Three batches, of bytes that do not compress, and a part that is not full.
  static std::string upload() {
    std::string bytes((6 << 20) + 12'345, '\0');
    std::uint32_t state = 3;
    for (char& byte : bytes) {
      byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    }
    return bytes;
  }

  static std::string read_all(PayloadReader& reader) {
    std::string bytes(reader.bytes(), '\0');
    EXPECT_TRUE(reader.read(0, bytes).ok());
    return bytes;
  }

  void seal(const std::string& bytes) {
    const auto writer = store_->create(kJob).value();
    ASSERT_TRUE(writer->append(bytes).ok());
    writer->add_pieces({{0, bytes.size(), 0, 10}});
    ASSERT_TRUE(writer->seal().ok());
  }

  // Whoever wants the payload is told that it is damaged, and in what.
  void expect_damaged(const std::string& what) {
    auto reader = store_->open(kJob);
    auto read = reader.ok() ? Result<void>() : reader.error();
    if (reader.ok()) {
      std::string bytes(reader.value()->bytes(), '\0');
      read = reader.value()->read(0, bytes);
    }
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::kInternal);
    EXPECT_THAT(read.error().message, HasSubstr(what));
    EXPECT_THAT(read.error().message, HasSubstr(kJob.to_string()));
  }

  PostgresPlace place_;
  std::unique_ptr<PayloadStore> store_ = place_.open();
};

TEST_F(PostgresPayload, ItsTablesAreMadeOnceByAnyNumberOfProcesses) {
  db::TemporaryPostgres database;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto prepared = prepare_postgres_payload_schema(*database);
      EXPECT_TRUE(prepared.ok()) << prepared.error().message;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(prepare_postgres_payload_schema(*database).ok());
}

TEST_F(PostgresPayload, TablesOfANewerVersionAreRefused) {
  place_.database().sql("UPDATE tallyman.payload_version SET version = version + 1");
  const auto prepared = prepare_postgres_payload_schema(*place_.database());
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(prepared.error().message, HasSubstr("newer"));
}

TEST_F(PostgresPayload, CompressesWhatCanBe) {
  seal(std::string(8 << 20, 'a'));
  const auto reading = place_.database()->begin_read().value();
  const auto sizes = db::postgres(*reading)
                         .exec(
                             "SELECT count(*), sum(length(bytes)), sum(byte_count) "
                             "FROM tallyman.payload_chunk")
                         .value();
  EXPECT_EQ(sizes.integer(0, 0), 8);
  EXPECT_LT(sizes.integer(0, 1), 100'000);
  EXPECT_EQ(sizes.integer(0, 2), 8 << 20);
}

TEST_F(PostgresPayload, ReadsAnyPlaceInAnyOrder) {
  const std::string bytes = upload();
  seal(bytes);
  const auto reader = store_->open(kJob).value();
  for (const std::size_t offset :
       {6'000'000ul, 0ul, 1'048'575ul, 1'048'576ul, 3'145'727ul, bytes.size() - 1}) {
    const std::size_t length = std::min<std::size_t>(bytes.size() - offset, 2'500'000);
    std::string read(length, '\0');
    ASSERT_TRUE(reader->read(offset, read).ok());
    EXPECT_TRUE(read == bytes.substr(offset, length)) << offset;
  }
}

TEST_F(PostgresPayload, ManySmallPartsAreReadManyAtATime) {
  const auto writer = store_->create(kJob).value();
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const std::string part(1 + static_cast<std::size_t>(i) % 97,
                           static_cast<char>('a' + i % 26));
    bytes += part;
    ASSERT_TRUE(writer->append(part).ok());
    ASSERT_TRUE(writer->checkpoint("").ok());
  }
  ASSERT_TRUE(writer->seal().ok());
  EXPECT_EQ(place_.count("payload_chunk"), 300);
  const auto reader = store_->open(kJob).value();
  std::string last(1, '\0');
  ASSERT_TRUE(reader->read(0, last).ok());
  // All of them are held now: what is gone since is not missed.
  place_.database().sql("DELETE FROM tallyman.payload_chunk");
  EXPECT_EQ(read_all(*reader), bytes);
}

TEST_F(PostgresPayload, WhatACheckpointDoesNotCountIsRemovedByTheNextWriter) {
  const auto writer = store_->create(kJob).value();
  ASSERT_TRUE(writer->append(upload()).ok());
  ASSERT_TRUE(writer->cut_to_checkpoint().ok());
  EXPECT_EQ(place_.count("payload_chunk"), 0);
  ASSERT_TRUE(writer->append("first").ok());
  ASSERT_TRUE(writer->checkpoint("").ok());
  ASSERT_TRUE(writer->append(upload()).ok());
  const auto resumed = store_->resume(kJob).value();
  EXPECT_EQ(place_.count("payload_chunk"), 1);
  EXPECT_EQ(resumed.writer->offset(), 5u);
}

TEST_F(PostgresPayload, RemovingTakesEveryRowAlong) {
  seal(upload());
  ASSERT_TRUE(store_->remove(kJob).ok());
  for (const char* table : {"payload", "payload_chunk", "payload_piece"}) {
    EXPECT_EQ(place_.count(table), 0) << table;
  }
}

TEST_F(PostgresPayload, AReaderOfWhatWasRemovedIsTold) {
  seal(upload());
  const auto reader = store_->open(kJob).value();
  seal(upload());
  std::string bytes(1, '\0');
  EXPECT_EQ(reader->read(0, bytes).error().code, ErrorCode::kNotFound);
}

TEST_F(PostgresPayload, AWriterOfWhatWasRemovedIsLost) {
  const auto writer = store_->create(kJob).value();
  ASSERT_TRUE(store_->remove(kJob).ok());
  ASSERT_TRUE(writer->append("x").ok());
  EXPECT_EQ(writer->checkpoint("").error().code, ErrorCode::kLost);
}

TEST_F(PostgresPayload, WhatIsDamagedIsNamed) {
  for (const char* damage :
       {"payload_chunk SET bytes = substr(bytes, 2) WHERE first_byte = 2097152",
        "payload_chunk SET byte_count = byte_count - 1",
        "payload_chunk SET form = 7 WHERE first_byte > 5000000",
        "payload_chunk SET first_byte = first_byte + 1 WHERE first_byte = 1048576"}) {
    seal(upload());
    place_.database().sql(std::string("UPDATE tallyman.") + damage);
    expect_damaged("data");
  }
  seal(upload());
  place_.database().sql(
      "UPDATE tallyman.payload_piece SET entries = entries || ''::bytea,"
      " first_piece = 5");
  expect_damaged("index");
  seal(upload());
  place_.database().sql("UPDATE tallyman.payload SET state = substr(state, 2)");
  expect_damaged("state");
}

TEST_F(PostgresPayload, AWriterWhoseBatchIsRefusedStopsAndCanGoBack) {
  const auto writer = store_->create(kJob).value();
  ASSERT_TRUE(writer->append("first").ok());
  ASSERT_TRUE(writer->checkpoint("one").ok());
  place_.database().sql("ALTER TABLE tallyman.payload_chunk RENAME TO away");
  (void)writer->append(upload()).ok();
  EXPECT_FALSE(writer->checkpoint("two").ok());
  EXPECT_EQ(writer->append("x").error().code, ErrorCode::kUnavailable);
  place_.database().sql("ALTER TABLE tallyman.away RENAME TO payload_chunk");
  ASSERT_TRUE(writer->cut_to_checkpoint().ok());
  EXPECT_EQ(writer->offset(), 5u);
  ASSERT_TRUE(writer->append(" second").ok());
  ASSERT_TRUE(writer->seal().ok());
  EXPECT_EQ(read_all(*store_->open(kJob).value()), "first second");
}

}  // namespace
}  // namespace tallyman
