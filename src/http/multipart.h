// MultipartFile: the one file of a multipart/form-data body (RFC 7578, RFC 2046), as a
// stream.
//
//   TALLY_TRY_ASSIGN(auto file, MultipartFile::open(std::move(request.body),
//   content_type)); file->content_type();        // "text/csv"
//   file->field("on_duplicate"); // of the fields before it
//   file->read(buffer);          // its bytes
//
// A part is the file when it has a filename, or a Content-Type that is not text/plain.
// Form fields have to come before it: what follows a file of any size would be read too
// late to mean something, so it is refused, not ignored. Lines end with CR LF or, if the
// first one does, with LF.
//
// Ownership: owns the source. Threads: one. Memory: 128 KiB and the fields.
// Errors: kUnreadable, naming what is wrong; kTooLarge for the fields; kUnsupportedMedia
// for a Content-Type that is not multipart/form-data with a boundary; the source's own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace tallyman::http {

class MultipartParts;

struct MultipartLimits {
  // One part's header lines; ordinary ones have 200 bytes.
  std::size_t part_header_bytes_max = 8 * 1024;
  // Options of a job, aggregates among them.
  std::size_t field_bytes_max = 64 * 1024;
  std::size_t fields_max = 64;
};

class MultipartFile final : public BodyStream {
 public:
  // Reads up to the first byte of the file.
  static Result<std::unique_ptr<MultipartFile>> open(std::unique_ptr<BodyStream> source,
                                                     std::string_view content_type,
                                                     MultipartLimits limits = {});
  ~MultipartFile() override;

  // The file's bytes. After its last one what follows is judged too, so an error at the
  // end means that the body as a whole is not sound.
  Result<std::size_t> read(std::span<char> into) override;

  const std::string& content_type() const { return content_type_; }  // May be empty.
  const std::string& file_name() const { return file_name_; }        // May be empty.
  const std::vector<std::pair<std::string, std::string>>& fields() const {
    return fields_;
  }
  // The first field of that name.
  std::optional<std::string_view> field(std::string_view name) const;

 private:
  MultipartFile(std::unique_ptr<MultipartParts> parts, MultipartLimits limits);

  Result<void> read_to_file();
  Result<void> read_field(std::string name);
  Result<void> judge_rest();

  const std::unique_ptr<MultipartParts> parts_;
  const MultipartLimits limits_;
  std::string content_type_;
  std::string file_name_;
  std::vector<std::pair<std::string, std::string>> fields_;
  bool ended_ = false;
  std::optional<Error> problem_;
};

}  // namespace tallyman::http
