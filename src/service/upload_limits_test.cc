// The limits of an upload: at each of them, and one above.
#include <gmock/gmock.h>

#include "service/test_calls.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

constexpr std::string_view kText = "id,name\n1,Anna\n2,Bea\n3,Cem\n";

Result<Job> submit(TestEngine& engine, std::string_view text, const JobRequest& request) {
  return engine.service().submit(TestEngine::ann(), request, text_source(text));
}

TEST(UploadLimitsTest, UploadBytesMaxIsTakenAndOneMoreIsRefused) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{5}, kText.size()}) {
    for (const int above : {0, 1}) {
      ServiceSettings settings;
      settings.upload_bytes_max = kText.size() - static_cast<std::size_t>(above);
      TestEngine engine(kPeople, settings);
      const auto job = engine.service().submit(TestEngine::ann(), TestEngine::request(),
                                               text_source(kText, step));
      if (above == 0) {
        EXPECT_TRUE(job.ok());
        continue;
      }
      EXPECT_EQ(refusal(ErrorCode::kTooLarge, job), "");
      EXPECT_THAT(job.error().message, HasSubstr("upload_bytes_max (26"));
      EXPECT_TRUE(must(engine.parts().payloads.list()).empty());
    }
  }
}

TEST(UploadLimitsTest, UploadBytesMaxCountsAllParts) {
  ServiceSettings settings;
  settings.upload_bytes_max = kText.size();
  TestEngine engine(kPeople, settings);
  const Job job = must(engine.service().create(TestEngine::ann(), TestEngine::request()));
  const auto reference = TestEngine::reference(job);
  must(engine.service().append(TestEngine::ann(), reference, {},
                               text_source(kText.substr(0, 20))));
  const auto above =
      engine.service().append(TestEngine::ann(), reference, {.offset = 20},
                              text_source(std::string(kText.substr(20)) + "\n"));
  EXPECT_EQ(refusal(ErrorCode::kTooLarge, above), "");
  EXPECT_EQ(must(engine.service().upload_offset(TestEngine::ann(), reference)), 20u);
  must(engine.service().append(TestEngine::ann(), reference, {.offset = 20},
                               text_source(kText.substr(20))));
  EXPECT_EQ(must(engine.service().complete(TestEngine::ann(), reference)).total_items,
            3u);
}

TEST(UploadLimitsTest, AtomicRecordsMaxHoldsForAtomicAndDryRunJobsOnly) {
  JobOptions atomic;
  atomic.atomic = true;
  JobOptions dry_run;
  dry_run.dry_run = true;
  const JobRequest partial = TestEngine::request();
  for (const JobOptions& options : {atomic, dry_run}) {
    const JobRequest whole =
        TestEngine::request(ContentType::kCsv, Operation::kInsert, options);
    for (const int above : {0, 1}) {
      ServiceSettings settings;
      settings.atomic_records_max = static_cast<std::uint64_t>(3 - above);
      TestEngine engine(kPeople, settings);
      EXPECT_TRUE(submit(engine, kText, partial).ok());
      const auto job = submit(engine, kText, whole);
      if (above == 0) {
        EXPECT_TRUE(job.ok());
      } else {
        EXPECT_EQ(refusal(ErrorCode::kTooLarge, job), "");
        EXPECT_THAT(job.error().message, HasSubstr("atomic_records_max (2)"));
      }
    }
  }
}

TEST(UploadLimitsTest, AnAtomicJobInStepsThatIsTooLongCannotBeCompleted) {
  ServiceSettings settings;
  settings.atomic_records_max = 2;
  TestEngine engine(kPeople, settings);
  JobOptions options;
  options.atomic = true;
  const Job job = must(engine.service().create(
      TestEngine::ann(),
      TestEngine::request(ContentType::kCsv, Operation::kInsert, options)));
  const auto reference = TestEngine::reference(job);
  must(engine.service().append(TestEngine::ann(), reference, {}, text_source(kText)));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(refusal(ErrorCode::kTooLarge,
                      engine.service().complete(TestEngine::ann(), reference)),
              "");
  }
  EXPECT_EQ(engine.find(job).state, JobState::kOpen);
}

TEST(UploadLimitsTest, ARecordOfRecordBytesMaxIsReadAndOneByteMoreIsTooLarge) {
  ServiceSettings settings;
  settings.record_bytes_max = 64;
  TestEngine engine(kPeople, settings);
  const std::string fits = "1," + std::string(62, 'x');
  const std::string too_long = "2," + std::string(63, 'x');
  const Job job = engine.complete("id,name\n" + fits + "\n" + too_long + "\n3,y\n");
  EXPECT_THAT(
      engine.outcomes(job),
      testing::ElementsAre("1 created", "2 failed RECORD_TOO_LARGE", "3 created"));
}

TEST(UploadLimitsTest, ARefusedUploadIsAbortedWithItsReasonAndLeavesNoBytes) {
  TestEngine engine(kPeople);
  const auto refused = submit(engine, "id,nmae\n1,Anna\n", TestEngine::request());
  ASSERT_FALSE(refused.ok());
  const auto jobs = must(engine.parts().jobs.list({}));
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs.front().state, JobState::kAborted);
  // Of a header line without its words: they may be a record's.
  EXPECT_THAT(refused.error().message, testing::HasSubstr("nmae"));
  EXPECT_THAT(jobs.front().message, testing::HasSubstr("header line"));
  EXPECT_THAT(jobs.front().message, testing::Not(testing::HasSubstr("nmae")));
  EXPECT_TRUE(must(engine.parts().payloads.list()).empty());
}

}  // namespace
}  // namespace tallyman
