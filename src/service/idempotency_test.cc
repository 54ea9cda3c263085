// What a second request with the Idempotency-Key of a first one gets.
#include <gtest/gtest.h>

#include "service/test_calls.h"

namespace tallyman {
namespace {

constexpr std::string_view kBody = "id,name\n1,Anna\n";

class IdempotencyTest : public testing::Test {
 protected:
  static JobRequest request(std::string key = "k") {
    JobRequest made = TestEngine::request();
    made.idempotency_key = std::move(key);
    return made;
  }
  Result<Job> submit(const JobRequest& asked, std::string_view body,
                     const Caller& by = TestEngine::ann()) {
    return engine_.service().submit(by, asked, text_source(body));
  }
  std::size_t job_count() { return must(engine_.parts().jobs.list({})).size(); }

  TestEngine engine_{kPeople};
};

TEST_F(IdempotencyTest, TheSameKeyWithTheSameBodyIsTheSameJob) {
  const Job first = must(submit(request(), kBody));
  EXPECT_EQ(must(submit(request(), kBody)).id, first.id);
  engine_.run_next();
  const Job after = must(submit(request(), kBody));
  EXPECT_EQ(after.id, first.id);
  EXPECT_EQ(after.state, JobState::kJobComplete);
  EXPECT_EQ(job_count(), 1u);
}

TEST_F(IdempotencyTest, HowTheBodyIsCutDoesNotMatter) {
  const Job first = must(submit(request(), kBody));
  for (std::size_t step = 1; step < kBody.size(); ++step) {
    EXPECT_EQ(must(engine_.service().submit(TestEngine::ann(), request(),
                                            text_source(kBody, step)))
                  .id,
              first.id);
  }
}

TEST_F(IdempotencyTest, TheSameKeyWithAnotherBodyIsRefusedAndChangesNothing) {
  const Job first = must(submit(request(), kBody));
  for (const std::string_view body : {"id,name\n1,Berta\n", "id,name\n1,Anna", ""}) {
    EXPECT_EQ(refusal(ErrorCode::kConflict, submit(request(), body)),
              "IDEMPOTENCY_KEY_REUSED");
  }
  EXPECT_EQ(engine_.find(first).state, JobState::kUploadComplete);
  EXPECT_EQ(engine_.payload_text(first), kBody);
}

TEST_F(IdempotencyTest, TheSameKeyWithOtherOptionsOrAnotherOperationIsRefused) {
  must(submit(request(), kBody));
  JobRequest atomic = request();
  atomic.options.atomic = true;
  JobRequest upsert = request();
  upsert.operation = Operation::kUpsert;
  for (const JobRequest& other : {atomic, upsert}) {
    EXPECT_EQ(refusal(ErrorCode::kConflict, submit(other, kBody)),
              "IDEMPOTENCY_KEY_REUSED");
    EXPECT_EQ(
        refusal(ErrorCode::kConflict, engine_.service().create(TestEngine::ann(), other)),
        "IDEMPOTENCY_KEY_REUSED");
  }
}

TEST_F(IdempotencyTest, AnotherKeyNoKeyAndAnotherOwnerAreAnotherJob) {
  must(submit(request(), kBody));
  must(submit(request("other"), kBody));
  must(submit(request(""), kBody));
  must(submit(request(""), kBody));
  must(submit(request(), kBody, caller("bob")));
  EXPECT_EQ(job_count(), 5u);
}

TEST_F(IdempotencyTest, WhileTheFirstIsStillArrivingTheSecondIsToWait) {
  std::string second;
  auto rest = text_source(kBody);
  const Job job = must(engine_.service().submit(
      TestEngine::ann(), request(), [&](std::span<char> into) -> Result<std::size_t> {
        if (second.empty()) {
          second = refusal(ErrorCode::kConflict, submit(request(), kBody));
        }
        return rest(into);
      }));
  EXPECT_EQ(second, "UPLOAD_IN_PROGRESS");
  EXPECT_EQ(job.state, JobState::kUploadComplete) << "the first was not disturbed";
  EXPECT_EQ(engine_.payload_text(job), kBody);
}

TEST_F(IdempotencyTest, AFirstTryThatACrashLeftOpenStartsAgainFromTheBeginning) {
  const Job open = must(engine_.service().create(TestEngine::ann(), request()));
  must(engine_.service().append(TestEngine::ann(), TestEngine::reference(open), {},
                                text_source("id,name\n9,Half")));
  const Job job = must(submit(request(), kBody));
  EXPECT_EQ(job.id, open.id);
  EXPECT_EQ(job.state, JobState::kUploadComplete);
  EXPECT_EQ(engine_.payload_text(job), kBody);
  EXPECT_EQ(must(submit(request(), kBody)).id, open.id) << "and is known from then on";
}

TEST_F(IdempotencyTest, AFirstTryThatWasRefusedLeavesItsKeyFree) {
  const auto refused = submit(request(), "id,nmae\n1,Anna\n");
  EXPECT_EQ(refusal(ErrorCode::kUnreadable, refused), "") << "the header's misspelling";
  const Job job = must(submit(request(), kBody));
  EXPECT_EQ(job.state, JobState::kUploadComplete);
  EXPECT_EQ(job_count(), 2u);
}

TEST_F(IdempotencyTest, AFirstTryThatBrokeOffLeavesItsKeyFree) {
  const auto broken = engine_.service().submit(TestEngine::ann(), request(),
                                               broken_source("id,name\n1,An"));
  EXPECT_FALSE(broken.ok());
  EXPECT_EQ(engine_.payload_text(must(submit(request(), kBody))), kBody);
}

TEST_F(IdempotencyTest, AnOpenJobIsGivenAgainToWhoeverCreatesItAgain) {
  const Job first = must(engine_.service().create(TestEngine::ann(), request()));
  EXPECT_EQ(must(engine_.service().create(TestEngine::ann(), request())).id, first.id);
  EXPECT_EQ(job_count(), 1u);
}

TEST_F(IdempotencyTest, ARetryWithTheSameKeyIsTheSameRetry) {
  const Job parent = engine_.complete("id,name,age\n1,Anna,old\n");
  const Job other = engine_.complete("id,name,age\n2,Bea,old\n");
  const auto retry = [&](const Job& job) {
    return engine_.service().retry(TestEngine::ann(), TestEngine::reference(job),
                                   "again");
  };
  const Job first = must(retry(parent));
  EXPECT_EQ(must(retry(parent)).id, first.id);
  EXPECT_EQ(refusal(ErrorCode::kConflict, retry(other)), "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(refusal(ErrorCode::kConflict, submit(request("again"), kBody)),
            "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(refusal(ErrorCode::kConflict,
                    engine_.service().create(TestEngine::ann(), request("again"))),
            "IDEMPOTENCY_KEY_REUSED");
}

}  // namespace
}  // namespace tallyman
