// BaseSplitter: what the splitters of all formats share: the byte order mark, the place
// in the upload, staying in error, giving out pieces.
//
// A splitter of a format writes consume() and end(), and adds to pieces_.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/piece_builder.h"
#include "format/splitter.h"

namespace tallyman {

class BaseSplitter : public Splitter {
 public:
  Result<void> push(std::string_view bytes) final;
  Result<void> finish() final;
  std::vector<Piece> take_pieces() final { return pieces_.take(); }
  std::uint64_t resume_offset() const final { return pieces_.mark().offset; }
  const std::optional<std::vector<std::string>>& header() const override {
    return header_;
  }
  const std::optional<std::string>& envelope() const override { return envelope_; }

 protected:
  BaseSplitter(const SplitLimits& limits, const PieceBuilder::Mark& mark);

  // The next bytes, never empty, without a mark; the first of them stands at position_,
  // and consume() moves position_ behind the last one it took: all of them, unless it
  // returns an error.
  virtual Result<void> consume(std::string_view bytes) = 0;
  virtual Result<void> end() = 0;

  const SplitLimits limits_;
  PieceBuilder pieces_;
  std::uint64_t position_;
  std::optional<std::vector<std::string>> header_;
  std::optional<std::string> envelope_;

 private:
  Result<void> consume_start(std::string_view& bytes);

  std::string start_;  // Of the upload, while it may be the beginning of a mark.
  bool started_;       // No mark can come any more.
  bool finished_ = false;
  std::optional<Error> error_;
};

}  // namespace tallyman
