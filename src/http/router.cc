#include "http/router.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace tallyman::http {
namespace {

// Longer than any pattern; a path with more segments matches nothing.
constexpr std::size_t kSegmentsMax = 16;

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

// Without the slashes in front and the one at the end.
std::string_view strip(std::string_view path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

struct Segments {
  std::array<std::string_view, kSegmentsMax> parts;
  std::size_t count = 0;
  bool too_many = false;
};

Segments split(std::string_view path) {
  Segments segments;
  path = strip(path);
  if (path.empty()) return segments;
  while (segments.count < kSegmentsMax) {
    const std::size_t length = std::min(path.find('/'), path.size());
    segments.parts[segments.count++] = path.substr(0, length);
    // One slash at the end is gone already: what follows this one is a segment, if
    // perhaps an empty one.
    if (length == path.size()) return segments;
    path.remove_prefix(length + 1);
  }
  segments.too_many = true;
  return segments;
}

bool matches(const std::vector<std::string_view>& pattern, const Segments& path) {
  if (path.too_many || pattern.size() != path.count) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view part = path.parts[i];
    if (is_parameter(pattern[i]) ? part.empty() : pattern[i] != part) return false;
  }
  return true;
}

// The shape of a pattern in order of precedence: 'a' for a literal, 'b' for a parameter.
std::string shape(const std::vector<std::string_view>& pattern) {
  std::string text;
  for (const std::string_view segment : pattern)
    text += is_parameter(segment) ? 'b' : 'a';
  return text;
}

bool same_paths(const std::vector<std::string_view>& left,
                const std::vector<std::string_view>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](std::string_view one, std::string_view other) {
                      return one == other || (is_parameter(one) && is_parameter(other));
                    });
}

}  // namespace

std::string_view RouteMatch::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  CHECK(false);
  return {};
}

Router::Router(std::span<const Route> routes) : routes_(routes) {
  for (std::size_t i = 0; i < routes.size(); ++i) {
    CHECK(routes[i].pattern.starts_with('/'));
    const Segments segments = split(routes[i].pattern);
    CHECK(!segments.too_many);
    compiled_.push_back(
        {i, {segments.parts.begin(), segments.parts.begin() + segments.count}});
    for (std::size_t other = 0; other < i; ++other) {
      CHECK(routes[other].method != routes[i].method ||
            !same_paths(compiled_[other].segments, compiled_[i].segments));
    }
  }
  std::stable_sort(compiled_.begin(), compiled_.end(),
                   [](const Compiled& left, const Compiled& right) {
                     return shape(left.segments) < shape(right.segments);
                   });
}

RouteMatch Router::match(std::string_view method, std::string_view path) const {
  const Segments segments = split(path);
  const Compiled* found = nullptr;
  const Compiled* get = nullptr;
  std::vector<std::string_view> allowed;
  for (const Compiled& candidate : compiled_) {
    if (!matches(candidate.segments, segments)) continue;
    const std::string_view its_method = routes_[candidate.route].method;
    allowed.push_back(its_method);
    if (its_method == method && found == nullptr) found = &candidate;
    if (its_method == "GET" && get == nullptr) get = &candidate;
  }
  if (found == nullptr && method == "HEAD") found = get;

  RouteMatch match;
  if (found == nullptr) {
    if (allowed.empty()) return match;
    if (get != nullptr) allowed.push_back("HEAD");
    std::sort(allowed.begin(), allowed.end());
    allowed.erase(std::unique(allowed.begin(), allowed.end()), allowed.end());
    match.kind = RouteMatch::Kind::kMethodNotAllowed;
    for (const std::string_view one : allowed) {
      if (!match.allow.empty()) match.allow += ", ";
      match.allow += one;
    }
    return match;
  }
  match.kind = RouteMatch::Kind::kFound;
  match.route = found->route;
  for (std::size_t i = 0; i < found->segments.size(); ++i) {
    const std::string_view name = found->segments[i];
    if (!is_parameter(name)) continue;
    match.parameters.emplace_back(name.substr(1, name.size() - 2), segments.parts[i]);
  }
  return match;
}

}  // namespace tallyman::http
