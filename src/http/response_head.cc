#include "http/response_head.h"

#include <fmt/format.h>

#include <array>
#include <ctime>

#include "http/ascii.h"

namespace tallyman::http {
namespace {

// IMF-fixdate (RFC 9110, 5.6.7), made once a second and thread.
std::string_view date_text() {
  thread_local std::time_t made_at = 0;
  thread_local std::array<char, 64> text;
  thread_local std::size_t length = 0;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto end = fmt::format_to_n(
        text.data(), text.size(), "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
        kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
        parts.tm_hour, parts.tm_min, parts.tm_sec);
    length = end.size;
    made_at = now;
  }
  return {text.data(), length};
}

bool is_servers_own(std::string_view name) {
  return equals_ignoring_case(name, "Connection") ||
         equals_ignoring_case(name, "Content-Length") ||
         equals_ignoring_case(name, "Transfer-Encoding") ||
         equals_ignoring_case(name, "Date");
}

void append_without_controls(std::string& out, std::string_view value) {
  for (const char letter : value) out += is_control(letter) ? ' ' : letter;
}

void append_framing(std::string& out, const ResponseFraming& framing) {
  switch (framing.framing) {
    case BodyFraming::kNone:
    case BodyFraming::kToClose: return;
    case BodyFraming::kLength:
      fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n",
                     framing.content_length);
      return;
    case BodyFraming::kChunked: out += "Transfer-Encoding: chunked\r\n"; return;
  }
}

}  // namespace

void append_response_head(std::string& out, const Response& response,
                          const ResponseFraming& framing) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: {}\r\n",
                 response.status, reason_phrase(response.status), date_text());
  for (const auto& [name, value] : response.headers.all()) {
    if (is_servers_own(name)) continue;
    append_without_controls(out, name);
    out += ": ";
    append_without_controls(out, value);
    out += "\r\n";
  }
  append_framing(out, framing);
  out +=
      framing.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

}  // namespace tallyman::http
