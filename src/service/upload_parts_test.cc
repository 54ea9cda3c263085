// Uploads that come in parts.
#include <gmock/gmock.h>

#include "service/test_calls.h"
#include "service/upload_intake.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

class UploadPartsTest : public testing::Test {
 protected:
  Job create(ContentType type = ContentType::kCsv) {
    return must(engine_.service().create(ann_, TestEngine::request(type)));
  }
  Result<std::uint64_t> append(const Job& job, std::uint64_t offset,
                               std::string_view text, bool all_or_nothing = false) {
    return engine_.service().append(ann_, TestEngine::reference(job),
                                    {.offset = offset, .all_or_nothing = all_or_nothing},
                                    text_source(text));
  }
  std::uint64_t offset(const Job& job) {
    return must(engine_.service().upload_offset(ann_, TestEngine::reference(job)));
  }
  Result<Job> complete(const Job& job) {
    return engine_.service().complete(ann_, TestEngine::reference(job));
  }

  const Caller ann_ = TestEngine::ann();
  TestEngine engine_{kPeople};
};

TEST_F(UploadPartsTest, CutAnywhereIsTheSameUpload) {
  const std::pair<ContentType, std::string> uploads[] = {
      {ContentType::kCsv, "id,name\r\n1,\"An\"\"na\r\n\"\r\n2,Bea\n3,\"open\n"},
      {ContentType::kNdjson, "{\"id\":1}\n\n{\"id\":2,\"name\":\"\\n\"}\r\n{\"id\":3"},
      {ContentType::kJson, "[{\"id\":1}, {\"name\":\"]\\\"\"},\n{\"id\":[3,]}]"}};
  for (const auto& [type, text] : uploads) {
    const Job whole = engine_.submit(text, TestEngine::request(type));
    const auto pieces = must(engine_.parts().payloads.open(whole.id))->pieces();
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      const Job job = create(type);
      EXPECT_EQ(must(append(job, 0, std::string_view(text).substr(0, cut))), cut);
      EXPECT_EQ(offset(job), cut);
      EXPECT_EQ(must(append(job, cut, std::string_view(text).substr(cut))), text.size());
      const Job completed = must(complete(job));
      EXPECT_EQ(completed.total_items, whole.total_items) << cut;
      EXPECT_EQ(completed.columns, whole.columns) << cut;
      EXPECT_EQ(completed.upload_bytes, text.size());
      EXPECT_EQ(engine_.payload_text(job), text);
      EXPECT_EQ(must(engine_.parts().payloads.open(job.id))->pieces(), pieces) << cut;
    }
  }
}

TEST_F(UploadPartsTest, ByteByByteIsTheSameUpload) {
  const std::string text = "id,name\n1,\"An\nna\"\n2,Bea\n";
  const Job job = create();
  for (std::size_t i = 0; i < text.size(); ++i) must(append(job, i, text.substr(i, 1)));
  EXPECT_EQ(must(complete(job)).total_items, 2u);
  EXPECT_EQ(engine_.payload_text(job), text);
}

TEST_F(UploadPartsTest, AtAWrongOffsetIsRefusedAndChangesNothing) {
  const Job job = create();
  must(append(job, 0, "id,name\n"));
  for (const std::uint64_t wrong : {0, 7, 9, 1000}) {
    const auto refused = append(job, wrong, "1,Anna\n");
    EXPECT_EQ(refusal(ErrorCode::kConflict, refused), "WRONG_OFFSET");
    EXPECT_THAT(refused.error().message, HasSubstr("goes on at Upload-Offset 8"));
  }
  EXPECT_EQ(offset(job), 8u);
}

TEST_F(UploadPartsTest, OfAPartThatBreaksOffWhatArrivedIsKept) {
  const Job job = create();
  const auto broken = engine_.service().append(ann_, TestEngine::reference(job), {},
                                               broken_source("id,name\n1,An"));
  EXPECT_EQ(refusal(ErrorCode::kUnavailable, broken), "");
  EXPECT_EQ(offset(job), 12u);
  must(append(job, 12, "na\n"));
  must(complete(job));
  EXPECT_EQ(engine_.payload_text(job), "id,name\n1,Anna\n");
}

TEST_F(UploadPartsTest, OfAnAllOrNothingPartThatBreaksOffNothingIsKept) {
  const Job job = create();
  must(append(job, 0, "id,name\n"));
  const auto broken = engine_.service().append(ann_, TestEngine::reference(job),
                                               {.offset = 8, .all_or_nothing = true},
                                               broken_source("1,Anna\n2,B"));
  EXPECT_EQ(refusal(ErrorCode::kUnavailable, broken), "");
  EXPECT_EQ(offset(job), 8u);
  must(append(job, 8, "2,Bea\n", true));
  must(complete(job));
  EXPECT_EQ(engine_.payload_text(job), "id,name\n2,Bea\n");
}

TEST_F(UploadPartsTest, AHeaderThatIsRefusedLeavesTheJobOpenAtOffsetZero) {
  const Job job = create();
  const auto refused = append(job, 0, "id,nmae\n1,Anna\n");
  EXPECT_EQ(refusal(ErrorCode::kUnreadable, refused), "");
  EXPECT_THAT(refused.error().message, HasSubstr("name")) << "the nearest name";
  EXPECT_EQ(offset(job), 0u);
  EXPECT_EQ(engine_.find(job).state, JobState::kOpen);
  must(append(job, 0, "id,name\n1,Anna\n"));
  EXPECT_EQ(must(complete(job)).total_items, 1u);
}

TEST_F(UploadPartsTest, AHeaderThatArrivesInTwoPartsIsJudgedWithTheSecond) {
  const Job job = create();
  must(append(job, 0, "id,nm"));
  EXPECT_FALSE(append(job, 5, "ae\n1,Anna\n").ok());
  EXPECT_EQ(offset(job), 5u) << "what was acknowledged stays";
}

TEST_F(UploadPartsTest, AnotherPartOrCompletingIsToWaitForAPartThatIsArriving) {
  const Job job = create();
  std::string part;
  std::string completing;
  auto rest = text_source("id,name\n");
  must(engine_.service().append(
      ann_, TestEngine::reference(job), {},
      [&](std::span<char> into) -> Result<std::size_t> {
        if (part.empty()) {
          part = refusal(ErrorCode::kConflict, append(job, 0, "x"));
          completing = refusal(ErrorCode::kConflict, complete(job));
        }
        return rest(into);
      }));
  EXPECT_EQ(part, "UPLOAD_IN_PROGRESS");
  EXPECT_EQ(completing, "UPLOAD_IN_PROGRESS");
  EXPECT_TRUE(complete(job).ok());
}

TEST_F(UploadPartsTest, AfterACrashBetweenSealingAndSayingSoCompletingGoesOn) {
  for (const ContentType type : {ContentType::kCsv, ContentType::kJson}) {
    const std::string text =
        type == ContentType::kCsv ? "id,name\n1,Anna\n2,Bea\n" : R"([{"id":1},{"id":2}])";
    const Job job = create(type);
    must(append(job, 0, text));
    UploadIntake::Options options;
    options.format.type = type;
    options.judge_header = [](const auto&) { return Result<void>(); };
    must(must(UploadIntake::open(engine_.parts().payloads, job.id, options))->finish());

    const Job completed = must(complete(job));
    EXPECT_EQ(completed.state, JobState::kUploadComplete);
    EXPECT_EQ(completed.total_items, 2u);
    EXPECT_EQ(completed.upload_bytes, text.size());
    if (type == ContentType::kCsv) {
      EXPECT_EQ(completed.columns, (std::vector<std::string>{"id", "name"}));
    }
    engine_.run_next();
    EXPECT_EQ(engine_.find(job).counts.processed(), 2u);
  }
}

TEST_F(UploadPartsTest, AfterARestartTheNextPartGoesOn) {
  const Job job = create();
  must(append(job, 0, "id,name\n1,\"An"));
  const WorkerParts& parts = engine_.parts();
  JobService restarted(service_parts(parts), {});
  EXPECT_EQ(must(restarted.upload_offset(ann_, TestEngine::reference(job))), 13u);
  must(restarted.append(ann_, TestEngine::reference(job), {.offset = 13},
                        text_source("na\"\n")));
  EXPECT_EQ(must(restarted.complete(ann_, TestEngine::reference(job))).total_items, 1u);
}

TEST_F(UploadPartsTest, AnArrayThatIsCutOffCannotBeCompletedButCanBeFinished) {
  const Job job = create(ContentType::kJson);
  must(append(job, 0, R"([{"id":1},)"));
  EXPECT_EQ(refusal(ErrorCode::kUnreadable, complete(job)), "");
  EXPECT_EQ(engine_.find(job).state, JobState::kOpen);
  must(append(job, 10, R"({"id":2}])"));
  EXPECT_EQ(must(complete(job)).total_items, 2u);
}

TEST_F(UploadPartsTest, AJobThatIsNotOpenTakesNoDataAndTellsItsSize) {
  const Job job = create();
  must(append(job, 0, "id,name\n1,Anna\n"));
  must(complete(job));
  EXPECT_EQ(refusal(ErrorCode::kConflict, append(job, 15, "2,Bea\n")), "INVALID_STATE");
  EXPECT_EQ(refusal(ErrorCode::kConflict, complete(job)), "INVALID_STATE");
  EXPECT_EQ(offset(job), 15u);
}

TEST_F(UploadPartsTest, ARetryTakesNoDataWhileItsRecordsAreCopied) {
  const Job parent = engine_.complete("id,name,age\n1,Anna,old\n");
  const Job child =
      must(engine_.service().retry(ann_, TestEngine::reference(parent), {}));
  ASSERT_EQ(child.state, JobState::kOpen);
  EXPECT_EQ(refusal(ErrorCode::kConflict, append(child, 0, "id\n")), "INVALID_STATE");
  EXPECT_EQ(refusal(ErrorCode::kConflict, complete(child)), "INVALID_STATE");
}

TEST_F(UploadPartsTest, AnAbortedUploadLeavesNoBytes) {
  const Job job = create();
  must(append(job, 0, "id,name\n1,Anna\n"));
  must(engine_.service().abort(ann_, TestEngine::reference(job)));
  EXPECT_TRUE(must(engine_.parts().payloads.list()).empty());
  EXPECT_EQ(refusal(ErrorCode::kConflict, append(job, 15, "2,Bea\n")), "INVALID_STATE");
  EXPECT_EQ(refusal(ErrorCode::kConflict,
                    engine_.service().upload_offset(ann_, TestEngine::reference(job))),
            "INVALID_STATE");
}

}  // namespace
}  // namespace tallyman
