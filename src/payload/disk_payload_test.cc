#include "payload/disk_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "payload/test_disk_place.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

const JobId kJob{Uuid({1, 2, 3})};

// An upload of three parts, with a checkpoint after each.
class DiskPayload : public testing::Test {
 protected:
  static constexpr std::size_t kPartBytes = 1'000;

  static std::string part(std::size_t i) {
    return std::string(kPartBytes, static_cast<char>('a' + i));
  }
  static Piece piece(std::size_t i) { return {i * kPartBytes, kPartBytes, i * 10, 10}; }
  static std::string upload(std::size_t parts) {
    std::string bytes;
    for (std::size_t i = 0; i < parts; ++i) bytes += part(i);
    return bytes;
  }

  static void add(PayloadWriter& writer, std::size_t i) {
    ASSERT_TRUE(writer.append(part(i)).ok());
    writer.add_pieces({piece(i)});
  }
  static void add_and_checkpoint(PayloadWriter& writer, std::size_t i) {
    add(writer, i);
    ASSERT_TRUE(writer.checkpoint("after " + std::to_string(i)).ok());
  }

  // What lies at `place` is exactly the first `parts` parts, and the rest can follow.
  static void expect_resumes_with(DiskPlace& place, std::size_t parts) {
    const auto store = place.open();
    const auto resumed = store->resume(kJob);
    ASSERT_TRUE(resumed.ok()) << resumed.error().message;
    PayloadWriter& writer = *resumed.value().writer;
    EXPECT_EQ(resumed.value().splitter_state,
              parts == 0 ? "" : "after " + std::to_string(parts - 1));
    ASSERT_EQ(writer.offset(), parts * kPartBytes);
    EXPECT_EQ(read_file(place.file(kJob, "data")), upload(parts));
    EXPECT_EQ(std::filesystem::file_size(place.file(kJob, "index")), 32 * parts);
    for (std::size_t i = parts; i < 3; ++i) add_and_checkpoint(writer, i);
    ASSERT_TRUE(writer.seal().ok());
    const auto reader = store->open(kJob).value();
    std::string bytes(reader->bytes(), '\0');
    ASSERT_TRUE(reader->read(0, bytes).ok());
    EXPECT_EQ(bytes, upload(3));
    EXPECT_THAT(reader->pieces(), testing::ElementsAre(piece(0), piece(1), piece(2)));
  }

  // The parts so far, sealed or not.
  void make(std::size_t parts, bool sealed) {
    const auto store = place_.open();
    const auto writer = store->create(kJob).value();
    for (std::size_t i = 0; i < parts; ++i) add_and_checkpoint(*writer, i);
    if (sealed) {
      ASSERT_TRUE(writer->seal().ok());
    }
  }

  // Whoever wants the payload is told that `ending` is damaged.
  void expect_damaged(const std::string& ending, bool sealed) {
    const auto store = place_.open();
    const auto expect_named = [&](const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kInternal) << error.message;
      EXPECT_THAT(error.message, HasSubstr(place_.file(kJob, ending).string()));
    };
    const auto reader = sealed ? store->open(kJob) : store->open_unsealed(kJob);
    ASSERT_FALSE(reader.ok());
    expect_named(reader.error());
    if (sealed) return;
    const auto resumed = store->resume(kJob);
    ASSERT_FALSE(resumed.ok());
    expect_named(resumed.error());
  }

  DiskPlace place_;
};

TEST_F(DiskPayload, ACrashBetweenAnyTwoCallsLeavesACheckpoint) {
  const auto store = place_.open();
  const auto writer = store->create(kJob).value();
  expect_resumes_with(*place_.copy(), 0);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(writer->append(part(i)).ok());
    expect_resumes_with(*place_.copy(), i);
    writer->add_pieces({piece(i)});
    expect_resumes_with(*place_.copy(), i);
    ASSERT_TRUE(writer->checkpoint("after " + std::to_string(i)).ok());
    expect_resumes_with(*place_.copy(), i + 1);
    ASSERT_TRUE(writer->append(std::string(2 << 20, 'x')).ok());
    expect_resumes_with(*place_.copy(), i + 1);
    ASSERT_TRUE(writer->cut_to_checkpoint().ok());
    expect_resumes_with(*place_.copy(), i + 1);
  }
}

// A checkpoint writes bytes, then index, then state: a crash after each of them, and in
// the middle of each, leaves the checkpoint before.
TEST_F(DiskPayload, ACrashInsideACheckpointLeavesTheOneBefore) {
  make(1, false);
  const auto before = place_.copy();
  ASSERT_NO_FATAL_FAILURE({
    const auto store = place_.open();
    const ResumedPayload resumed = store->resume(kJob).value();
    add_and_checkpoint(*resumed.writer, 1);
  });
  const std::string data = read_file(place_.file(kJob, "data"));
  const std::string index = read_file(place_.file(kJob, "index"));
  const std::string state = read_file(place_.file(kJob, "state"));

  for (const std::size_t cut : {1000, 1001, 1500, 2000}) {
    const auto crashed = before->copy();
    write_file(crashed->file(kJob, "data"), data.substr(0, cut));
    expect_resumes_with(*crashed, 1);
  }
  for (const std::size_t cut : {32, 33, 63, 64}) {
    const auto crashed = before->copy();
    write_file(crashed->file(kJob, "data"), data);
    write_file(crashed->file(kJob, "index"), index.substr(0, cut));
    expect_resumes_with(*crashed, 1);
  }
  for (std::size_t cut = 0; cut <= state.size(); cut += 16) {
    const auto crashed = before->copy();
    write_file(crashed->file(kJob, "data"), data);
    write_file(crashed->file(kJob, "index"), index);
    write_file(crashed->file(kJob, "state-new"), state.substr(0, cut));
    expect_resumes_with(*crashed, 1);
  }
  expect_resumes_with(place_, 2);
}

TEST_F(DiskPayload, ADamagedStateIsNamed) {
  for (const bool sealed : {false, true}) {
    make(2, sealed);
    const std::string state = read_file(place_.file(kJob, "state"));
    for (std::size_t size = 0; size < state.size(); ++size) {
      write_file(place_.file(kJob, "state"), state.substr(0, size));
      expect_damaged("state", sealed);
    }
    for (std::size_t place = 0; place < state.size(); ++place) {
      std::string changed = state;
      changed[place] = static_cast<char>(changed[place] ^ 4);
      write_file(place_.file(kJob, "state"), changed);
      expect_damaged("state", sealed);
      EXPECT_EQ(place_.open()->checkpointed_offset(kJob).error().code,
                ErrorCode::kInternal);
    }
  }
}

TEST_F(DiskPayload, ADamagedOrMissingIndexIsNamed) {
  for (const bool sealed : {false, true}) {
    make(2, sealed);
    const std::string index = read_file(place_.file(kJob, "index"));
    for (const std::size_t size : {0, 1, 32, 63}) {
      write_file(place_.file(kJob, "index"), index.substr(0, size));
      expect_damaged("index", sealed);
    }
    for (std::size_t place = 0; place < index.size(); ++place) {
      std::string changed = index;
      changed[place] = static_cast<char>(changed[place] ^ 4);
      write_file(place_.file(kJob, "index"), changed);
      expect_damaged("index", sealed);
    }
    std::filesystem::remove(place_.file(kJob, "index"));
    expect_damaged("index", sealed);
  }
}

TEST_F(DiskPayload, DataThatIsTooShortOrMissingIsNamed) {
  for (const bool sealed : {false, true}) {
    make(2, sealed);
    write_file(place_.file(kJob, "data"), upload(2).substr(1));
    expect_damaged("data", sealed);
    std::filesystem::remove(place_.file(kJob, "data"));
    expect_damaged("data", sealed);
  }
}

TEST_F(DiskPayload, ListsWhatIsLeftOfABrokenPayloadSoThatItCanBeRemoved) {
  for (const char* ending : {"data", "index", "state", "state-new", "other"}) {
    const auto store = place_.open();
    write_file(place_.file(kJob, ending), "?");
    write_file(place_.folder() + "/readme.txt", "not a job's");
    EXPECT_THAT(store->list().value(), testing::ElementsAre(kJob)) << ending;
    std::filesystem::remove(place_.file(kJob, ending));
  }
}

TEST_F(DiskPayload, IsItsOwnersAlone) {
  make(1, true);
  const auto store = place_.open();
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(place_.folder())) {
    struct stat about {};
    ASSERT_EQ(::stat(entry.path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 077u, 0u) << entry.path();
  }
  struct stat about {};
  ASSERT_EQ(::stat(place_.folder().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0700u);
}

TEST_F(DiskPayload, NeedsAParentFolder) {
  const auto store = DiskPayloadStore::open(place_.folder() + "/a/b");
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(store.error().message, HasSubstr(place_.folder() + "/a/b"));
}

// No file may grow past `bytes` while this lives: what a full disk looks like from here.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    previous_signal_ = std::signal(SIGXFSZ, SIG_IGN);
    CHECK(::getrlimit(RLIMIT_FSIZE, &previous_) == 0);
    const rlimit limit{bytes, previous_.rlim_max};
    CHECK(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FullDisk() {
    CHECK(::setrlimit(RLIMIT_FSIZE, &previous_) == 0);
    std::signal(SIGXFSZ, previous_signal_);
  }

 private:
  rlimit previous_{};
  void (*previous_signal_)(int);
};

TEST_F(DiskPayload, AFullDiskLeavesTheLastCheckpointAndGivesTheRoomBack) {
  const auto store = place_.open();
  auto writer = store->create(kJob).value();
  add_and_checkpoint(*writer, 0);
  {
    const FullDisk full(3 << 20);
    const auto appended = writer->append(std::string(5 << 20, 'x'));
    ASSERT_FALSE(appended.ok());
    EXPECT_EQ(appended.error().code, ErrorCode::kOutOfSpace);
    EXPECT_THAT(appended.error().message, HasSubstr(place_.file(kJob, "data").string()));
    EXPECT_EQ(std::filesystem::file_size(place_.file(kJob, "data")), kPartBytes);
    EXPECT_EQ(writer->append("x").error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(writer->checkpoint("no").error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(writer->seal().error().code, ErrorCode::kUnavailable);
    ASSERT_TRUE(writer->cut_to_checkpoint().ok());
  }
  EXPECT_EQ(writer->offset(), kPartBytes);
  add_and_checkpoint(*writer, 1);
  writer.reset();
  expect_resumes_with(place_, 2);
}

// Too little room for the bytes that were held back, for the index, and for the state.
TEST_F(DiskPayload, ADiskThatIsFullAtACheckpointLeavesTheOneBefore) {
  const auto store = place_.open();
  auto writer = store->create(kJob).value();
  add_and_checkpoint(*writer, 0);
  const auto fail_with_room_for = [&](rlim_t bytes, const std::string& splitter_state) {
    std::unique_ptr<DiskPlace> crashed;
    {
      const FullDisk full(bytes);
      const auto stored = writer->checkpoint(splitter_state);
      ASSERT_FALSE(stored.ok());
      EXPECT_EQ(stored.error().code, ErrorCode::kOutOfSpace);
      crashed = place_.copy();
      ASSERT_TRUE(writer->cut_to_checkpoint().ok());
    }
    expect_resumes_with(*crashed, 1);
    expect_resumes_with(*place_.copy(), 1);
  };
  add(*writer, 1);
  fail_with_room_for(1'500, "after 1");
  writer->add_pieces(std::vector<Piece>(100, piece(1)));
  fail_with_room_for(2'000, "after 1");
  add(*writer, 1);
  fail_with_room_for(2'500, std::string(3'000, 's'));
  add_and_checkpoint(*writer, 1);
  writer.reset();
  expect_resumes_with(place_, 2);
}

// Whether a state that could not be put in place is the old or the new one is not known:
// the bytes of both stay until the old one stands there again.
TEST_F(DiskPayload, AStateThatCannotBePutInPlaceIsTakenBack) {
  const auto store = place_.open();
  auto writer = store->create(kJob).value();
  add_and_checkpoint(*writer, 0);
  const std::filesystem::path state = place_.file(kJob, "state");
  std::filesystem::remove(state);
  std::filesystem::create_directory(state);
  add(*writer, 1);
  EXPECT_FALSE(writer->checkpoint("after 1").ok());
  EXPECT_EQ(read_file(place_.file(kJob, "data")), upload(2));
  EXPECT_FALSE(writer->cut_to_checkpoint().ok());
  EXPECT_EQ(writer->append("x").error().code, ErrorCode::kUnavailable);

  std::filesystem::remove(state);
  ASSERT_TRUE(writer->cut_to_checkpoint().ok());
  expect_resumes_with(*place_.copy(), 1);
  add_and_checkpoint(*writer, 1);
  writer.reset();
  expect_resumes_with(place_, 2);
}

// A child writes and tells each checkpoint; it is killed while it writes on.
TEST_F(DiskPayload, WhatWasAcknowledgedIsThereAfterAKill) {
  for (std::uint64_t acknowledged = 1; acknowledged <= 10; ++acknowledged) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto store = place_.open();
      const auto writer = store->create(kJob).value();
      for (std::size_t i = 0;; ++i) {
        CHECK(writer->append(part(i % 26)).ok());
        writer->add_pieces({piece(i)});
        CHECK(writer->checkpoint("after " + std::to_string(i)).ok());
        const std::uint64_t offset = writer->checkpointed_offset();
        if (::write(pipe_ends[1], &offset, sizeof offset) != sizeof offset) ::_exit(1);
      }
    }
    std::uint64_t offset = 0;
    for (std::uint64_t i = 0; i < acknowledged; ++i) {
      ASSERT_EQ(::read(pipe_ends[0], &offset, sizeof offset), ssize_t{sizeof offset});
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);

    EXPECT_EQ(offset, acknowledged * kPartBytes);
    const auto store = place_.open();
    const ResumedPayload resumed = store->resume(kJob).value();
    ASSERT_GE(resumed.writer->offset(), offset);
    const std::size_t parts = resumed.writer->offset() / kPartBytes;
    EXPECT_EQ(resumed.splitter_state, "after " + std::to_string(parts - 1));
    EXPECT_EQ(resumed.writer->record_count(), parts * 10);
    std::string bytes;
    for (std::size_t i = 0; i < parts; ++i) bytes += part(i % 26);
    EXPECT_EQ(read_file(place_.file(kJob, "data")), bytes);
  }
}

}  // namespace
}  // namespace tallyman
