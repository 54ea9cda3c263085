// NdjsonSplitter: the Splitter of NDJSON (splitter.h says what ends a record).
//
// Memory: nothing of the upload.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "format/base_splitter.h"

namespace tallyman {

class NdjsonSplitter final : public BaseSplitter {
 public:
  explicit NdjsonSplitter(const SplitLimits& limits)
      : NdjsonSplitter(limits, PieceBuilder::Mark{}) {}

  static Result<std::unique_ptr<Splitter>> restore(const SplitLimits& limits,
                                                   std::string_view checkpoint);
  std::string checkpoint() const override;

 private:
  NdjsonSplitter(const SplitLimits& limits, const PieceBuilder::Mark& mark)
      : BaseSplitter(limits, mark) {}

  Result<void> consume(std::string_view bytes) override;
  Result<void> end() override;

  void note(std::string_view part);
  void add_line();

  // The line under way, up to position_.
  std::uint64_t line_bytes_ = 0;
  bool blank_ = true;     // White space alone.
  bool ends_cr_ = false;  // Its last byte is a CR.
};

}  // namespace tallyman
