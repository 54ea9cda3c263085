// The parts of JsonSplitter that go through the top-level object.

#include "format/json_splitter.h"
#include "format/json_text.h"

namespace tallyman {
namespace {

// "data" with every letter written as \u0064.
constexpr std::size_t kDataKeyBytesMax = 24;
constexpr std::size_t kDataMemberBytesMax = kDataKeyBytesMax + 3;  // Quotes and colon.

// Small: behind the value's end the bytes are scanned again.
constexpr std::size_t kValueBatchBytes = kBlockBytes;

}  // namespace

Result<std::size_t> JsonSplitter::consume_key_start(char byte) {
  if (byte == '"') {
    place_ = Place::kInKey;
    key_.clear();
    key_escaped_ = false;
    TALLY_TRY(keep("\""));
    return std::size_t{1};
  }
  if (byte == '}' && place_ == Place::kKeyOrEnd) {
    end_object(position_ + 1);
    return std::size_t{1};
  }
  return break_object(byte);
}

Result<std::size_t> JsonSplitter::consume_key(char byte) {
  TALLY_TRY(keep({&byte, 1}));
  if (byte == '"' && !key_escaped_) {
    place_ = Place::kColon;
    return std::size_t{1};
  }
  key_escaped_ = byte == '\\' && !key_escaped_;
  if (key_.size() <= kDataKeyBytesMax) key_ += byte;
  return std::size_t{1};
}

bool JsonSplitter::key_is_data() const {
  if (limits_.data_is_a_field || key_.size() > kDataKeyBytesMax) return false;
  std::string decoded(key_.size(), '\0');
  const auto size = json_unescape(key_, decoded.data());
  return size && std::string_view(decoded).substr(0, *size) == "data";
}

Result<std::size_t> JsonSplitter::consume_colon(char byte) {
  if (byte != ':') return break_object(byte);
  TALLY_TRY(keep(":"));
  place_ = Place::kValueStart;
  return std::size_t{1};
}

Result<std::size_t> JsonSplitter::consume_value_start(char byte) {
  if (byte == ',' || byte == '}' || byte == ']') return break_object(byte);
  if (key_is_data()) {
    if (has_data_ && (is_envelope_ || byte == '[')) {
      return Error{ErrorCode::kUnreadable,
                   "the member \"data\" is there twice, again at byte " +
                       std::to_string(position_)};
    }
    has_data_ = true;
    if (byte == '[') {
      if (members_too_large_) return envelope_too_large();
      member_.clear();
      members_before_data_ = members_.size();
      is_envelope_ = true;
      place_ = Place::kElements;
      return std::size_t{1};
    }
  }
  place_ = Place::kValue;
  return std::size_t{0};
}

Result<std::size_t> JsonSplitter::consume_value(std::string_view bytes) {
  const std::string_view batch = bytes.substr(0, kValueBatchBytes);
  const JsonScanner::Found found = scanner_.scan(batch, commas_.data());
  if (found.commas == 0 && !found.closed) {
    TALLY_TRY(keep(batch));
    return batch.size();
  }

  // Behind a comma of ours the scanner's state is that of the beginning.
  scanner_.reset();
  const std::size_t end = found.commas > 0 ? commas_[0] : found.consumed - 1;
  TALLY_TRY(keep(batch.substr(0, end)));
  TALLY_TRY(end_member());
  if (batch[end] == ',') {
    place_ = Place::kKey;
  } else if (is_envelope_ && batch[end] != '}') {
    position_ += end;
    return unexpected(batch[end], "'}' or ','");
  } else {
    end_object(position_ + end + 1);
  }
  return end + 1;
}

Result<std::size_t> JsonSplitter::consume_member_end(char byte) {
  if (byte == ',') {
    place_ = Place::kKey;
  } else if (byte == '}') {
    end_object(position_ + 1);
  } else {
    return unexpected(byte, "'}' or ','");
  }
  return std::size_t{1};
}

// `byte` is none that may stand here.
Result<std::size_t> JsonSplitter::break_object(char byte) {
  if (is_envelope_) return unexpected(byte, "a member of the top-level object");
  place_ = Place::kBroken;
  return std::size_t{0};
}

Result<std::size_t> JsonSplitter::consume_broken(std::string_view bytes) {
  const std::string_view batch = bytes.substr(0, JsonScanner::kBatchBytes);
  const JsonScanner::Found found = scanner_.scan(batch, commas_.data());
  if (found.closed) end_object(position_ + found.consumed);
  return found.consumed;
}

void JsonSplitter::end_object(std::uint64_t end) {
  if (!is_envelope_) add_record(object_begin_, end);
  place_ = Place::kEnd;
}

// Keeps bytes of a member that the envelope would have, as long as it may be one: the key
// of the records themselves does not count.
Result<void> JsonSplitter::keep(std::string_view bytes) {
  if (members_too_large_) return {};
  member_ += bytes;
  if (members_.size() + member_.size() <=
      limits_.envelope_bytes_max + kDataMemberBytesMax) {
    return {};
  }
  return drop_members();
}

Result<void> JsonSplitter::end_member() {
  if (members_too_large_) return {};
  if (!members_.empty()) members_ += ',';
  members_ += trim_json_end(member_);
  member_.clear();
  if (members_.size() <= limits_.envelope_bytes_max) return {};
  return drop_members();
}

Result<void> JsonSplitter::drop_members() {
  if (is_envelope_) return envelope_too_large();
  members_too_large_ = true;
  members_.clear();
  member_.clear();
  return {};
}

Error JsonSplitter::envelope_too_large() const {
  return {ErrorCode::kTooLarge,
          "the members beside \"data\" of the top-level object are "
          "longer than " +
              std::to_string(limits_.envelope_bytes_max) + " bytes (envelope_bytes_max)"};
}

}  // namespace tallyman
