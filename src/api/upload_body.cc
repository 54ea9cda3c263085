#include "api/upload_body.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>

#include "api/errors.h"
#include "http/inflate.h"
#include "http/multipart.h"

namespace tallyman {
namespace {

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                 [](unsigned char byte) { return std::tolower(byte); });
  return lowered;
}

Error unsupported(std::string message) {
  return {ErrorCode::kUnsupportedMedia, std::move(message)};
}

bool is_form(std::string_view content_type) {
  return lower(content_type).starts_with("multipart/");
}

ByteSource source_of(std::unique_ptr<http::BodyStream> body) {
  return [kept = std::shared_ptr<http::BodyStream>(std::move(body))](
             std::span<char> into) { return kept->read(into); };
}

struct OpenedBody {
  std::unique_ptr<http::BodyStream> stream;
  bool encoded = false;
  std::optional<std::uint64_t> announced = std::nullopt;
};

Result<OpenedBody> open_body(http::Request& request, const ServiceSettings& settings) {
  const auto header = request.headers.find("Content-Encoding");
  const std::string encoding = header ? lower(*header) : "identity";
  if (encoding == "gzip" || encoding == "x-gzip") {
    return OpenedBody{
        http::inflate(std::move(request.body),
                      {.expanded_bytes_max = settings.upload_bytes_max,
                       .expansion_ratio_max = settings.expansion_ratio_max}),
        true};
  }
  if (encoding != "identity") {
    return unsupported("the Content-Encoding '" + encoding +
                       "' is not read here; send gzip, or the bytes as they are");
  }
  if (request.content_length && *request.content_length > settings.upload_bytes_max) {
    return Error{ErrorCode::kTooLarge,
                 "the upload has " + std::to_string(*request.content_length) +
                     " bytes; at most " + std::to_string(settings.upload_bytes_max) +
                     " are taken (upload_bytes_max); cut it into several jobs"};
  }
  return OpenedBody{std::move(request.body), false, request.content_length};
}

// The value of "charset" in a Content-Type, in lower case; empty where there is none.
std::string charset_of(std::string_view content_type) {
  const std::string lowered = lower(content_type);
  const std::size_t found = lowered.find("charset=");
  if (found == std::string::npos) return {};
  std::string charset = lowered.substr(found + 8);
  std::erase(charset, '"');
  return charset.substr(0, charset.find_first_of("; "));
}

Result<ContentType> type_of_header(std::string_view content_type) {
  const auto type = content_type_from_name(content_type);
  if (!type) {
    return unsupported(
        "uploads are text/csv, application/x-ndjson, application/json or "
        "multipart/form-data; "
        "the Content-Type of this one is none of them");
  }
  const std::string charset = charset_of(content_type);
  if (!charset.empty() && charset != "utf-8" && charset != "us-ascii") {
    return unsupported("the charset '" + charset + "' is not read here; send UTF-8");
  }
  return *type;
}

std::optional<ContentType> type_of_file_name(std::string_view file_name) {
  const std::string lowered = lower(file_name);
  if (lowered.ends_with(".csv")) return ContentType::kCsv;
  if (lowered.ends_with(".ndjson") || lowered.ends_with(".jsonl"))
    return ContentType::kNdjson;
  if (lowered.ends_with(".json")) return ContentType::kJson;
  return std::nullopt;
}

Result<ContentType> type_of_form_file(const http::MultipartFile& file) {
  const std::string type = lower(file.content_type());
  // What a browser sends for a file whose kind it does not know.
  const bool says_nothing =
      type.empty() || type.starts_with("application/octet-stream") ||
      type.starts_with("application/vnd.ms-excel") || type.starts_with("text/plain");
  const auto by_name = type_of_file_name(file.file_name());
  if (says_nothing && by_name) return *by_name;
  return type_of_header(type);
}

Result<UploadFile> open_form(std::unique_ptr<http::BodyStream> body,
                             std::string_view content_type) {
  TALLY_TRY_ASSIGN(auto file, http::MultipartFile::open(std::move(body), content_type));
  TALLY_TRY_ASSIGN(const ContentType type, type_of_form_file(*file));
  auto fields = file->fields();
  return UploadFile{type, source_of(std::move(file)), std::move(fields)};
}

}  // namespace

bool has_body(const http::Request& request) {
  return request.content_length || request.headers.find("Content-Length") ||
         request.headers.find("Transfer-Encoding");
}

http::Response length_required() {
  return error_response(411, "LENGTH_REQUIRED",
                        "the request has no body; send one with Content-Length, or with "
                        "Transfer-Encoding: chunked");
}

Result<UploadBytes> open_upload_bytes(http::Request& request,
                                      const ServiceSettings& settings) {
  if (const auto type = request.headers.find("Content-Type"); type && is_form(*type)) {
    return unsupported("a part of an upload is sent as it is, not as a form");
  }
  TALLY_TRY_ASSIGN(OpenedBody body, open_body(request, settings));
  return UploadBytes{source_of(std::move(body.stream)), body.encoded, body.announced};
}

Result<UploadFile> open_upload_file(http::Request& request,
                                    const ServiceSettings& settings) {
  const std::string content_type(
      request.headers.find("Content-Type").value_or(std::string_view()));
  if (is_form(content_type)) {
    TALLY_TRY_ASSIGN(OpenedBody body, open_body(request, settings));
    return open_form(std::move(body.stream), content_type);
  }
  TALLY_TRY_ASSIGN(const ContentType type, type_of_header(content_type));
  TALLY_TRY_ASSIGN(OpenedBody body, open_body(request, settings));
  return UploadFile{type, source_of(std::move(body.stream)), {}, body.announced};
}

}  // namespace tallyman
