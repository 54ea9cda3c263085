// The body of a request as the bytes of an upload: Content-Encoding taken off, the file
// of a form found.
//
//   if (!has_body(request)) return length_required();
//   TALLY_TRY_ASSIGN(const auto file, open_upload_file(request, service.settings()));
//   service.submit(caller, ..., file.source);
//
// Ownership: takes request.body; a source keeps what it reads from.
// Threads:   one. Memory: less than 1 MiB.
// Errors:    kUnsupportedMedia  a Content-Type, charset or encoding that is not read
//            kTooLarge          the request says that it is longer than may be
//            kUnreadable        a form that holds no file
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "model/content.h"
#include "service/job_service.h"

namespace tallyman {

// False where the request has neither Content-Length nor Transfer-Encoding.
bool has_body(const http::Request& request);
// 411.
http::Response length_required();

struct UploadBytes {
  ByteSource source;
  bool encoded =
      false;  // Had a Content-Encoding: a whole stream, to be stored whole or not.
  std::optional<std::uint64_t> announced = std::nullopt;  // Bytes, where they are known.
};

// Bytes as they are, whatever their Content-Type; but not a form.
Result<UploadBytes> open_upload_bytes(http::Request& request,
                                      const ServiceSettings& settings);

struct UploadFile {
  ContentType type;
  ByteSource source;
  std::vector<std::pair<std::string, std::string>> fields;  // Of a form, before its file.
  std::optional<std::uint64_t> announced = std::nullopt;  // Bytes, where they are known.
};

// Of a form, the type is that of the file's part or, where that says nothing, of its
// name.
Result<UploadFile> open_upload_file(http::Request& request,
                                    const ServiceSettings& settings);

}  // namespace tallyman
