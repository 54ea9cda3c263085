#include "http/request_target.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "http/ascii.h"

namespace tallyman::http {
namespace {

// Nothing where a percent sign is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

bool hides_a_slash(std::string_view encoded) {
  for (std::size_t at = encoded.find('%'); at != std::string_view::npos;
       at = encoded.find('%', at + 1)) {
    const std::string_view digits = encoded.substr(at + 1, 2);
    if (equals_ignoring_case(digits, "2f") || equals_ignoring_case(digits, "5c"))
      return true;
  }
  return encoded.find('\\') != std::string_view::npos;
}

std::variant<std::string, Fault> parse_path(std::string_view encoded) {
  if (hides_a_slash(encoded)) {
    return Fault::bad_request(
        "the path has a backslash or an encoded slash; a slash is only a separator");
  }
  std::optional<std::string> path = percent_decode(encoded, false);
  if (!path) {
    return Fault::bad_request(
        "the path has a '%' that two hexadecimal digits do not follow; write '%' as %25");
  }
  if (std::any_of(path->begin(), path->end(), is_control)) {
    return Fault::bad_request("the path has a control character");
  }
  if (!is_utf8(*path)) return Fault::bad_request("the path is not UTF-8");
  const std::size_t slashes = std::min(path->find_first_not_of('/'), path->size());
  path->erase(0, slashes - 1);
  if (has_dot_segment(*path)) {
    return Fault::bad_request(
        "the path has a '.' or '..' segment; send the path it stands for");
  }
  return *std::move(path);
}

std::optional<Fault> parse_query(std::string_view text, RequestTarget& target) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(pair.substr(std::min(pair.size(), equals + 1)), true);
    if (!name || !value) {
      return Fault::bad_request(
          "the query has a '%' that two hexadecimal digits do not follow; write '%' as "
          "%25");
    }
    if (name->find('\0') != std::string::npos || value->find('\0') != std::string::npos) {
      return Fault::bad_request("the query has a NUL (%00)");
    }
    if (!is_utf8(*name) || !is_utf8(*value)) {
      return Fault::bad_request("the query is not UTF-8");
    }
    target.query.emplace_back(*std::move(name), *std::move(value));
  }
  return std::nullopt;
}

// Cuts "http://host" off the front of an absolute form.
std::string_view cut_authority(std::string_view& text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equals_ignoring_case(text.substr(0, scheme.size()), scheme)) continue;
    text.remove_prefix(scheme.size());
    const std::string_view authority = text.substr(0, text.find_first_of("/?"));
    text.remove_prefix(authority.size());
    return authority;
  }
  return {};
}

}  // namespace

std::variant<RequestTarget, Fault> parse_request_target(std::string_view text) {
  RequestTarget target;
  if (text.empty() || text.front() != '/') {
    target.authority = cut_authority(text);
    if (!target.authority.empty() && (text.empty() || text.front() == '?')) {
      target.path.assign(1, '/');
    } else if (target.authority.empty() || text.front() != '/') {
      return Fault::bad_request("the request target does not begin with '/'");
    }
  }
  if (text.find('#') != std::string_view::npos) {
    return Fault::bad_request(
        "the request target has a '#'; a fragment is not sent, and a '#' that is data is "
        "%23");
  }
  const std::size_t mark = std::min(text.find('?'), text.size());
  if (target.path.empty()) {
    auto path = parse_path(text.substr(0, mark));
    if (auto* fault = std::get_if<Fault>(&path)) return std::move(*fault);
    target.path = std::get<std::string>(std::move(path));
  }
  if (auto fault = parse_query(text.substr(std::min(text.size(), mark + 1)), target)) {
    return *std::move(fault);
  }
  return target;
}

}  // namespace tallyman::http
