#include "format/ndjson_splitter.h"

#include "format/checkpoint_text.h"

namespace tallyman {
namespace {

constexpr std::string_view kCheckpointName = "ndjson1";
constexpr std::string_view kWhiteSpace = " \t\r";

}  // namespace

std::string NdjsonSplitter::checkpoint() const {
  CheckpointWriter out(kCheckpointName);
  out.number(pieces_.mark().offset);
  out.number(pieces_.mark().records);
  return out.take();
}

Result<std::unique_ptr<Splitter>> NdjsonSplitter::restore(const SplitLimits& limits,
                                                          std::string_view checkpoint) {
  CheckpointReader in(kCheckpointName, checkpoint);
  PieceBuilder::Mark mark;
  mark.offset = in.number();
  mark.records = in.number();
  if (!in.complete()) {
    return Error{ErrorCode::kUnreadable, "not the checkpoint of an NDJSON upload"};
  }
  return std::unique_ptr<Splitter>(new NdjsonSplitter(limits, mark));
}

Result<void> NdjsonSplitter::consume(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t line_feed = bytes.find('\n');
    const bool ended = line_feed != std::string_view::npos;
    const std::string_view part = bytes.substr(0, line_feed);
    note(part);
    bytes.remove_prefix(part.size());
    if (!ended) break;

    add_line();
    ++position_;
    bytes.remove_prefix(1);
    line_bytes_ = 0;
    blank_ = true;
  }
  return {};
}

void NdjsonSplitter::note(std::string_view part) {
  if (part.empty()) return;
  if (blank_) blank_ = part.find_first_not_of(kWhiteSpace) == std::string_view::npos;
  ends_cr_ = part.back() == '\r';
  position_ += part.size();
  line_bytes_ += part.size();
}

// The line that ends at position_.
void NdjsonSplitter::add_line() {
  if (blank_) return;
  const std::uint64_t begin = position_ - line_bytes_;
  const std::uint64_t end = position_ - (ends_cr_ ? 1 : 0);
  if (end - begin > limits_.record_bytes_max) {
    pieces_.add_alone(begin, end, PieceKind::kTooLarge, false);
  } else {
    pieces_.add(begin, end);
  }
}

Result<void> NdjsonSplitter::end() {
  add_line();
  return {};
}

}  // namespace tallyman
