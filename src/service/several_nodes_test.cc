// Uploads of one job that arrive at two nodes at once: a part of each is refused, or
// taken over; none is acknowledged that is not kept.
#include <gmock/gmock.h>

#include <optional>

#include "payload/test_disk_place.h"
#include "payload/test_postgres_place.h"
#include "service/test_calls.h"

namespace tallyman {
namespace {

using testing::AnyOf;

using MakePlace = std::unique_ptr<PayloadPlace> (*)();

class SeveralNodesTest : public testing::TestWithParam<MakePlace> {
 protected:
  struct Node {
    std::unique_ptr<PayloadStore> payloads;
    std::unique_ptr<JobService> service;
  };

  Node make_node() {
    Node node{.payloads = place_->open(), .service = nullptr};
    const JobService::Parts own = service_parts(engine_.parts());
    node.service =
        std::make_unique<JobService>(JobService::Parts{.catalog = own.catalog,
                                                       .target = own.target,
                                                       .jobs = own.jobs,
                                                       .ledger = own.ledger,
                                                       .aggregates = own.aggregates,
                                                       .payloads = *node.payloads,
                                                       .clock = own.clock,
                                                       .random = own.random},
                                     ServiceSettings{});
    return node;
  }

  // The text, and before its end `meanwhile` takes place.
  static ByteSource interrupted_source(std::string_view text,
                                       std::function<void()> meanwhile) {
    return [rest = text_source(text), meanwhile = std::move(meanwhile)](
               std::span<char> into) -> Result<std::size_t> {
      TALLY_TRY_ASSIGN(const std::size_t length, rest(into));
      if (length == 0) meanwhile();
      return length;
    };
  }

  std::string text_of(const Job& job) {
    const auto payload = must(one_.payloads->open(job.id));
    std::string text(payload->bytes(), '\0');
    must(payload->read(0, text));
    return text;
  }

  const Caller ann_ = TestEngine::ann();
  TestEngine engine_{kPeople};
  std::unique_ptr<PayloadPlace> place_ = GetParam()();
  Node one_ = make_node();
  Node two_ = make_node();
};

INSTANTIATE_TEST_SUITE_P(Disk, SeveralNodesTest,
                         testing::Values([]() -> std::unique_ptr<PayloadPlace> {
                           return std::make_unique<DiskPlace>();
                         }));
INSTANTIATE_TEST_SUITE_P(Postgres, SeveralNodesTest,
                         testing::Values([]() -> std::unique_ptr<PayloadPlace> {
                           return std::make_unique<PostgresPlace>();
                         }));

TEST_P(SeveralNodesTest, PartsMayArriveAtAnyNode) {
  const Job job = must(one_.service->create(ann_, TestEngine::request()));
  const JobReference reference = TestEngine::reference(job);
  must(one_.service->append(ann_, reference, {.offset = 0}, text_source("id,name\n1,A")));
  EXPECT_EQ(must(two_.service->upload_offset(ann_, reference)), 11u);
  must(
      two_.service->append(ann_, reference, {.offset = 11}, text_source("nna\n2,Bea\n")));
  EXPECT_EQ(must(one_.service->complete(ann_, reference)).total_items, 2u);
  EXPECT_EQ(text_of(job), "id,name\n1,Anna\n2,Bea\n");
}

TEST_P(SeveralNodesTest, OfTwoPartsAtOnceOneIsKeptAndTheOtherRefused) {
  const Job job = must(one_.service->create(ann_, TestEngine::request()));
  const JobReference reference = TestEngine::reference(job);
  must(one_.service->append(ann_, reference, {.offset = 0}, text_source("id,name\n")));
  std::optional<Result<std::uint64_t>> second;
  const auto first = one_.service->append(
      ann_, reference, {.offset = 8}, interrupted_source("1,Anna\n", [&] {
        second = two_.service->append(ann_, reference, {.offset = 8},
                                      text_source("2,Beatrix\n"));
      }));
  ASSERT_NE(first.ok(), second->ok());
  EXPECT_EQ(refusal(ErrorCode::kConflict, first.ok() ? *second : first),
            "UPLOAD_IN_PROGRESS");
  must(two_.service->complete(ann_, reference));
  EXPECT_EQ(text_of(job), first.ok() ? "id,name\n1,Anna\n" : "id,name\n2,Beatrix\n");
}

TEST_P(SeveralNodesTest, AWrongOffsetDisturbsNobody) {
  const Job job = must(one_.service->create(ann_, TestEngine::request()));
  const JobReference reference = TestEngine::reference(job);
  must(one_.service->append(ann_, reference, {}, interrupted_source("id,name\n", [&] {
                              const auto refused = two_.service->append(
                                  ann_, reference, {.offset = 3}, text_source("x"));
                              EXPECT_EQ(refusal(ErrorCode::kConflict, refused),
                                        "WRONG_OFFSET");
                            })));
  EXPECT_EQ(must(two_.service->upload_offset(ann_, reference)), 8u);
}

TEST_P(SeveralNodesTest, CompletedAtOneNodeWhileAPartArrivesAtAnother) {
  const Job job = must(one_.service->create(ann_, TestEngine::request()));
  const JobReference reference = TestEngine::reference(job);
  must(one_.service->append(ann_, reference, {}, text_source("id,name\n1,Anna\n")));
  std::optional<Result<Job>> completed;
  const auto part = one_.service->append(
      ann_, reference, {.offset = 15}, interrupted_source("2,Bea\n", [&] {
        completed = two_.service->complete(ann_, reference);
      }));
  ASSERT_NE(part.ok(), completed->ok());
  if (!completed->ok()) {
    EXPECT_EQ(refusal(ErrorCode::kConflict, *completed), "UPLOAD_IN_PROGRESS");
    must(one_.service->complete(ann_, reference));
  } else {
    EXPECT_EQ(refusal(ErrorCode::kConflict, part), "UPLOAD_IN_PROGRESS");
  }
  EXPECT_EQ(text_of(job), part.ok() ? "id,name\n1,Anna\n2,Bea\n" : "id,name\n1,Anna\n");
}

// A sender that was cut off and tries again, at another node, while the first one still
// waits: neither try spoils the other's job.
TEST_P(SeveralNodesTest, OneRequestThatIsSentTwiceIsOneJob) {
  JobRequest request = TestEngine::request();
  request.idempotency_key = "monday";
  const std::string text = "id,name\n1,Anna\n";
  std::optional<Result<Job>> second;
  const auto first = one_.service->submit(ann_, request, interrupted_source(text, [&] {
                                            second = two_.service->submit(
                                                ann_, request, text_source(text));
                                          }));
  ASSERT_NE(first.ok(), second->ok());
  EXPECT_EQ(refusal(ErrorCode::kConflict, first.ok() ? *second : first),
            "UPLOAD_IN_PROGRESS");
  const Job job = first.ok() ? first.value() : second->value();
  EXPECT_EQ(job.state, JobState::kUploadComplete);
  EXPECT_EQ(text_of(job), text);
  EXPECT_EQ(must(one_.service->submit(ann_, request, text_source(text))).id, job.id);
}

}  // namespace
}  // namespace tallyman
