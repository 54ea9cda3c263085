#include "http/request_head.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "http/ascii.h"
#include "http/request_target.h"

namespace tallyman::http {
namespace {

namespace beast = boost::beast;

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

// Beast cuts the lines and judges tokens and versions; what a request means is judged
// here.
class HeadParser final : public beast::http::basic_parser<true> {
 public:
  HeadParser() {
    skip(true);
    body_limit(boost::none);
    header_limit(UINT32_MAX);
  }

  RequestHead head;
  std::string target;

 private:
  void on_request_impl(beast::http::verb, beast::string_view method,
                       beast::string_view path, int version,
                       beast::error_code& error) override {
    error = {};
    head.method = view_of(method);
    target = view_of(path);
    head.http_1_1 = version == 11;
  }
  void on_field_impl(beast::http::field, beast::string_view name,
                     beast::string_view value, beast::error_code& error) override {
    error = {};
    head.headers.add(view_of(name), view_of(value));
  }
  void on_header_impl(beast::error_code& error) override {
    error = {};
    head.keep_alive = keep_alive();
  }
  void on_finish_impl(beast::error_code& error) override { error = {}; }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&,
                         beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view,
                            beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view,
                                 beast::error_code&) override {
    return 0;
  }
};

// What no line of a head may hold, whoever reads it: a bare CR or LF, a folded line, NUL.
std::optional<Fault> judge_bytes(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char letter = bytes[i];
    if (!is_control(letter) || letter == '\t') continue;
    if (letter == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') {
      ++i;
      if (i + 1 < bytes.size() && (bytes[i + 1] == ' ' || bytes[i + 1] == '\t')) {
        return Fault::bad_request("a header line is folded; send it as one line");
      }
      continue;
    }
    if (letter == '\n' || letter == '\r') {
      return Fault::bad_request("a line of the request head does not end with CR LF");
    }
    return Fault::bad_request("the request head has a control character");
  }
  return std::nullopt;
}

struct Counted {
  std::size_t count = 0;
  std::string_view value;
};

Counted count_fields(const Headers& headers, std::string_view name) {
  Counted counted;
  for (const auto& [field, value] : headers.all()) {
    if (!equals_ignoring_case(field, name)) continue;
    ++counted.count;
    counted.value = value;
  }
  return counted;
}

std::optional<Fault> judge_host(const RequestHead& head, std::string_view authority) {
  const Counted host = count_fields(head.headers, "Host");
  if (host.count == 0 && !head.http_1_1) return std::nullopt;
  if (host.count != 1) {
    return Fault::bad_request(host.count == 0
                                  ? "the request has no Host header"
                                  : "the request has more than one Host header");
  }
  if (host.value.empty() ||
      host.value.find_first_of(" \t,/\\@?#\"<>{}|^`") != std::string_view::npos) {
    return Fault::bad_request("the Host header is not a host and port");
  }
  if (!authority.empty() && !equals_ignoring_case(authority, host.value)) {
    return Fault::bad_request(
        "the request target and the Host header name different hosts");
  }
  return std::nullopt;
}

std::optional<Fault> read_body_framing(RequestHead& head) {
  const Counted length = count_fields(head.headers, "Content-Length");
  const Counted coding = count_fields(head.headers, "Transfer-Encoding");
  if (coding.count > 0 && length.count > 0) {
    return Fault::bad_request(
        "the request has both Content-Length and Transfer-Encoding; send one");
  }
  if (coding.count > 1 || length.count > 1) {
    return Fault::bad_request(
        "Content-Length or Transfer-Encoding is there more than once");
  }
  if (coding.count == 1) {
    if (!head.http_1_1) return Fault::bad_request("HTTP/1.0 has no Transfer-Encoding");
    if (!equals_ignoring_case(coding.value, "chunked")) {
      return Fault::bad_request("Transfer-Encoding can only be 'chunked'");
    }
    head.body_kind = RequestBodyKind::kChunked;
    return std::nullopt;
  }
  if (length.count == 0) return std::nullopt;
  const char* const end = length.value.data() + length.value.size();
  std::int64_t bytes = 0;
  const auto [stopped, problem] = std::from_chars(length.value.data(), end, bytes);
  if (problem != std::errc() || stopped != end || !is_digit(length.value.front())) {
    return Fault::bad_request("Content-Length is not a plain number of bytes");
  }
  head.content_length = static_cast<std::uint64_t>(bytes);
  if (bytes > 0) head.body_kind = RequestBodyKind::kLength;
  return std::nullopt;
}

// "close" counts beside whatever else Connection says (RFC 9112, 9.3); Beast lets
// "keep-alive" of HTTP/1.0 win.
bool says_close(const Headers& headers) {
  for (const auto& [field, value] : headers.all()) {
    if (!equals_ignoring_case(field, "Connection")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::string_view word = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      if (equals_ignoring_case(trim(word), "close")) return true;
    }
  }
  return false;
}

std::optional<Fault> read_expectation(RequestHead& head) {
  const Counted expect = count_fields(head.headers, "Expect");
  if (expect.count == 0) return std::nullopt;
  if (expect.count > 1 || !equals_ignoring_case(expect.value, "100-continue")) {
    return Fault{417, "EXPECTATION_FAILED", "Expect can only be '100-continue'"};
  }
  // An HTTP/1.0 client would take the interim answer for the final one.
  head.expects_continue = head.http_1_1 && head.body_kind != RequestBodyKind::kNone;
  return std::nullopt;
}

Fault fault_of(const beast::error_code& error) {
  if (error == beast::http::error::bad_version) {
    return {505, "VERSION_NOT_SUPPORTED", "this server speaks HTTP/1.1 and HTTP/1.0"};
  }
  return Fault::bad_request("the request head cannot be read: " + error.message());
}

std::optional<Fault> judge(HeadParser& parser) {
  RequestHead& head = parser.head;
  if (head.headers.all().size() > kHeaderLinesMax) {
    return Fault::header_too_large("the request has more than " +
                                   std::to_string(kHeaderLinesMax) + " header lines");
  }
  auto target = parse_request_target(parser.target);
  if (auto* fault = std::get_if<Fault>(&target)) return std::move(*fault);
  auto& parsed = std::get<RequestTarget>(target);
  if (auto fault = judge_host(head, parsed.authority)) return fault;
  if (auto fault = read_body_framing(head)) return fault;
  if (auto fault = read_expectation(head)) return fault;
  if (says_close(head.headers)) head.keep_alive = false;
  head.path = std::move(parsed.path);
  head.query = std::move(parsed.query);
  return std::nullopt;
}

}  // namespace

std::variant<RequestHead, Fault> parse_request_head(std::string_view bytes) {
  if (auto fault = judge_bytes(bytes)) return *std::move(fault);
  HeadParser parser;
  beast::error_code error;
  parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error) return fault_of(error);
  CHECK(parser.is_header_done());
  if (auto fault = judge(parser)) return *std::move(fault);
  return std::move(parser.head);
}

HeadEnd find_head_end(std::string_view bytes, std::size_t searched) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  for (std::size_t at = bytes.find('\n', searched); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return {.bare_line_feed = true};
    if (bytes.substr(0, at + 1).ends_with(kEnd)) return {.size = at + 1};
  }
  return {};
}

}  // namespace tallyman::http
