// What one owner may have: limits::kOpenJobsPerOwnerMax and kStoredBytesPerOwnerMax, at
// each of them and one above; and kDeleteKeysMax.
#include <gmock/gmock.h>

#include "service/test_calls.h"
#include "worker/sweeper.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

constexpr std::string_view kText = "id,name\n1,Anna\n2,Bea\n3,Cem\n";
constexpr std::uint64_t kBytes = kText.size();

ServiceSettings with_open_jobs(std::uint64_t max) {
  ServiceSettings settings;
  settings.open_jobs_per_owner_max = max;
  return settings;
}

ServiceSettings with_stored_bytes(std::uint64_t max) {
  ServiceSettings settings;
  settings.stored_bytes_per_owner_max = max;
  return settings;
}

class OwnerLimitsTest : public testing::Test {
 protected:
  void start(ServiceSettings settings) {
    settings_ = settings;
    engine_ = std::make_unique<TestEngine>(kPeople, settings);
  }
  JobService& service() { return engine_->service(); }

  Result<Job> create(const std::string& owner = "ann") {
    return service().create(caller(owner), TestEngine::request());
  }
  Result<Job> submit(std::string_view text, const std::string& owner = "ann",
                     std::size_t step = 1 << 20) {
    return service().submit(caller(owner), TestEngine::request(),
                            text_source(text, step));
  }
  Result<std::uint64_t> append(const Job& job, std::uint64_t offset,
                               std::string_view text, std::size_t step = 1 << 20) {
    return service().append(caller(job.owner), TestEngine::reference(job),
                            {.offset = offset}, text_source(text, step));
  }
  std::uint64_t offset(const Job& job) {
    return must(service().upload_offset(caller(job.owner), TestEngine::reference(job)));
  }
  std::size_t jobs() { return must(engine_->parts().jobs.list({})).size(); }

  ServiceSettings settings_;
  std::unique_ptr<TestEngine> engine_;
};

// --- Open jobs ------------------------------------------------------------------------

TEST_F(OwnerLimitsTest, EveryWayToStartAJobKeepsToTheLimitOfOpenJobs) {
  start(with_open_jobs(2));
  const Job failed = engine_->complete("id,name\nx,Anna\n");
  const Job open = must(create());
  const Job waiting = must(submit(kText));
  EXPECT_EQ(refusal(ErrorCode::kTooMany, create()), "TOO_MANY_OPEN_JOBS");
  EXPECT_EQ(refusal(ErrorCode::kTooMany, submit(kText)), "TOO_MANY_OPEN_JOBS");
  const auto retried = service().retry(caller("ann"), TestEngine::reference(failed), {});
  EXPECT_EQ(refusal(ErrorCode::kTooMany, retried), "TOO_MANY_OPEN_JOBS");
  EXPECT_THAT(retried.error().message, HasSubstr("open_jobs_per_owner_max"));
  EXPECT_EQ(jobs(), 3u) << "nothing is left of what was refused";

  EXPECT_TRUE(create("bob").ok());
  // Who retries another's job does it as its owner.
  const Caller admin = caller("root", {"*", "admin"});
  EXPECT_EQ(refusal(ErrorCode::kTooMany,
                    service().retry(admin, TestEngine::reference(failed), {})),
            "TOO_MANY_OPEN_JOBS");
  must(service().abort(caller("ann"), TestEngine::reference(open)));
  EXPECT_TRUE(service().retry(admin, TestEngine::reference(failed), {}).ok());
  EXPECT_FALSE(create().ok());
  engine_->run_next();
  EXPECT_EQ(engine_->find(waiting).state, JobState::kJobComplete);
  EXPECT_TRUE(create().ok());
}

TEST_F(OwnerLimitsTest, AnIdempotencyKeySentAgainIsNotOneMore) {
  start(with_open_jobs(1));
  JobRequest request = TestEngine::request();
  request.idempotency_key = "k";
  const Job job = must(service().submit(caller("ann"), request, text_source(kText)));
  EXPECT_EQ(must(service().submit(caller("ann"), request, text_source(kText))).id,
            job.id);
}

// --- Stored bytes ---------------------------------------------------------------------

TEST_F(OwnerLimitsTest, UploadsAreTakenUpToTheLimitAndNotAByteMore) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, kText.size()}) {
    start(with_stored_bytes(2 * kBytes));
    must(submit(kText, "ann", step));
    const auto above = submit(std::string(kText) + "4", "ann", step);
    EXPECT_EQ(refusal(ErrorCode::kTooLarge, above), "STORED_BYTES_EXCEEDED");
    EXPECT_THAT(above.error().message, HasSubstr("stored_bytes_per_owner_max"));
    EXPECT_EQ(must(engine_->parts().payloads.list()).size(), 1u);
    EXPECT_TRUE(submit(std::string(kText) + "4", "bob", step).ok());
    EXPECT_TRUE(submit(kText, "ann", step).ok()) << "to the last byte";
    EXPECT_FALSE(submit("i", "ann", step).ok());
  }
}

TEST_F(OwnerLimitsTest, WhatIsAnnouncedIsRefusedBeforeItIsReadOrAJobIsMade) {
  start(with_stored_bytes(kBytes));
  JobRequest request = TestEngine::request();
  request.announced_bytes = kBytes + 1;
  const ByteSource never = [](std::span<char>) -> Result<std::size_t> {
    ADD_FAILURE() << "it was read";
    return std::size_t{0};
  };
  EXPECT_EQ(
      refusal(ErrorCode::kTooLarge, service().submit(caller("ann"), request, never)),
      "STORED_BYTES_EXCEEDED");
  EXPECT_EQ(jobs(), 0u);

  const Job job = must(create());
  const auto part = service().append(caller("ann"), TestEngine::reference(job),
                                     {.announced_bytes = kBytes + 1}, never);
  EXPECT_EQ(refusal(ErrorCode::kTooLarge, part), "STORED_BYTES_EXCEEDED");
  request.announced_bytes = kBytes;
  EXPECT_TRUE(service().submit(caller("ann"), request, text_source(kText)).ok());
}

TEST_F(OwnerLimitsTest, APartThatPassesItLeavesTheUploadWhereItWas) {
  start(with_stored_bytes(kBytes));
  const Job job = must(create());
  EXPECT_EQ(must(append(job, 0, kText.substr(0, 20))), 20u);
  const std::string rest = std::string(kText.substr(20)) + "4";
  EXPECT_EQ(refusal(ErrorCode::kTooLarge, append(job, 20, rest, 3)),
            "STORED_BYTES_EXCEEDED");
  EXPECT_EQ(offset(job), 20u);
  EXPECT_EQ(must(append(job, 20, kText.substr(20), 3)), kBytes);
  EXPECT_EQ(
      must(service().complete(caller("ann"), TestEngine::reference(job))).total_items,
      3u);
}

TEST_F(OwnerLimitsTest, UploadsThatAreNotCompleteCountUntilTheyGo) {
  start(with_stored_bytes(kBytes));
  const Job aborted = must(create());
  must(append(aborted, 0, kText.substr(0, 10)));
  EXPECT_FALSE(submit(kText).ok());
  must(service().abort(caller("ann"), TestEngine::reference(aborted)));
  must(submit(kText.substr(0, 15)));
  EXPECT_FALSE(submit(kText.substr(0, 15)).ok());

  // One that time takes away: the service is not told.
  const Job forgotten = must(create());
  must(append(forgotten, 0, kText.substr(0, 10)));
  EXPECT_FALSE(submit(kText.substr(0, 8)).ok());
  engine_->clock.advance(engine_->settings.open_time_max + std::chrono::hours(1));
  must(sweep(engine_->parts(), engine_->settings));
  EXPECT_TRUE(submit(kText.substr(0, 8)).ok());
}

TEST_F(OwnerLimitsTest, ARefusedUploadTakesNoRoom) {
  start(with_stored_bytes(kBytes));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(refusal(ErrorCode::kUnreadable, submit("id,nmae\n1,Anna\n")), "");
  }
  EXPECT_TRUE(submit(kText).ok());
}

TEST_F(OwnerLimitsTest, ADeletedJobAndExpiredResultsGiveTheirRoomBack) {
  start(with_stored_bytes(kBytes));
  const Job deleted = engine_->complete(kText);
  EXPECT_FALSE(submit(kText).ok());
  must(service().remove(caller("ann"), TestEngine::reference(deleted)));
  engine_->complete(kText);
  EXPECT_FALSE(submit(kText).ok());
  engine_->clock.advance(engine_->settings.results_retention + std::chrono::hours(1));
  must(sweep(engine_->parts(), engine_->settings));
  EXPECT_TRUE(submit(kText).ok());
}

TEST_F(OwnerLimitsTest, ANewProcessKnowsWhatLiesThere) {
  start(with_stored_bytes(2 * kBytes));
  must(submit(kText));
  const Job open = must(create());
  must(append(open, 0, kText.substr(0, 20)));
  const WorkerParts& parts = engine_->parts();
  JobService later(service_parts(parts), settings_);
  const auto submit_later = [&](std::string_view text) {
    return later.submit(caller("ann"), TestEngine::request(), text_source(text));
  };
  EXPECT_FALSE(submit_later(kText.substr(0, kBytes - 20 + 1)).ok());
  EXPECT_TRUE(submit_later(kText.substr(0, kBytes - 20)).ok());
}

TEST_F(OwnerLimitsTest, ARetryThatFindsNoRoomEndsWithTheReason) {
  constexpr std::string_view kBad = "id,name\nx,Anna\ny,Bea\n";
  start(with_stored_bytes(2 * kBad.size() - 1));
  const Job parent = engine_->complete(kBad);
  const Job child = engine_->retry(parent);
  EXPECT_EQ(child.state, JobState::kAborted);
  EXPECT_THAT(child.message, HasSubstr("stored_bytes_per_owner_max"));

  start(with_stored_bytes(2 * kBad.size()));
  EXPECT_EQ(engine_->retry(engine_->complete(kBad)).state, JobState::kUploadComplete);

  start(with_stored_bytes(kBad.size()));
  const Job full = engine_->complete(kBad);
  EXPECT_EQ(refusal(ErrorCode::kTooLarge,
                    service().retry(caller("ann"), TestEngine::reference(full), {})),
            "STORED_BYTES_EXCEEDED");
}

// --- Keys of a delete -----------------------------------------------------------------

TEST_F(OwnerLimitsTest, ADeleteTakesSoManyKeysAndNotOneMore) {
  ServiceSettings settings;
  settings.delete_keys_max = 3;
  start(settings);
  const std::vector<std::pair<ContentType, std::array<std::string, 2>>> uploads = {
      {ContentType::kJson, {"[1,2,3]", "[1,2,3,4]"}},
      {ContentType::kJson, {R"({"data":[1,2,3]})", R"({"data":[1,2,3,4]})"}},
      {ContentType::kNdjson, {"1\n2\n3\n", "1\n2\n3\n4"}},
      {ContentType::kCsv, {"id\n1\n2\n3\n", "id\n1\n2\n3\n4\n"}}};
  for (const auto& [type, texts] : uploads) {
    const JobRequest request = TestEngine::request(type, Operation::kDelete);
    EXPECT_TRUE(service().submit(caller("ann"), request, text_source(texts[0])).ok());
    const auto above = service().submit(caller("ann"), request, text_source(texts[1]));
    EXPECT_EQ(refusal(ErrorCode::kTooLarge, above), "TOO_MANY_KEYS");
    EXPECT_THAT(above.error().message, HasSubstr("delete_keys_max (3)"));
  }
  EXPECT_TRUE(submit("id,name\n1,a\n2,b\n3,c\n4,d\n").ok()) << "an insert has no keys";
}

TEST_F(OwnerLimitsTest, ADeleteWithTooManyKeysIsRefusedWhileItStillComes) {
  ServiceSettings settings;
  settings.delete_keys_max = 100;
  start(settings);
  std::size_t sent = 0;
  const ByteSource endless = [&](std::span<char> into) -> Result<std::size_t> {
    const std::string_view key = "7\n";
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = key[(sent + i) % 2];
    sent += into.size();
    return into.size();
  };
  const auto above = service().submit(
      caller("ann"), TestEngine::request(ContentType::kNdjson, Operation::kDelete),
      endless);
  EXPECT_EQ(refusal(ErrorCode::kTooLarge, above), "TOO_MANY_KEYS");
}

TEST_F(OwnerLimitsTest, OfAnAtomicDeleteTheSmallerLimitHolds) {
  ServiceSettings settings;
  settings.delete_keys_max = 3;
  settings.atomic_records_max = 2;
  start(settings);
  JobOptions atomic;
  atomic.atomic = true;
  const auto above = service().submit(
      caller("ann"), TestEngine::request(ContentType::kJson, Operation::kDelete, atomic),
      text_source("[1,2,3]"));
  EXPECT_EQ(refusal(ErrorCode::kTooLarge, above), "");
  EXPECT_THAT(above.error().message, HasSubstr("atomic_records_max (2)"));
}

}  // namespace
}  // namespace tallyman
