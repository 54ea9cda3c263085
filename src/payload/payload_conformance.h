// What every PayloadStore must do. payload_conformance_test.cc runs it for each of them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "payload/payload.h"
#include "payload/test_place.h"

namespace tallyman {

using MakePayloadPlace = std::function<std::unique_ptr<PayloadPlace>()>;

class PayloadConformance : public testing::TestWithParam<MakePayloadPlace> {
 protected:
  // One part of an upload: its bytes, its pieces, and the splitter's state after it.
  struct Part {
    std::string bytes;
    std::vector<Piece> pieces;
    std::string splitter_state;
  };

  static JobId job(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[15] = number;
    return JobId(Uuid(bytes));
  }

  // Parts whose bytes and pieces all differ. Every third part completes no piece; pieces
  // lag behind the bytes, as a splitter's do.
  static std::vector<Part> make_parts(std::size_t count) {
    std::vector<Part> parts;
    std::uint64_t piece_end = 0;
    std::uint64_t bytes_end = 0;
    std::uint64_t record = 0;
    for (std::size_t i = 0; i < count; ++i) {
      Part part;
      for (std::size_t k = 0; k < 100 + 37 * i; ++k) {
        part.bytes += static_cast<char>(k * 31 + i * 7);
      }
      bytes_end += part.bytes.size();
      if (i % 3 != 2) {
        const auto records = static_cast<std::uint32_t>(i + 1);
        const std::uint64_t length = bytes_end - piece_end - 10;
        const auto kind = static_cast<PieceKind>(i % 3);
        part.pieces.push_back({piece_end, length, record, records, kind});
        piece_end += length;
        record += records;
      }
      part.splitter_state = "state " + std::to_string(i) + std::string(i, '\0');
      parts.push_back(std::move(part));
    }
    return parts;
  }

  static void add(PayloadWriter& writer, const Part& part) {
    ASSERT_TRUE(writer.append(part.bytes).ok());
    writer.add_pieces(part.pieces);
  }

  static void add_and_checkpoint(PayloadWriter& writer, const Part& part) {
    add(writer, part);
    ASSERT_TRUE(writer.checkpoint(part.splitter_state).ok());
  }

  static std::string read_all(PayloadReader& reader) {
    std::string bytes(reader.bytes(), '\0');
    EXPECT_TRUE(reader.read(0, bytes).ok());
    return bytes;
  }

  // The reader gives exactly the first `count` parts.
  static void expect_parts(PayloadReader& reader, const std::vector<Part>& parts,
                           std::size_t count) {
    Part whole;
    std::uint64_t records = 0;
    for (std::size_t i = 0; i < count; ++i) {
      whole.bytes += parts[i].bytes;
      for (const Piece& piece : parts[i].pieces) {
        whole.pieces.push_back(piece);
        records += piece.record_count;
      }
    }
    ASSERT_EQ(reader.bytes(), whole.bytes.size());
    EXPECT_EQ(read_all(reader), whole.bytes);
    EXPECT_EQ(reader.pieces(), whole.pieces);
    EXPECT_EQ(reader.record_count(), records);
  }

  // The program dies: what it did not make durable may be gone.
  void restart() {
    store_.reset();
    store_ = place_->open();
  }

  std::unique_ptr<PayloadPlace> place_ = GetParam()();
  std::unique_ptr<PayloadStore> store_ = place_->open();
};

TEST_P(PayloadConformance, ReadsBackWhatWasSealed) {
  const auto parts = make_parts(7);
  const auto writer = store_->create(job(1)).value();
  for (const Part& part : parts) add_and_checkpoint(*writer, part);
  ASSERT_TRUE(writer->seal().ok());
  expect_parts(*store_->open(job(1)).value(), parts, parts.size());
  restart();
  expect_parts(*store_->open(job(1)).value(), parts, parts.size());
}

TEST_P(PayloadConformance, SealingIsAlsoACheckpoint) {
  const auto parts = make_parts(4);
  {
    const auto writer = store_->create(job(1)).value();
    for (const Part& part : parts) add(*writer, part);
    ASSERT_TRUE(writer->seal().ok());
    EXPECT_EQ(writer->offset(), writer->checkpointed_offset());
  }
  restart();
  expect_parts(*store_->open(job(1)).value(), parts, parts.size());
}

TEST_P(PayloadConformance, AnEmptyPayloadCanBeSealed) {
  ASSERT_TRUE(store_->create(job(1)).value()->seal().ok());
  const auto reader = store_->open(job(1)).value();
  EXPECT_EQ(reader->bytes(), 0u);
  EXPECT_TRUE(reader->pieces().empty());
  EXPECT_TRUE(reader->read(0, {}).ok());
}

// At every checkpoint, and at each step after it, the writer is lost; another one goes
// on.
TEST_P(PayloadConformance, ResumesAtTheLastCheckpointWhereverItIsCut) {
  enum class Then { kNothing, kAppended, kAddedToo, kCutBack, kCutBackAndAppended };
  const auto parts = make_parts(6);
  const Part noise = {
      std::string(5'000, 'x'), {{9, 9, 9, 9, PieceKind::kTooLarge}}, "no"};
  for (std::size_t cut = 1; cut <= parts.size(); ++cut) {
    for (const Then then : {Then::kNothing, Then::kAppended, Then::kAddedToo,
                            Then::kCutBack, Then::kCutBackAndAppended}) {
      SCOPED_TRACE(std::to_string(cut) + ", " + std::to_string(static_cast<int>(then)));
      {
        const auto writer = store_->create(job(1)).value();
        for (std::size_t i = 0; i < cut; ++i) add_and_checkpoint(*writer, parts[i]);
        if (then != Then::kNothing) {
          ASSERT_TRUE(writer->append(noise.bytes).ok());
        }
        if (then >= Then::kAddedToo) writer->add_pieces(noise.pieces);
        if (then >= Then::kCutBack) {
          ASSERT_TRUE(writer->cut_to_checkpoint().ok());
        }
        if (then == Then::kCutBackAndAppended) add(*writer, noise);
      }
      restart();
      expect_parts(*store_->open_unsealed(job(1)).value(), parts, cut);

      const ResumedPayload resumed = store_->resume(job(1)).value();
      EXPECT_EQ(resumed.splitter_state, parts[cut - 1].splitter_state);
      EXPECT_EQ(resumed.writer->offset(), resumed.writer->checkpointed_offset());
      EXPECT_EQ(resumed.writer->offset(), store_->checkpointed_offset(job(1)).value());
      for (std::size_t i = cut; i < parts.size(); ++i) {
        add_and_checkpoint(*resumed.writer, parts[i]);
      }
      ASSERT_TRUE(resumed.writer->seal().ok());
      expect_parts(*store_->open(job(1)).value(), parts, parts.size());
    }
  }
}

TEST_P(PayloadConformance, WithoutACheckpointNothingWasStored) {
  {
    const auto writer = store_->create(job(1)).value();
    add(*writer, make_parts(1)[0]);
  }
  restart();
  EXPECT_EQ(store_->checkpointed_offset(job(1)).value(), 0u);
  EXPECT_EQ(store_->open_unsealed(job(1)).value()->bytes(), 0u);
  const ResumedPayload resumed = store_->resume(job(1)).value();
  EXPECT_EQ(resumed.splitter_state, "");
  EXPECT_EQ(resumed.writer->offset(), 0u);
  EXPECT_EQ(resumed.writer->record_count(), 0u);
}

TEST_P(PayloadConformance, AWriterCountsWhatItWasGiven) {
  const auto parts = make_parts(2);
  const std::uint64_t first = parts[0].bytes.size();
  const auto writer = store_->create(job(1)).value();
  add_and_checkpoint(*writer, parts[0]);
  add(*writer, parts[1]);
  EXPECT_EQ(writer->offset(), first + parts[1].bytes.size());
  EXPECT_EQ(writer->checkpointed_offset(), first);
  EXPECT_EQ(writer->record_count(), 3u);
  EXPECT_EQ(store_->checkpointed_offset(job(1)).value(), first);
  ASSERT_TRUE(writer->cut_to_checkpoint().ok());
  EXPECT_EQ(writer->offset(), first);
  EXPECT_EQ(writer->record_count(), 1u);
}

TEST_P(PayloadConformance, CutsBackAndGoesOn) {
  const auto parts = make_parts(3);
  const Part noise = {std::string(3 << 20, 'x'), {{9, 9, 9, 9}}, "no"};
  const auto writer = store_->create(job(1)).value();
  add(*writer, noise);
  ASSERT_TRUE(writer->cut_to_checkpoint().ok());
  EXPECT_EQ(writer->offset(), 0u);
  for (const Part& part : parts) {
    add_and_checkpoint(*writer, part);
    add(*writer, noise);
    ASSERT_TRUE(writer->cut_to_checkpoint().ok());
  }
  ASSERT_TRUE(writer->seal().ok());
  expect_parts(*store_->open(job(1)).value(), parts, parts.size());
}

TEST_P(PayloadConformance, ACheckpointMayChangeTheStateAlone) {
  const auto parts = make_parts(1);
  {
    const auto writer = store_->create(job(1)).value();
    add_and_checkpoint(*writer, parts[0]);
    ASSERT_TRUE(writer->checkpoint("later").ok());
  }
  restart();
  EXPECT_EQ(store_->resume(job(1)).value().splitter_state, "later");
  expect_parts(*store_->open_unsealed(job(1)).value(), parts, 1);
}

TEST_P(PayloadConformance, KeepsALongSplitterState) {
  std::string state;
  for (int i = 0; i < 300'000; ++i) state += static_cast<char>(i * 7);
  {
    const auto writer = store_->create(job(1)).value();
    ASSERT_TRUE(writer->checkpoint(state).ok());
  }
  restart();
  EXPECT_EQ(store_->resume(job(1)).value().splitter_state, state);
}

TEST_P(PayloadConformance, AReaderOfAnUnsealedPayloadStaysAtItsCheckpoint) {
  const auto parts = make_parts(4);
  const auto writer = store_->create(job(1)).value();
  add_and_checkpoint(*writer, parts[0]);
  add_and_checkpoint(*writer, parts[1]);
  const auto reader = store_->open_unsealed(job(1)).value();
  add_and_checkpoint(*writer, parts[2]);
  add(*writer, parts[3]);
  expect_parts(*reader, parts, 2);
}

TEST_P(PayloadConformance, ReadsFromAnyByte) {
  const auto writer = store_->create(job(1)).value();
  const std::string bytes = make_parts(3)[2].bytes;
  ASSERT_TRUE(writer->append(bytes).ok());
  ASSERT_TRUE(writer->seal().ok());
  const auto reader = store_->open(job(1)).value();
  for (std::size_t from = 0; from <= bytes.size(); ++from) {
    std::string read(bytes.size() - from, '\0');
    ASSERT_TRUE(reader->read(from, read).ok());
    ASSERT_EQ(read, bytes.substr(from));
  }
}

TEST_P(PayloadConformance, SaysWhatItDoesNotHave) {
  EXPECT_EQ(store_->resume(job(1)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->checkpointed_offset(job(1)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->open(job(1)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->open_unsealed(job(1)).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(store_->remove(job(1)).ok());
}

TEST_P(PayloadConformance, OpensOnlyWhatIsSealedAndResumesOnlyWhatIsNot) {
  const auto writer = store_->create(job(1)).value();
  add_and_checkpoint(*writer, make_parts(1)[0]);
  EXPECT_EQ(store_->open(job(1)).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(writer->seal().ok());
  EXPECT_TRUE(store_->open(job(1)).ok());
  EXPECT_EQ(store_->resume(job(1)).error().code, ErrorCode::kConflict);
  EXPECT_EQ(store_->checkpointed_offset(job(1)).value(), writer->offset());
}

TEST_P(PayloadConformance, CreatingTakesThePlaceOfWhatWas) {
  const auto parts = make_parts(3);
  for (const bool sealed : {false, true}) {
    {
      const auto writer = store_->create(job(1)).value();
      for (const Part& part : parts) add_and_checkpoint(*writer, part);
      if (sealed) {
        ASSERT_TRUE(writer->seal().ok());
      }
    }
    {
      const auto writer = store_->create(job(1)).value();
      EXPECT_EQ(writer->offset(), 0u);
      EXPECT_EQ(store_->checkpointed_offset(job(1)).value(), 0u);
      EXPECT_EQ(store_->open(job(1)).error().code, ErrorCode::kNotFound);
      add_and_checkpoint(*writer, parts[0]);
    }
    restart();
    expect_parts(*store_->open_unsealed(job(1)).value(), parts, 1);
  }
}

TEST_P(PayloadConformance, ListsEveryJobThatSomethingLiesHereForAndRemovesIt) {
  EXPECT_TRUE(store_->list().value().empty());
  const auto parts = make_parts(2);
  const auto first = store_->create(job(3)).value();
  const auto second = store_->create(job(1)).value();
  add_and_checkpoint(*second, parts[0]);
  const auto third = store_->create(job(2)).value();
  ASSERT_TRUE(third->seal().ok());
  EXPECT_THAT(store_->list().value(), testing::ElementsAre(job(1), job(2), job(3)));

  ASSERT_TRUE(store_->remove(job(2)).ok());
  ASSERT_TRUE(store_->remove(job(3)).ok());
  restart();
  EXPECT_THAT(store_->list().value(), testing::ElementsAre(job(1)));
  EXPECT_EQ(store_->open(job(2)).error().code, ErrorCode::kNotFound);
  expect_parts(*store_->open_unsealed(job(1)).value(), parts, 1);
}

TEST_P(PayloadConformance, KeepsJobsApart) {
  const auto parts = make_parts(2);
  const auto first = store_->create(job(1)).value();
  const auto second = store_->create(job(2)).value();
  add(*first, parts[0]);
  add(*second, parts[0]);
  add(*second, parts[1]);
  ASSERT_TRUE(first->seal().ok());
  ASSERT_TRUE(second->seal().ok());
  expect_parts(*store_->open(job(1)).value(), parts, 1);
  expect_parts(*store_->open(job(2)).value(), parts, 2);
}

// 64 MiB in chunks below, at and above what a writer may hold back.
TEST_P(PayloadConformance, TakesALongStreamInChunksOfAnySize) {
  constexpr std::size_t kBytes = 64 << 20;
  std::string bytes(kBytes, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes)
    byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const std::size_t kChunks[] = {1,       65'536,      (1 << 20) - 1,
                                 1 << 20, 1 << 20 | 1, 3'000'000};
  const auto writer = store_->create(job(1)).value();
  std::size_t offset = 0;
  for (std::size_t turn = 0; offset < kBytes; ++turn) {
    const std::string_view chunk =
        std::string_view(bytes).substr(offset, kChunks[turn % std::size(kChunks)]);
    ASSERT_TRUE(writer->append(chunk).ok());
    offset += chunk.size();
    if (turn % 8 == 7) {
      ASSERT_TRUE(writer->checkpoint("").ok());
    }
  }
  ASSERT_TRUE(writer->seal().ok());
  EXPECT_TRUE(read_all(*store_->open(job(1)).value()) == bytes);
}

// Two writers of one job, as two nodes have them when a sender was cut off and tries
// again: a place may refuse the second one, or let it take the payload from the first.
// Whichever it is, what one of them acknowledged is there, and nothing of the other.
TEST_P(PayloadConformance, OfTwoWritersOneIsRefusedAndTheOtherOnesBytesAreKept) {
  const auto parts = make_parts(4);
  const Part noise = {std::string(5 << 20, 'x'), {{9, 9, 9, 9}}, "no"};
  const auto other_process = place_->open();
  for (const bool anew : {false, true}) {
    const auto first = store_->create(job(1)).value();
    add_and_checkpoint(*first, parts[0]);
    add(*first, noise);
    std::unique_ptr<PayloadWriter> second;
    ErrorCode refused = ErrorCode::kInternal;
    if (anew) {
      auto created = other_process->create(job(1));
      if (created.ok()) second = std::move(created).value();
      if (!created.ok()) refused = created.error().code;
    } else {
      auto resumed = other_process->resume(job(1));
      if (resumed.ok()) second = std::move(resumed).value().writer;
      if (!resumed.ok()) refused = resumed.error().code;
    }
    if (!second) {
      EXPECT_EQ(refused, ErrorCode::kLost);
      ASSERT_TRUE(first->cut_to_checkpoint().ok());
      add_and_checkpoint(*first, parts[1]);
      ASSERT_TRUE(first->seal().ok());
      expect_parts(*store_->open(job(1)).value(), parts, 2);
      continue;
    }
    for (std::size_t i = anew ? 0 : 1; i < 3; ++i) add_and_checkpoint(*second, parts[i]);
    EXPECT_EQ(first->checkpoint("no").error().code, ErrorCode::kLost);
    EXPECT_EQ(first->cut_to_checkpoint().error().code, ErrorCode::kLost);
    EXPECT_EQ(first->seal().error().code, ErrorCode::kUnavailable);
    add_and_checkpoint(*second, parts[3]);
    ASSERT_TRUE(second->seal().ok());
    expect_parts(*store_->open(job(1)).value(), parts, 4);
  }
}

TEST_P(PayloadConformance, AnyNumberOfReadersReadAtOnce) {
  const auto parts = make_parts(12);
  const auto writer = store_->create(job(1)).value();
  for (const Part& part : parts) add(*writer, part);
  ASSERT_TRUE(writer->seal().ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        expect_parts(*store_->open(job(1)).value(), parts, parts.size());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(PayloadConformance, ScratchFilesGoAloneOrWithThePayload) {
  const auto write_file = [](const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr) << path;
    ASSERT_EQ(std::fclose(file), 0);
  };
  const auto exists = [](const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "rb");
    if (file) std::fclose(file);
    return file != nullptr;
  };
  const std::string keys = store_->scratch_path(job(1), "keys");
  const std::string spool = store_->scratch_path(job(1), "spool");
  const std::string other = store_->scratch_path(job(2), "keys");
  EXPECT_NE(keys, spool);
  EXPECT_NE(keys, other);
  for (const std::string& path : {keys, keys + "-wal", spool, other}) write_file(path);
  EXPECT_THAT(store_->list().value(), testing::ElementsAre(job(1), job(2)));

  store_->remove_scratch(job(1));
  EXPECT_FALSE(exists(keys));
  EXPECT_FALSE(exists(keys + "-wal"));
  EXPECT_FALSE(exists(spool));
  EXPECT_TRUE(exists(other));

  ASSERT_TRUE(store_->create(job(2)).value()->seal().ok());
  write_file(other);
  store_->remove_scratch(job(2));
  EXPECT_TRUE(store_->open(job(2)).ok());
  write_file(other);
  ASSERT_TRUE(store_->remove(job(2)).ok());
  EXPECT_FALSE(exists(other));
  EXPECT_TRUE(store_->list().value().empty());
}

}  // namespace tallyman
