#include "api/rest/links.h"

namespace tallyman::rest {
namespace {

bool is_unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
         byte == '~';
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char each : text) {
    if (is_unreserved(each)) {
      encoded += each;
      continue;
    }
    const auto byte = static_cast<unsigned char>(each);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

std::string resource_path(std::string_view resource, std::string_view tail) {
  return "/api/" + percent_encode(resource) + "/" + std::string(tail) + "/";
}

std::string job_path(const Job& job, std::string_view tail) {
  std::string path = resource_path(job.resource, "jobs/" + job.id.to_string());
  if (!tail.empty()) path += std::string(tail) + "/";
  return path;
}

}  // namespace tallyman::rest
