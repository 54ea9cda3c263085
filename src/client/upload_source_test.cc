#include "client/upload_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tallyman::client {
namespace {

using testing::HasSubstr;

class UploadSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/tallyman_source_XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    folder_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::string folder_;
};

std::string gzipped(const std::string& text) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string sample(std::size_t size) {
  std::string text;
  unsigned state = 1;
  while (text.size() < size) {
    state = state * 1'103'515'245U + 12'345U;
    text += std::to_string(state >> 16) + (state % 7 == 0 ? "\n" : ",");
  }
  text.resize(size);
  return text;
}

// The part at `offset`, read in pieces of `piece`.
std::string part(UploadSource& source, std::uint64_t offset, std::uint64_t length_max,
                 std::size_t piece) {
  const auto length = source.prepare(offset, length_max);
  EXPECT_TRUE(length.ok()) << length.error().message;
  std::string out;
  std::vector<char> buffer(piece);
  while (out.size() < length.value()) {
    const auto count = source.read(
        offset + out.size(),
        {buffer.data(), std::min<std::size_t>(piece, length.value() - out.size())});
    EXPECT_TRUE(count.ok());
    EXPECT_GT(count.value(), 0U);
    out.append(buffer.data(), count.value());
  }
  return out;
}

std::string whole(UploadSource& source, std::uint64_t part_bytes) {
  std::string out;
  while (true) {
    const std::string next = part(source, out.size(), part_bytes, 1'000);
    if (next.empty()) return out;
    out += next;
  }
}

TEST_F(UploadSourceTest, GivesAFileAsItIs) {
  const std::string text = sample(100'000);
  const auto source = open_upload_file(write("a.csv", text));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source.value()->size(), text.size());
  EXPECT_EQ(whole(*source.value(), 7'777), text);
  EXPECT_EQ(source.value()->fraction(50'000), 0.5);
}

TEST_F(UploadSourceTest, NamesAFileThatIsNotThere) {
  const auto source = open_upload_file(folder_ + "/no.csv");
  ASSERT_FALSE(source.ok());
  EXPECT_EQ(source.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(source.error().message, HasSubstr("/no.csv"));
}

TEST_F(UploadSourceTest, RefusesAFolder) {
  EXPECT_EQ(open_upload_file(folder_).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(UploadSourceTest, SaysWhenAFileShrinksUnderItsHands) {
  const std::string path = write("a.csv", "0123456789");
  const auto source = open_upload_file(path);
  ASSERT_TRUE(source.ok());
  ASSERT_EQ(source.value()->prepare(0, 10).value(), 10U);
  std::filesystem::resize_file(path, 4);
  char buffer[10];
  EXPECT_THAT(source.value()->read(4, buffer).error().message,
              HasSubstr("became shorter"));
}

TEST_F(UploadSourceTest, InflatesGzipAndGoesBackAndForth) {
  const std::string text = sample(600'000);
  const auto source = open_upload_gzip(write("a.csv.gz", gzipped(text)));
  ASSERT_TRUE(source.ok()) << source.error().message;
  UploadSource& gzip = *source.value();
  EXPECT_EQ(whole(gzip, 50'000), text);
  EXPECT_EQ(gzip.fraction(0), 1.0);
  EXPECT_EQ(part(gzip, 123, 40'000, 999), text.substr(123, 40'000));
  EXPECT_EQ(part(gzip, 500'001, 40'000, 999), text.substr(500'001, 40'000));
  EXPECT_EQ(part(gzip, 0, 10, 3), text.substr(0, 10));
  EXPECT_EQ(part(gzip, text.size(), 10, 3), "");
}

TEST_F(UploadSourceTest, InflatesSeveralStreamsOneAfterTheOther) {
  const auto source =
      open_upload_gzip(write("a.gz", gzipped("id\n1\n") + gzipped("") + gzipped("2\n")));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(whole(*source.value(), 4), "id\n1\n2\n");
}

TEST_F(UploadSourceTest, RefusesGzipThatIsCutOff) {
  const std::string bytes = gzipped(sample(300));
  for (std::size_t kept = 0; kept < bytes.size(); ++kept) {
    const auto source = open_upload_gzip(write("a.gz", bytes.substr(0, kept)));
    ASSERT_TRUE(source.ok());
    const auto length = source.value()->prepare(0, 1'000);
    ASSERT_FALSE(length.ok()) << kept;
    EXPECT_THAT(length.error().message, HasSubstr("cut off"));
  }
}

TEST_F(UploadSourceTest, RefusesWhatIsNotGzip) {
  const auto source = open_upload_gzip(write("a.gz", "id,name\n1,x\n"));
  ASSERT_TRUE(source.ok());
  EXPECT_THAT(source.value()->prepare(0, 100).error().message,
              HasSubstr("not a good gzip file"));
}

TEST_F(UploadSourceTest, RefusesAnOffsetBehindTheEnd) {
  const auto gzip = open_upload_gzip(write("a.gz", gzipped("12345")));
  EXPECT_THAT(gzip.value()->prepare(6, 10).error().message, HasSubstr("another file"));
  const auto file = open_upload_file(write("a", "12345"));
  EXPECT_THAT(file.value()->prepare(6, 10).error().message, HasSubstr("another file"));
}

TEST_F(UploadSourceTest, KeepsOnePartOfAStream) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const std::string text = sample(30'000);
  ASSERT_EQ(::write(pipe_ends[1], text.data(), text.size()),
            static_cast<ssize_t>(text.size()));
  ::close(pipe_ends[1]);
  const auto source = make_upload_stream(pipe_ends[0]);
  EXPECT_EQ(part(*source, 0, 20'000, 1'000), text.substr(0, 20'000));
  EXPECT_EQ(part(*source, 0, 20'000, 1'000), text.substr(0, 20'000));
  EXPECT_EQ(part(*source, 15'000, 20'000, 1'000), text.substr(15'000));
  EXPECT_THAT(source->prepare(14'999, 10).error().message,
              HasSubstr("cannot be read again from its start"));
  ::close(pipe_ends[0]);
}

}  // namespace
}  // namespace tallyman::client
