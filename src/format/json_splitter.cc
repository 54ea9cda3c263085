#include "format/json_splitter.h"

#include <simdjson.h>

#include <utility>

#include "base/check.h"
#include "format/checkpoint_text.h"
#include "format/json_text.h"

namespace tallyman {
namespace {

constexpr std::string_view kCheckpointName = "json1";

// What a checkpoint says of where the pieces before it came from.
enum class Source : std::uint64_t { kArray = 0, kEnvelope = 1, kObject = 2 };

std::string printable(char byte) {
  if (byte > ' ' && byte < '\x7F') return {'\'', byte, '\''};
  return "this byte";
}

}  // namespace

std::string JsonSplitter::checkpoint() const {
  const Source source = is_envelope_ ? Source::kEnvelope
                        : is_object_ ? Source::kObject
                                     : Source::kArray;
  CheckpointWriter out(kCheckpointName);
  out.number(pieces_.mark().offset);
  out.number(pieces_.mark().records);
  out.number(static_cast<std::uint64_t>(source));
  out.bytes(std::string_view(members_).substr(0, members_before_data_));
  return out.take();
}

Result<std::unique_ptr<Splitter>> JsonSplitter::restore(const SplitLimits& limits,
                                                        std::string_view checkpoint) {
  CheckpointReader in(kCheckpointName, checkpoint);
  PieceBuilder::Mark mark;
  mark.offset = in.number();
  mark.records = in.number();
  const std::uint64_t source = in.number();
  std::string members = in.bytes();
  if (!in.complete() || source > static_cast<std::uint64_t>(Source::kObject)) {
    return Error{ErrorCode::kUnreadable, "not the checkpoint of a JSON upload"};
  }

  std::unique_ptr<JsonSplitter> splitter(new JsonSplitter(limits, mark));
  if (mark.offset > 0) {
    splitter->is_object_ = source != static_cast<std::uint64_t>(Source::kArray);
    splitter->is_envelope_ = source == static_cast<std::uint64_t>(Source::kEnvelope);
    splitter->has_data_ = splitter->is_envelope_;
    const bool ended = splitter->is_object_ && !splitter->is_envelope_;
    splitter->place_ = ended ? Place::kEnd : Place::kElements;
    splitter->resumed_ = !ended;
    splitter->members_before_data_ = members.size();
    splitter->members_ = std::move(members);
  }
  return std::unique_ptr<Splitter>(std::move(splitter));
}

Result<void> JsonSplitter::consume(std::string_view bytes) {
  while (!bytes.empty()) {
    TALLY_TRY_ASSIGN(const std::size_t consumed, consume_some(bytes));
    bytes.remove_prefix(consumed);
    position_ += consumed;
  }
  return {};
}

// Returns how many bytes were consumed; 0 where only the place has changed.
Result<std::size_t> JsonSplitter::consume_some(std::string_view bytes) {
  switch (place_) {
    case Place::kElements: return consume_elements(bytes);
    case Place::kInKey: return consume_key(bytes.front());
    case Place::kValue: return consume_value(bytes);
    case Place::kBroken: return consume_broken(bytes);
    case Place::kStart:
    case Place::kKeyOrEnd:
    case Place::kKey:
    case Place::kColon:
    case Place::kValueStart:
    case Place::kMemberEnd:
    case Place::kEnd: break;
  }
  const char byte = bytes.front();
  if (is_json_white_space(byte)) return std::size_t{1};
  switch (place_) {
    case Place::kStart: return consume_start(byte);
    case Place::kKeyOrEnd:
    case Place::kKey: return consume_key_start(byte);
    case Place::kColon: return consume_colon(byte);
    case Place::kValueStart: return consume_value_start(byte);
    case Place::kMemberEnd: return consume_member_end(byte);
    case Place::kEnd: return unexpected(byte, "nothing behind the last bracket");
    case Place::kElements:
    case Place::kInKey:
    case Place::kValue:
    case Place::kBroken: break;
  }
  CHECK(false);
}

Result<std::size_t> JsonSplitter::consume_start(char byte) {
  if (byte == '[') {
    place_ = Place::kElements;
  } else if (byte == '{') {
    place_ = Place::kKeyOrEnd;
    is_object_ = true;
    object_begin_ = position_;
  } else {
    return unexpected(byte, "'[' or '{'");
  }
  return std::size_t{1};
}

Result<std::size_t> JsonSplitter::consume_elements(std::string_view bytes) {
  const std::string_view batch = bytes.substr(0, JsonScanner::kBatchBytes);
  const JsonScanner::Found found = scanner_.scan(batch, commas_.data());
  std::size_t done = 0;
  for (std::size_t i = 0; i < found.commas; ++i) {
    const std::size_t comma = commas_[i];
    note_element(batch.substr(done, comma - done), position_ + done);
    TALLY_TRY(end_element(',', position_ + comma));
    done = comma + 1;
  }
  if (!found.closed) {
    note_element(batch.substr(done), position_ + done);
    return found.consumed;
  }

  const std::size_t bracket = found.consumed - 1;
  note_element(batch.substr(done, bracket - done), position_ + done);
  TALLY_TRY(end_element(batch[bracket], position_ + bracket));
  place_ = is_envelope_ ? Place::kMemberEnd : Place::kEnd;
  return found.consumed;
}

// `part` belongs to the element under way, or is white space before it.
void JsonSplitter::note_element(std::string_view part, std::uint64_t offset) {
  part = trim_json_end(part);
  if (part.empty()) return;
  element_end_ = offset + part.size();
  if (element_begin_) return;
  const std::size_t first = part.find_first_not_of(kJsonWhiteSpace);
  element_begin_ = offset + first;
}

// `byte`, the comma or bracket that ends it, stands at `offset`.
Result<void> JsonSplitter::end_element(char byte, std::uint64_t offset) {
  const bool ends_array = byte != ',';
  if (byte == '}' || (!element_begin_ && !resumed_ && (needs_element_ || !ends_array))) {
    position_ = offset;
    return unexpected(byte, byte == '}' ? "']' or ','" : "an element");
  }
  if (element_begin_) add_record(*element_begin_, element_end_);
  element_begin_.reset();
  resumed_ = false;
  needs_element_ = !ends_array;
  return {};
}

void JsonSplitter::add_record(std::uint64_t begin, std::uint64_t end) {
  if (end - begin > limits_.record_bytes_max) {
    pieces_.add_alone(begin, end, PieceKind::kTooLarge, false);
  } else {
    pieces_.add(begin, end);
  }
}

Result<void> JsonSplitter::end() {
  if (place_ == Place::kStart) {
    return Error{ErrorCode::kUnreadable,
                 "the upload is empty; JSON is an array or an object, [] for no records"};
  }
  if (place_ != Place::kEnd) {
    return Error{ErrorCode::kUnreadable, "the upload ends at byte " +
                                             std::to_string(position_) +
                                             " and not all of its brackets are closed"};
  }
  if (!is_envelope_) return {};

  envelope_ = "{" + members_ + "}";
  simdjson::dom::parser parser;
  if (parser.parse(*envelope_).error() != simdjson::SUCCESS) {
    return Error{ErrorCode::kUnreadable,
                 "the members beside \"data\" of the top-level object are not JSON"};
  }
  return {};
}

Error JsonSplitter::unexpected(char byte, std::string_view wanted) const {
  return {ErrorCode::kUnreadable, "the upload is not JSON: byte " +
                                      std::to_string(position_) + " should be " +
                                      std::string(wanted) + " and is " + printable(byte)};
}

}  // namespace tallyman
