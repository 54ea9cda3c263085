// How the bytes of an upload are to be read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

// The numbers are stored in databases: append, never renumber.
enum class ContentType : std::uint8_t {
  kCsv = 0,     // text/csv, with a header line
  kNdjson = 1,  // application/x-ndjson, one JSON value a line
  kJson = 2,    // application/json: an array, one object, or the enveloped form
};

// The media type: "text/csv", ...
std::string_view name(ContentType type);

// Takes a Content-Type header; its parameters (charset ...) are passed over.
std::optional<ContentType> content_type_from_name(std::string_view text);

struct InputFormat {
  ContentType type = ContentType::kCsv;
  char delimiter = ',';  // CSV.
  std::string
      null_value;  // CSV: the unquoted cell that is NULL; by default the empty one.
};

}  // namespace tallyman
