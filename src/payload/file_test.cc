#include "payload/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "payload/test_folder.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  std::string path(const std::string& file) const { return folder_.path() / file; }

  TestFolder folder_;
};

TEST_F(FileTest, WritesAndReadsAtAnyPlace) {
  File file = File::open(path("a"), File::Mode::kCreate).value();
  ASSERT_TRUE(file.write(3, "def").ok());
  ASSERT_TRUE(file.write(0, "abc").ok());
  std::array<char, 4> four{};
  ASSERT_TRUE(file.read(1, four).ok());
  EXPECT_EQ(std::string_view(four.data(), four.size()), "bcde");
  ASSERT_TRUE(file.truncate(5).ok());
  EXPECT_EQ(file.size().value(), 5u);
  file.start_writeback(0, 5);
  file.will_be_read_in_order();
  EXPECT_TRUE(file.sync().ok());
}

TEST_F(FileTest, EndsWhereItEnds) {
  File file = File::open(path("a"), File::Mode::kCreate).value();
  ASSERT_TRUE(file.write(0, "abc").ok());
  std::array<char, 4> four{};
  const auto read = file.read(0, four);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kInternal);
  EXPECT_THAT(read.error().message, HasSubstr(path("a") + " ends at byte 3"));
}

TEST_F(FileTest, OpensAsItIsTold) {
  EXPECT_EQ(File::open(path("a"), File::Mode::kRead).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(File::open(path("a"), File::Mode::kReadWrite).error().code,
            ErrorCode::kNotFound);
  ASSERT_TRUE(
      File::open(path("a"), File::Mode::kReadWriteOrCreate).value().write(0, "x").ok());
  EXPECT_EQ(File::open(path("a"), File::Mode::kReadWriteOrCreate).value().size().value(),
            1u);
  EXPECT_EQ(File::open(path("a"), File::Mode::kCreate).value().size().value(), 0u);
  EXPECT_TRUE(File::open(folder_.path(), File::Mode::kFolder).value().sync().ok());
  EXPECT_FALSE(File::open(path("a"), File::Mode::kFolder).ok());
}

TEST_F(FileTest, IsItsOwnersAloneAndNoChildInheritsIt) {
  const File file = File::open(path("a"), File::Mode::kCreate).value();
  ASSERT_TRUE(make_folder(path("f")).ok());
  struct stat about {};
  ASSERT_EQ(::stat(path("a").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0600u);
  ASSERT_EQ(::stat(path("f").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0700u);

  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GT(next, 0);
  EXPECT_NE(::fcntl(next - 1, F_GETFD) & FD_CLOEXEC, 0);
  ::close(next);
}

TEST_F(FileTest, IsClosedWithItsLastHolder) {
  const auto lowest_free = [] {
    const int descriptor = ::dup(0);
    ::close(descriptor);
    return descriptor;
  };
  const int before = lowest_free();
  {
    File first = File::open(path("a"), File::Mode::kCreate).value();
    File second = std::move(first);
    first = File::open(path("b"), File::Mode::kCreate).value();
    second = std::move(first);
    EXPECT_EQ(second.path(), path("b"));
  }
  EXPECT_EQ(lowest_free(), before);
}

TEST_F(FileTest, AFullDiskIsOutOfSpace) {
  File full = File::open("/dev/full", File::Mode::kReadWrite).value();
  const auto written = full.write(0, "x");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kOutOfSpace);
  EXPECT_THAT(written.error().message,
              HasSubstr("cannot write /dev/full: No space left"));
}

TEST_F(FileTest, EachFailureHasItsCode) {
  const auto code = [](int number) { return file_error("write", "/a", number).code; };
  EXPECT_EQ(code(ENOSPC), ErrorCode::kOutOfSpace);
  EXPECT_EQ(code(EDQUOT), ErrorCode::kOutOfSpace);
  EXPECT_EQ(code(EFBIG), ErrorCode::kOutOfSpace);
  EXPECT_EQ(code(EIO), ErrorCode::kUnavailable);
  EXPECT_EQ(code(EMFILE), ErrorCode::kUnavailable);
  EXPECT_EQ(code(ESTALE), ErrorCode::kUnavailable);
  EXPECT_EQ(code(ENOENT), ErrorCode::kNotFound);
  EXPECT_EQ(code(EACCES), ErrorCode::kInternal);
  EXPECT_EQ(code(EROFS), ErrorCode::kInternal);
}

TEST_F(FileTest, RemovesAndRenames) {
  write_file(path("a"), "1");
  write_file(path("b"), "2");
  ASSERT_TRUE(rename_file(path("a"), path("b")).ok());
  EXPECT_EQ(read_file(path("b")), "1");
  EXPECT_EQ(rename_file(path("a"), path("b")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(remove_file(path("b")).value());
  EXPECT_FALSE(remove_file(path("b")).value());
  EXPECT_EQ(make_folder(path("x/y")).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tallyman
