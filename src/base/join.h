// join: texts with something between them.
//
//   join({"a", "b"}, ", ")  ->  "a, b"
//
// Threads: any.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tallyman {

inline std::string join(std::span<const std::string> parts, std::string_view between) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) joined += between;
    joined += parts[i];
  }
  return joined;
}

}  // namespace tallyman
