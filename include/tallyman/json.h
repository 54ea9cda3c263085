// Json: one JSON value as text, so that a decimal keeps its digits.
//
//   Json::object({{"Food", Json::integer(1)}, {"total", Json::number("175.75")}})
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tallyman {

class Json {
 public:
  static Json null() { return Json("null"); }
  static Json boolean(bool value) { return Json(value ? "true" : "false"); }
  static Json integer(std::int64_t value);
  // `digits` must be a JSON number; it is written as it is. Throws std::invalid_argument.
  static Json number(std::string_view digits);
  static Json text(std::string_view value);
  static Json array(const std::vector<Json>& elements);
  static Json object(const std::vector<std::pair<std::string, Json>>& members);

  const std::string& dump() const { return text_; }

 private:
  explicit Json(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace tallyman
