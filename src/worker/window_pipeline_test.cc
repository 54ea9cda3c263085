#include "worker/window_pipeline.h"

#include "worker/test_payload.h"

namespace tallyman {
namespace {

class WindowPipelineTest : public testing::Test {
 protected:
  WindowPipelineTest() {
    tables_.execute("create table people (id integer primary key, name text)");
    const Resource people = must(tables_.target().introspect("people"));
    WriteSpec spec;
    spec.columns = upload_.columns();
    writer_ = must(tables_.target().make_writer(people, spec));
  }

  std::unique_ptr<WindowSource> windows(std::uint64_t records) {
    return std::make_unique<WindowSource>(
        upload_.records(),
        WindowPlan{.window_records = records, .window_bytes = 1 << 20, .slices = 1},
        WindowNumber(0), RecordNumber(1));
  }

  SqliteTestBackend tables_;
  StoredUpload upload_{numbered_csv(25), 64};
  std::unique_ptr<JobWriter> writer_;
};

TEST_F(WindowPipelineTest, GivesEveryWindowBoundAndInOrder) {
  for (const std::uint64_t records : {1, 2, 24, 25, 100}) {
    WindowPipeline pipeline(windows(records), *writer_);
    std::int64_t number = 0;
    std::int64_t next = 1;
    while (const auto window = must(pipeline.next())) {
      EXPECT_EQ(window->number.value(), number++);
      EXPECT_EQ(window->first_record.value(), next);
      EXPECT_EQ(window->bound->size(), window->record_count);
      next += static_cast<std::int64_t>(window->record_count);
    }
    EXPECT_EQ(next, 26);
  }
}

TEST_F(WindowPipelineTest, TheEndStaysTheEnd) {
  WindowPipeline pipeline(windows(8 * 25), *writer_);
  EXPECT_TRUE(must(pipeline.next()).has_value());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(must(pipeline.next()).has_value());
}

TEST_F(WindowPipelineTest, AnErrorComesAfterTheGoodWindowsAndStays) {
  upload_.damage(numbered_csv(25));
  WindowPipeline pipeline(windows(1), *writer_);
  EXPECT_TRUE(must(pipeline.next()).has_value());
  auto window = pipeline.next();
  while (window.ok()) {
    ASSERT_TRUE(window.value().has_value()) << "the end came without the error";
    window = pipeline.next();
  }
  EXPECT_EQ(window.error().code, ErrorCode::kInternal);
  for (int i = 0; i < 3; ++i) {
    const auto again = pipeline.next();
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, ErrorCode::kInternal);
  }
}

TEST_F(WindowPipelineTest, MayDieAtAnyPoint) {
  for (int taken = 0; taken <= 26; ++taken) {
    WindowPipeline pipeline(windows(1), *writer_);
    for (int i = 0; i < taken; ++i) EXPECT_TRUE(pipeline.next().ok());
  }
}

TEST_F(WindowPipelineTest, AWindowOutlivesThePipeline) {
  std::optional<PreparedWindow> window;
  {
    WindowPipeline pipeline(windows(8 * 25), *writer_);
    window = must(pipeline.next());
  }
  ASSERT_TRUE(window.has_value());
  auto transaction = must(tables_.database().begin_write(std::chrono::seconds(5)));
  EXPECT_EQ(must(writer_->write(*transaction, *window->bound, SliceNumber(0), {})).size(),
            25u);
}

}  // namespace
}  // namespace tallyman
