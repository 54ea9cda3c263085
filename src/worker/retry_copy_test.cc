#include "worker/retry_copy.h"

#include <gmock/gmock.h>

#include "worker/test_people.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::int64_t> parent_records(TestEngine& engine, const Job& child) {
  std::vector<std::int64_t> numbers;
  std::int64_t next = 1;
  while (true) {
    const auto some =
        must(engine.parts().ledger.parent_records(child.number, RecordNumber(next)));
    if (some.empty()) return numbers;
    for (const RecordNumber number : some) numbers.push_back(number.value());
    next += static_cast<std::int64_t>(some.size());
  }
}

TEST(RetryCopyTest, OfCsvTheFailedRecordsAreCopiedAsTheyWereSentUnderTheirHeader) {
  PeopleEngine engine;
  const Job parent = engine.complete("\"id\",age\r\n1,41\r\n2,\"old\"\r\n3,43\r\n4,500");
  const Job child = engine.retry(parent);
  EXPECT_EQ(child.state, JobState::kUploadComplete);
  EXPECT_EQ(child.total_items, 2u);
  EXPECT_EQ(child.parent, parent.id);
  EXPECT_EQ(engine.payload_text(child), "\"id\",age\n2,\"old\"\n4,500\n");
  EXPECT_THAT(parent_records(engine, child), ElementsAre(2, 4));
}

TEST(RetryCopyTest, OfNdjsonALineEach) {
  PeopleEngine engine;
  const Job parent =
      engine.complete("{\"id\": 1, \"age\": 41}\n{\"id\":2, \"age\":\"old\"}\n{broken\n",
                      TestEngine::request(ContentType::kNdjson));
  const Job child = engine.retry(parent);
  EXPECT_EQ(engine.payload_text(child), "{\"id\":2, \"age\":\"old\"}\n{broken\n");
  EXPECT_THAT(parent_records(engine, child), ElementsAre(2, 3));
}

TEST(RetryCopyTest, OfJsonAnArray) {
  PeopleEngine engine;
  const Job parent = engine.complete(
      R"([{"id": 1, "age": 41}, {"id": 2, "age": "old"}, {"id": 3,, "age": 1}])",
      TestEngine::request(ContentType::kJson));
  const Job child = engine.retry(parent);
  EXPECT_EQ(engine.payload_text(child),
            R"([{"id": 2, "age": "old"},{"id": 3,, "age": 1}])");
  EXPECT_THAT(parent_records(engine, child), ElementsAre(2, 3));
}

TEST(RetryCopyTest, OneJsonRecordWithADataArrayIsStillARecord) {
  PeopleEngine engine;
  const Job parent =
      engine.complete(R"([{"data": [1, 2]}])", TestEngine::request(ContentType::kJson));
  ASSERT_EQ(parent.counts.failed, 1u);
  const Job child = engine.retry(parent);
  EXPECT_EQ(child.total_items, 1u);
  EXPECT_EQ(engine.payload_text(child), R"([{"data": [1, 2]}])");
}

TEST(RetryCopyTest, TheRetryOfARetryRunsToItsEnd) {
  PeopleEngine engine;
  const Job parent = engine.complete("id,age\n1,41\n2,500\n3,600\n");
  const Job child = engine.retry(parent);
  engine.run_next();
  EXPECT_EQ(engine.find(child).state, JobState::kJobComplete);
  EXPECT_THAT(engine.outcomes(child),
              ElementsAre("1 failed CHECK_VIOLATION", "2 failed CHECK_VIOLATION"));
  const Job grandchild = engine.retry(engine.find(child));
  EXPECT_EQ(engine.payload_text(grandchild), "id,age\n2,500\n3,600\n");
  EXPECT_THAT(parent_records(engine, grandchild), ElementsAre(1, 2));
}

TEST(RetryCopyTest, UnprocessedRecordsAreCopiedToo) {
  PeopleEngine engine;
  JobOptions options;
  options.max_errors = 0;
  const Job parent = engine.complete(
      "id,age\n1,41\n2,500\n3,43\n",
      TestEngine::request(ContentType::kCsv, Operation::kInsert, options));
  ASSERT_EQ(parent.state, JobState::kFailed);
  const Job child = engine.retry(parent);
  EXPECT_EQ(engine.payload_text(child), "id,age\n2,500\n3,43\n");
}

TEST(RetryCopyTest, AnUploadThatWasNeverClaimedIsCopiedWhole) {
  PeopleEngine engine;
  const Job parent = engine.submit(
      "id,age\n1,41\n2,42\n", TestEngine::request(ContentType::kCsv, Operation::kUpsert));
  must(engine.service().abort(TestEngine::ann(), TestEngine::reference(parent)));
  const Job child = engine.retry(engine.find(parent));
  EXPECT_EQ(engine.payload_text(child), "id,age\n1,41\n2,42\n");
  EXPECT_EQ(child.superseded, 0u);
}

TEST(RetryCopyTest, ARecordWhoseKeyALaterOneHasAppliedIsSuperseded) {
  for (const std::uint64_t window_records : {1, 2, 1000}) {
    PeopleEngine engine;
    engine.settings.window_records = window_records;
    // 1: a later record applied. 2: an earlier one did. 3: none did.
    const Job parent =
        engine.complete("id,age\n1,500\n2,22\n3,600\n1,11\n2,700\n3,800\n",
                        TestEngine::request(ContentType::kCsv, Operation::kUpsert));
    const Job child = engine.retry(parent);
    EXPECT_EQ(engine.payload_text(child), "id,age\n3,600\n2,700\n3,800\n");
    EXPECT_EQ(child.superseded, 1u);
    EXPECT_THAT(parent_records(engine, child), ElementsAre(3, 5, 6));
  }
}

TEST(RetryCopyTest, OfAnInsertNothingIsSuperseded) {
  PeopleEngine engine;
  const Job parent = engine.complete("id,age\n1,500\n1,11\n");
  const Job child = engine.retry(parent);
  EXPECT_EQ(engine.payload_text(child), "id,age\n1,500\n");
  EXPECT_EQ(child.superseded, 0u);
}

TEST(RetryCopyTest, RecordsThatCannotStandAmongOthersStayBehind) {
  ServiceSettings settings;
  settings.record_bytes_max = 64;
  PeopleEngine engine(settings);
  const std::string large(100, '7');
  const Job parent =
      engine.complete("id,age\n1,old\n2," + large + "\n3,4,5\n4,\"never closed\n5,50\n");
  ASSERT_THAT(
      engine.outcomes(parent),
      ElementsAre("1 failed INVALID_TYPE age", "2 failed RECORD_TOO_LARGE",
                  "3 failed MALFORMED_RECORD", "4 failed MALFORMED_RECORD", "5 created"));
  const Job child = engine.retry(parent);
  EXPECT_EQ(engine.payload_text(child), "id,age\n1,old\n3,4,5\n");
  EXPECT_THAT(parent_records(engine, child), ElementsAre(1, 3));
}

TEST(RetryCopyTest, BegunAgainAfterACrashItIsTheSame) {
  PeopleEngine engine;
  const Job parent = engine.complete("id,age\n1,41\n2,old\n3,500\n");
  const Job child =
      must(engine.service().retry(TestEngine::ann(), TestEngine::reference(parent), {}));
  ASSERT_EQ(child.state, JobState::kOpen);
  // What a first worker has left behind: half a payload and more of the parent's numbers.
  {
    const auto writer = must(engine.parts().payloads.create(child.id));
    must(writer->append("id,age\n2,o"));
    must(writer->checkpoint("half"));
  }
  must(engine.parts().ledger.add_parent_records(
      child.number, RecordNumber(1),
      {RecordNumber(2), RecordNumber(3), RecordNumber(4)}));
  must(engine.parts().jobs.claim_retry("dead", limits::kLeaseTime));
  engine.clock.advance(limits::kLeaseTime + std::chrono::milliseconds(1));
  engine.copy_retry();
  EXPECT_EQ(engine.payload_text(child), "id,age\n2,old\n3,500\n");
  EXPECT_THAT(parent_records(engine, child), ElementsAre(2, 3));
}

TEST(RetryCopyTest, StoppedItLeavesTheChildOpenForAnother) {
  PeopleEngine engine;
  const Job parent = engine.complete("id,age\n1,old\n");
  const Job child =
      must(engine.service().retry(TestEngine::ann(), TestEngine::reference(parent), {}));
  StopFlag stop;
  stop.raise();
  const auto claim = must(engine.parts().jobs.claim_retry("worker", limits::kLeaseTime));
  ASSERT_TRUE(claim.has_value());
  const auto stopped = RetryCopy(engine.parts(), engine.settings, stop, *claim).run();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(engine.find(child).state, JobState::kOpen);
  must(engine.parts().jobs.release(*claim));
  engine.copy_retry();
  EXPECT_EQ(engine.payload_text(child), "id,age\n1,old\n");
}

TEST(RetryCopyTest, WhereTheParentsRecordsAreGoneTheChildIsAbortedAndSaysSo) {
  PeopleEngine engine;
  const Job parent = engine.complete("id,age\n1,old\n");
  const Job child =
      must(engine.service().retry(TestEngine::ann(), TestEngine::reference(parent), {}));
  must(engine.parts().payloads.remove(parent.id));
  engine.copy_retry();
  EXPECT_EQ(engine.find(child).state, JobState::kAborted);
  EXPECT_THAT(engine.find(child).message, HasSubstr("cannot be copied"));
}

}  // namespace
}  // namespace tallyman
