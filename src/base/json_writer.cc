#include "base/json_writer.h"

#include <fmt/format.h>

#include <array>

#include "base/utf8.h"

namespace tallyman {
namespace {

// What a byte below 0x80 is written as; empty where it stands for itself.
constexpr std::string_view short_escape(unsigned char byte) {
  switch (byte) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return {};
  }
}

bool stands_for_itself(unsigned char byte) {
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t done = 0;
  while (done < text.size()) {
    std::size_t plain = done;
    while (plain < text.size() &&
           stands_for_itself(static_cast<unsigned char>(text[plain]))) {
      ++plain;
    }
    out.append(text, done, plain - done);
    done = plain;
    if (done == text.size()) break;

    const auto byte = static_cast<unsigned char>(text[done]);
    if (byte >= 0x80) {
      const std::size_t length = utf8_sequence_length(text.substr(done));
      if (length == 0) {
        out += "\\ufffd";
        ++done;
      } else {
        out.append(text, done, length);
        done += length;
      }
      continue;
    }
    if (const std::string_view escape = short_escape(byte); !escape.empty()) {
      out += escape;
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    }
    ++done;
  }
  out += '"';
}

JsonWriter& JsonWriter::open(char bracket) {
  comma_if_needed();
  out_ += bracket;
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  need_comma_ = true;
  return *this;
}

void JsonWriter::comma_if_needed() {
  if (need_comma_) out_ += ',';
  need_comma_ = true;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  comma_if_needed();
  append_json_string(out_, name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  comma_if_needed();
  append_json_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  comma_if_needed();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::number(double value, int places) {
  comma_if_needed();
  fmt::format_to(std::back_inserter(out_), "{:.{}f}", value, places);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  comma_if_needed();
  out_ += json;
  return *this;
}

}  // namespace tallyman
