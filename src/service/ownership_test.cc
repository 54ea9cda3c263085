// Who may do what with a job.
#include <gmock/gmock.h>

#include "service/test_calls.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Every call that names a job, by a caller: what it was refused with.
std::vector<std::string> all_calls(TestEngine& engine, const Caller& by,
                                   const JobReference& job, ErrorCode code) {
  JobService& service = engine.service();
  return {refusal(code, service.append(by, job, {}, text_source("x"))),
          refusal(code, service.upload_offset(by, job)),
          refusal(code, service.complete(by, job)),
          refusal(code, service.abort(by, job)),
          refusal(code, service.retry(by, job, {})),
          refusal(code, service.remove(by, job)),
          refusal(code, service.find(by, job)),
          refusal(code, service.status(by, job)),
          refusal(code, service.history(by, job)),
          refusal(code, service.find_aggregates(by, job)),
          refusal(code, service.request_aggregates(by, job.id, "{}")),
          refusal(code, open_results(service, by, job, {}))};
}

class OwnershipTest : public testing::Test {
 protected:
  TestEngine engine_{kPeople};
  Job job_ = engine_.complete("id,name\n1,Anna\n");
};

TEST_F(OwnershipTest, ToAnotherOwnerAJobIsNotThereAndAnUnknownOneLooksTheSame) {
  const JobReference unknown{
      .resource = "people",
      .id = JobId(Uuid::make_v7(engine_.clock.now(), engine_.random))};
  const std::vector<std::string> all(12, "UNKNOWN_JOB");
  EXPECT_EQ(all_calls(engine_, caller("bob"), TestEngine::reference(job_),
                      ErrorCode::kNotFound),
            all);
  EXPECT_EQ(all_calls(engine_, caller("ann"), unknown, ErrorCode::kNotFound), all);
  EXPECT_EQ(engine_.find(job_).state, JobState::kJobComplete) << "nothing was changed";
}

TEST_F(OwnershipTest, UnderAnotherResourcesPathAJobIsNotThere) {
  const auto found =
      engine_.service().find(caller("ann"), {.resource = "places", .id = job_.id});
  EXPECT_EQ(refusal(ErrorCode::kNotFound, found), "UNKNOWN_JOB");
}

TEST_F(OwnershipTest, WithoutAScopeOnesOwnJobIsForbidden) {
  const std::vector<std::string> all(12, "");  // kForbidden, and no code beside it.
  EXPECT_EQ(all_calls(engine_, caller("ann", {}), TestEngine::reference(job_),
                      ErrorCode::kForbidden),
            all);
}

TEST_F(OwnershipTest, ReadingAndRunningAreScopesOfTheirOwn) {
  const JobReference job = TestEngine::reference(job_);
  JobService& service = engine_.service();
  const Caller reader = caller("ann", {"people:read"});
  EXPECT_TRUE(service.find(reader, job).ok());
  EXPECT_EQ(refusal(ErrorCode::kForbidden, service.remove(reader, job)), "");
  EXPECT_EQ(refusal(ErrorCode::kForbidden, service.create(reader, TestEngine::request())),
            "");
  const Caller inserter = caller("ann", {"people:insert"});
  EXPECT_EQ(refusal(ErrorCode::kForbidden, service.find(inserter, job)), "");
  EXPECT_EQ(refusal(ErrorCode::kForbidden,
                    service.create(inserter, TestEngine::request(ContentType::kCsv,
                                                                 Operation::kUpsert))),
            "");
  EXPECT_TRUE(service.remove(inserter, job).ok());
}

TEST_F(OwnershipTest, AnAdministratorSeesEverybodysJobsAndNeedsAScopeToRunThem) {
  const JobReference job = TestEngine::reference(job_);
  JobService& service = engine_.service();
  const Caller admin = caller("root", {"admin"});
  EXPECT_TRUE(service.find(admin, job).ok());
  EXPECT_TRUE(open_results(service, admin, job, {}).ok());
  EXPECT_EQ(refusal(ErrorCode::kForbidden, service.remove(admin, job)), "");
  EXPECT_TRUE(service.remove(caller("root", {"admin", "*"}), job).ok());
}

TEST_F(OwnershipTest, AllScopesDoNotShowAnotherOwnersJobs) {
  JobService& service = engine_.service();
  JobFilter asks_for_anns;
  asks_for_anns.owner = "ann";
  EXPECT_THAT(must(service.list(caller("bob"), asks_for_anns)), IsEmpty());
  EXPECT_EQ(must(service.list(caller("ann"), {})).size(), 1u);
  EXPECT_EQ(must(service.list(caller("root", {"admin"}), {})).size(), 1u);
}

TEST_F(OwnershipTest, AListHoldsWhatMayBeReadAndNamesTheScopeWhereOneResourceIsAskedFor) {
  JobService& service = engine_.service();
  const Caller inserter = caller("ann", {"people:insert"});
  EXPECT_THAT(must(service.list(inserter, {})), IsEmpty());
  JobFilter people;
  people.resources = {"people"};
  EXPECT_EQ(refusal(ErrorCode::kForbidden, service.list(inserter, people)), "");
  EXPECT_EQ(must(service.list(caller("ann", {"people:read"}), people)).size(), 1u);
}

TEST_F(OwnershipTest, AResourceWithoutAnyScopeOnItIsNotThere) {
  JobService& service = engine_.service();
  EXPECT_EQ(refusal(ErrorCode::kNotFound,
                    service.create(caller("ann", {"places:*"}), TestEngine::request())),
            "UNKNOWN_RESOURCE");
  EXPECT_THAT(must(service.resources(caller("ann", {"places:*"}))), IsEmpty());
  EXPECT_EQ(must(service.resources(caller("ann", {"people:export"}))).size(), 1u);
}

TEST_F(OwnershipTest, AnEnvelopeCannotMakeAnUpsertThatTheTokenDoesNotAllow) {
  JobRequest patch = TestEngine::request(ContentType::kJson, Operation::kUpdate);
  patch.envelope_may_make_upsert = true;
  constexpr std::string_view kBody =
      R"({"unique_fields": ["id"], "data": [{"id": 7, "name": "Gus"}]})";
  JobService& service = engine_.service();
  EXPECT_EQ(
      refusal(ErrorCode::kForbidden, service.submit(caller("ann", {"people:update"}),
                                                    patch, text_source(kBody))),
      "");
  const Job job = must(service.submit(caller("ann", {"people:update", "people:upsert"}),
                                      patch, text_source(kBody)));
  EXPECT_EQ(job.operation, Operation::kUpsert);
  EXPECT_THAT(job.options.unique_fields, ElementsAre("id"));
}

}  // namespace
}  // namespace tallyman
