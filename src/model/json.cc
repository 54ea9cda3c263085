#include "tallyman/json.h"

#include <stdexcept>

#include "base/json_writer.h"
#include "model/json_number.h"

namespace tallyman {

Json Json::integer(std::int64_t value) { return Json(std::to_string(value)); }

Json Json::number(std::string_view digits) {
  if (!is_json_number(digits)) {
    throw std::invalid_argument(
        "Json::number: digits must be a JSON number, such as -12.5 or 1e3");
  }
  return Json(std::string(digits));
}

Json Json::text(std::string_view value) {
  std::string text;
  append_json_string(text, value);
  return Json(std::move(text));
}

Json Json::array(const std::vector<Json>& elements) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_array();
  for (const Json& element : elements) writer.raw(element.dump());
  writer.end_array();
  return Json(std::move(text));
}

Json Json::object(const std::vector<std::pair<std::string, Json>>& members) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  for (const auto& [key, value] : members) writer.key(key).raw(value.dump());
  writer.end_object();
  return Json(std::move(text));
}

}  // namespace tallyman
