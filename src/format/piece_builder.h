// PieceBuilder: puts records, in order, into pieces.
//
//   PieceBuilder pieces(limits, PieceBuilder::Mark{});
//   pieces.add(begin, end);          // as many as come
//   pieces.complete();               // the last piece is as long as it will be
//   for (const Piece& piece : pieces.take()) ...
//
// A piece begins at the first byte of its first record and ends behind the last byte of
// its last one: line ends and commas between two pieces belong to neither.
//
// Threads: none of its own. Memory: the pieces that were not taken yet.
#pragma once

#include <cstdint>
#include <vector>

#include "format/splitter.h"
#include "model/piece.h"

namespace tallyman {

class PieceBuilder {
 public:
  // Where a splitter that is restored goes on: behind the last piece that was taken.
  struct Mark {
    std::uint64_t offset = 0;
    std::uint64_t records = 0;
    std::uint32_t unclosed_quotes = 0;
  };

  PieceBuilder(const SplitLimits& limits, const Mark& mark)
      : limits_(limits), mark_(mark), next_record_(mark.records) {
    set_columns(limits.columns);
  }

  // Each record that is added from now on will be read into so many cells.
  void set_columns(std::size_t columns);

  // A record in [begin, end) of the upload. REQUIRES: begin < end, and end - begin is at
  // most record_bytes_max.
  void add(std::uint64_t begin, std::uint64_t end) {
    if (end - current_.offset > limits_.piece_bytes_max ||
        current_.record_count >= records_max_ || current_.record_count == 0) {
      complete();
      current_.offset = begin;
      current_.first_record = next_record_;
    }
    current_.length = end - current_.offset;
    ++current_.record_count;
    ++next_record_;
  }

  // A record that is a piece of its own. `scanned_twice`: it counts as an unclosed quote.
  void add_alone(std::uint64_t begin, std::uint64_t end, PieceKind kind,
                 bool scanned_twice);

  // Ends the piece that records are put into.
  void complete();

  std::vector<Piece> take();

  const Mark& mark() const { return mark_; }

 private:
  SplitLimits limits_;
  Mark mark_;
  std::uint64_t next_record_;
  std::uint64_t records_max_ = 1;  // Of a piece: by its records, and by their cells.
  Piece current_;                  // Under way while its record_count is not 0.
  std::vector<Piece> completed_;
  std::uint32_t unclosed_quotes_ = 0;  // Among completed_.
};

}  // namespace tallyman
