#include "http/multipart.h"

#include <array>

#include "base/check.h"
#include "http/ascii.h"
#include "http/header_value.h"
#include "http/multipart_parts.h"

namespace tallyman::http {
namespace {

// RFC 2046, 5.1.1.
constexpr std::size_t kBoundaryBytesMax = 70;

Error unreadable(std::string what) {
  return {ErrorCode::kUnreadable, "multipart body: " + std::move(what)};
}

struct PartHead {
  std::string name;
  std::string file_name;
  std::string content_type;
  bool is_file = false;
};

Result<PartHead> parse_part_head(const std::vector<std::string>& lines) {
  PartHead head;
  bool has_disposition = false;
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.front() == ' ' || line.front() == '\t') {
      return unreadable("a header line of a part is not 'Name: value'");
    }
    const std::string_view name = std::string_view(line).substr(0, colon);
    const std::string_view value = trim(std::string_view(line).substr(colon + 1));
    if (equals_ignoring_case(name, "Content-Type")) {
      head.content_type = value;
    } else if (equals_ignoring_case(name, "Content-Transfer-Encoding")) {
      if (!equals_ignoring_case(value, "binary") &&
          !equals_ignoring_case(value, "8bit") && !equals_ignoring_case(value, "7bit")) {
        return unreadable("a part has a Content-Transfer-Encoding; send it as it is");
      }
    } else if (equals_ignoring_case(name, "Content-Disposition")) {
      const auto parsed = parse_header_value(value);
      if (!parsed || parsed->value != "form-data" || has_disposition) {
        return unreadable(
            "a part's Content-Disposition is not 'form-data; name=\"...\"'");
      }
      has_disposition = true;
      head.name = parsed->parameter("name").value_or("");
      head.is_file = parsed->parameter("filename") || parsed->parameter("filename*");
      head.file_name = parsed->parameter("filename").value_or("");
    }
  }
  if (!has_disposition) return unreadable("a part has no Content-Disposition");
  const auto type = parse_header_value(head.content_type);
  if (!type) return unreadable("a part's Content-Type cannot be read");
  if (!type->value.empty() && type->value != "text/plain") head.is_file = true;
  return head;
}

}  // namespace

MultipartFile::MultipartFile(std::unique_ptr<MultipartParts> parts,
                             MultipartLimits limits)
    : parts_(std::move(parts)), limits_(limits) {}

MultipartFile::~MultipartFile() = default;

Result<std::unique_ptr<MultipartFile>> MultipartFile::open(
    std::unique_ptr<BodyStream> source, std::string_view content_type,
    MultipartLimits limits) {
  const auto type = parse_header_value(content_type);
  const auto boundary = type ? type->parameter("boundary") : std::nullopt;
  if (!boundary || type->value != "multipart/form-data" || boundary->empty() ||
      boundary->size() > kBoundaryBytesMax) {
    return Error{ErrorCode::kUnsupportedMedia,
                 "the Content-Type is not multipart/form-data with a boundary of 1 to 70 "
                 "characters"};
  }
  std::unique_ptr<MultipartFile> file(new MultipartFile(
      std::make_unique<MultipartParts>(std::move(source), *boundary), limits));
  TALLY_TRY(file->read_to_file());
  return file;
}

Result<void> MultipartFile::read_to_file() {
  TALLY_TRY(parts_->find_first());
  while (!parts_->closed()) {
    TALLY_TRY_ASSIGN(const auto lines,
                     parts_->read_header_lines(limits_.part_header_bytes_max));
    TALLY_TRY_ASSIGN(PartHead head, parse_part_head(lines));
    if (head.is_file) {
      content_type_ = std::move(head.content_type);
      file_name_ = std::move(head.file_name);
      return {};
    }
    TALLY_TRY(read_field(std::move(head.name)));
  }
  return unreadable("no part of it is a file; give one part a filename");
}

Result<void> MultipartFile::read_field(std::string name) {
  if (fields_.size() == limits_.fields_max) {
    return Error{ErrorCode::kTooLarge, "multipart body: it has more than " +
                                           std::to_string(limits_.fields_max) +
                                           " fields"};
  }
  std::string value;
  std::array<char, 4096> bytes;
  while (true) {
    TALLY_TRY_ASSIGN(const std::size_t count, parts_->read(bytes));
    if (count == 0) break;
    value.append(bytes.data(), count);
    if (value.size() > limits_.field_bytes_max) {
      return Error{ErrorCode::kTooLarge,
                   "multipart body: field \"" + name + "\" is longer than " +
                       std::to_string(limits_.field_bytes_max) +
                       " bytes; if it is the file, give its part a filename"};
    }
  }
  fields_.emplace_back(std::move(name), std::move(value));
  return {};
}

Result<std::size_t> MultipartFile::read(std::span<char> into) {
  CHECK(!into.empty());
  if (problem_) return *problem_;
  if (ended_) return std::size_t{0};
  auto count = parts_->read(into);
  if (count.ok() && count.value() == 0) {
    ended_ = true;
    if (auto rest = judge_rest(); !rest.ok()) count = std::move(rest).error();
  }
  if (!count.ok()) problem_ = count.error();
  return count;
}

Result<void> MultipartFile::judge_rest() {
  if (parts_->closed()) return {};
  TALLY_TRY_ASSIGN(const auto lines,
                   parts_->read_header_lines(limits_.part_header_bytes_max));
  TALLY_TRY_ASSIGN(const PartHead head, parse_part_head(lines));
  if (head.is_file) {
    return unreadable("it has a second file, in part \"" + head.name +
                      "\"; send one file a request");
  }
  return unreadable("field \"" + head.name + "\" comes after the file; put it before");
}

std::optional<std::string_view> MultipartFile::field(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace tallyman::http
