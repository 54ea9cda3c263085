#include "format/piece_builder.h"

#include <algorithm>
#include <utility>

namespace tallyman {

void PieceBuilder::set_columns(std::size_t columns) {
  const std::uint64_t by_cells =
      limits_.piece_cells_max / std::max<std::uint64_t>(columns, 1);
  records_max_ = std::clamp<std::uint64_t>(by_cells, 1, limits_.piece_records_max);
}

void PieceBuilder::add_alone(std::uint64_t begin, std::uint64_t end, PieceKind kind,
                             bool scanned_twice) {
  complete();
  completed_.push_back({.offset = begin,
                        .length = end - begin,
                        .first_record = next_record_++,
                        .record_count = 1,
                        .kind = kind});
  if (scanned_twice) ++unclosed_quotes_;
}

void PieceBuilder::complete() {
  if (current_.record_count > 0) completed_.push_back(current_);
  current_ = {};
}

std::vector<Piece> PieceBuilder::take() {
  if (!completed_.empty()) {
    const Piece& last = completed_.back();
    mark_.offset = last.offset + last.length;
    mark_.records = last.first_record + last.record_count;
    mark_.unclosed_quotes += std::exchange(unclosed_quotes_, 0);
  }
  return std::exchange(completed_, {});
}

}  // namespace tallyman
