#include "model/content.h"

#include <algorithm>
#include <cctype>

#include "base/check.h"

namespace tallyman {

std::string_view name(ContentType type) {
  switch (type) {
    case ContentType::kCsv: return "text/csv";
    case ContentType::kNdjson: return "application/x-ndjson";
    case ContentType::kJson: return "application/json";
  }
  CHECK(false);
}

std::optional<ContentType> content_type_from_name(std::string_view text) {
  std::string media(text.substr(0, text.find(';')));
  while (!media.empty() && media.back() == ' ') media.pop_back();
  std::transform(media.begin(), media.end(), media.begin(),
                 [](unsigned char byte) { return std::tolower(byte); });
  if (media == "text/csv") return ContentType::kCsv;
  if (media == "application/x-ndjson" || media == "application/ndjson" ||
      media == "application/jsonl") {
    return ContentType::kNdjson;
  }
  if (media == "application/json") return ContentType::kJson;
  return std::nullopt;
}

}  // namespace tallyman
