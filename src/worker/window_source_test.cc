#include "worker/window_source.h"

#include <gmock/gmock.h>

#include "worker/test_payload.h"

namespace tallyman {
namespace {

using testing::ElementsAre;

struct Seen {
  std::int64_t number = 0;
  std::int64_t first_record = 0;
  std::vector<std::string> records;  // Their text.
  friend bool operator==(const Seen&, const Seen&) = default;
};

std::vector<Seen> windows_from(StoredUpload& upload, const WindowPlan& plan,
                               WindowNumber number = WindowNumber(0),
                               RecordNumber first = RecordNumber(1)) {
  WindowSource source(upload.records(), plan, number, first);
  std::vector<Seen> all;
  while (const auto window = must(source.next())) {
    Seen seen{window->number.value(), window->first_record.value(), {}};
    for (const WindowPart& part : window->parts) {
      EXPECT_LT(part.begin, part.end);
      for (std::size_t i = part.begin; i < part.end; ++i) {
        seen.records.emplace_back(part.batch->raw(i));
      }
    }
    EXPECT_EQ(seen.records.size(), window->record_count);
    all.push_back(std::move(seen));
  }
  EXPECT_FALSE(must(source.next()).has_value()) << "the end stays the end";
  return all;
}

std::vector<std::size_t> sizes(const std::vector<Seen>& windows) {
  std::vector<std::size_t> found;
  for (const Seen& window : windows) found.push_back(window.records.size());
  return found;
}

constexpr std::uint64_t kNoLimit = 1 << 30;

TEST(WindowSourceTest, CutsByRecords) {
  StoredUpload upload(numbered_csv(7));
  const auto of = [&](std::uint64_t records) {
    return sizes(windows_from(
        upload, {.window_records = records, .window_bytes = kNoLimit, .slices = 1}));
  };
  EXPECT_THAT(of(1), ElementsAre(1, 1, 1, 1, 1, 1, 1));
  EXPECT_THAT(of(3), ElementsAre(1, 3, 3));
  EXPECT_THAT(of(5), ElementsAre(1, 5, 1));
  EXPECT_THAT(of(6), ElementsAre(1, 6));
  EXPECT_THAT(of(7), ElementsAre(1, 6));
  EXPECT_THAT(of(8 * 7), ElementsAre(7));
}

TEST(WindowSourceTest, TheFirstIsAnEighth) {
  StoredUpload upload(numbered_csv(40));
  const auto from = [&](WindowNumber number) {
    return sizes(windows_from(
        upload, {.window_records = 16, .window_bytes = kNoLimit, .slices = 1}, number));
  };
  EXPECT_THAT(from(WindowNumber(0)), ElementsAre(2, 16, 16, 6));
  EXPECT_THAT(from(WindowNumber(1)), ElementsAre(16, 16, 8));
}

TEST(WindowSourceTest, EndsAWindowWithTheRecordThatFillsItsBytes) {
  // A record counts with its text (3 bytes) and its two cells.
  constexpr std::uint64_t kRecord = 3 + 2 * sizeof(Cell);
  StoredUpload upload("a,b\n1,2\n3,4\n5,6\n7,8\n");
  const auto of = [&](std::uint64_t bytes) {
    return sizes(windows_from(
        upload, {.window_records = kNoLimit, .window_bytes = bytes, .slices = 1}));
  };
  EXPECT_THAT(of(1), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(of(kRecord), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(of(kRecord + 1), ElementsAre(1, 2, 1));
  EXPECT_THAT(of(3 * kRecord), ElementsAre(1, 3));
  EXPECT_THAT(of(8 * kRecord + 8), ElementsAre(2, 2));
  EXPECT_THAT(of(8 * 3 * kRecord + 8), ElementsAre(4));
}

TEST(WindowSourceTest, CoversEveryRecordOnceInOrderWhateverThePlanAndThePieces) {
  const std::string csv = numbered_csv(40);
  for (const std::uint64_t piece_bytes : {64, 200, 1 << 20}) {
    StoredUpload upload(csv, piece_bytes);
    for (const std::uint64_t records : {1, 2, 5, 39, 40, 1000}) {
      for (const std::uint64_t bytes : {1, 100, 333, 1 << 20}) {
        std::string text = "id,name\n";
        std::int64_t next = 1;
        std::int64_t number = 0;
        for (const Seen& window : windows_from(
                 upload,
                 {.window_records = records, .window_bytes = bytes, .slices = 1})) {
          EXPECT_EQ(window.number, number++);
          EXPECT_EQ(window.first_record, next);
          next += static_cast<std::int64_t>(window.records.size());
          for (const std::string& record : window.records) text += record + "\n";
        }
        EXPECT_EQ(text, csv) << piece_bytes << " " << records << " " << bytes;
      }
    }
  }
}

TEST(WindowSourceTest, WhereAWindowEndsDoesNotDependOnThePieces) {
  const std::string csv = numbered_csv(40);
  StoredUpload in_one_piece(csv);
  StoredUpload in_many(csv, 64);
  ASSERT_GT(in_many.piece_count(), 5u);
  const WindowPlan plan{.window_records = 7, .window_bytes = 300, .slices = 1};
  EXPECT_EQ(windows_from(in_many, plan), windows_from(in_one_piece, plan));
}

TEST(WindowSourceTest, TakenUpAtAnyWindowTheRestAreTheSame) {
  StoredUpload upload(numbered_csv(60), 128);
  for (const WindowPlan& plan :
       {WindowPlan{.window_records = 1, .window_bytes = kNoLimit, .slices = 1},
        WindowPlan{.window_records = 7, .window_bytes = kNoLimit, .slices = 1},
        WindowPlan{.window_records = 9, .window_bytes = 250, .slices = 1}}) {
    const std::vector<Seen> all = windows_from(upload, plan);
    ASSERT_GT(all.size(), 3u);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::vector<Seen> rest(all.begin() + static_cast<std::ptrdiff_t>(i),
                                   all.end());
      EXPECT_EQ(windows_from(upload, plan, WindowNumber(all[i].number),
                             RecordNumber(all[i].first_record)),
                rest);
    }
  }
}

TEST(WindowSourceTest, OfNoRecordsThereIsNoWindow) {
  StoredUpload upload("id,name\n");
  EXPECT_TRUE(windows_from(upload, {.window_records = 1, .window_bytes = 1, .slices = 1})
                  .empty());
}

TEST(WindowSourceTest, PastTheLastRecordThereIsNoWindow) {
  StoredUpload upload(numbered_csv(3));
  EXPECT_TRUE(windows_from(upload,
                           {.window_records = 2, .window_bytes = kNoLimit, .slices = 1},
                           WindowNumber(2), RecordNumber(4))
                  .empty());
}

}  // namespace
}  // namespace tallyman
