// JsonWriter: appends JSON to a string, in the order it is told.
//
//   std::string out;
//   JsonWriter json(out);
//   json.begin_object().key("total").integer(2).key("name").text("x").end_object();
//
// Numbers are written as they are given: a decimal is passed as its digits (raw), so it
// never becomes a float. Commas are the writer's business.
//
// Threads: none of its own; one writer, one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tallyman {

// Appends `text` as a JSON string, quotes and escapes included (RFC 8259, section 7).
// Bytes that are not UTF-8 become U+FFFD, so that the output is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  // Fixed point with `places` digits after the point: 12.5, 100.0.
  JsonWriter& number(double value, int places);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // `json` must be one JSON value already.
  JsonWriter& raw(std::string_view json);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void comma_if_needed();

  std::string& out_;
  bool need_comma_ = false;
};

}  // namespace tallyman
