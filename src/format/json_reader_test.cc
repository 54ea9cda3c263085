#include <gtest/gtest.h>

#include <random>
#include <string>

#include "format/json_cursor.h"
#include "format/upload_for_tests.h"

namespace tallyman::for_tests {
namespace {

const Strings kColumns{"id", "name", "tags"};

Strings read_json(std::string bytes, int scalar_column = -1) {
  return read({ContentType::kJson, std::move(bytes)}, kColumns, scalar_column);
}

Strings read_lines(std::string bytes, int scalar_column = -1) {
  return read({ContentType::kNdjson, std::move(bytes)}, kColumns, scalar_column);
}

TEST(JsonReader, ReadsEveryKindOfValue) {
  EXPECT_EQ(
      read_lines(R"({"id": 1, "name": "x", "tags": [1, {"a": "b"}]})"
                 "\n"
                 R"({"tags":{},"id":null} )"
                 "\n"
                 R"({"name":true,"tags":false})"
                 "\n{}\n"),
      (Strings{"#1|x|~[1, {\"a\": \"b\"}]", "NULL|-|~{}", "-|TRUE|FALSE", "-|-|-"}));
}

TEST(JsonReader, NumbersKeepTheirDigits) {
  EXPECT_EQ(read_json(R"([{"id": 12345678901234567890.10, "name": -0.0, "tags": 1E+2}])"),
            Strings{"#12345678901234567890.10|#-0.0|#1E+2"});
}

TEST(JsonReader, DecodesTextAndKeys) {
  EXPECT_EQ(read_json(R"([{"\u0069d": "\u00e9\n\"", "name": "", "tags": "a\\"}])"),
            Strings{"\xC3\xA9\n\"||a\\"});
}

TEST(JsonReader, KeysMayComeInAnyOrder) {
  EXPECT_EQ(read_json(R"([{"id":1,"name":2},{"name":3,"id":4},{"tags":5},{"id":6}])"),
            (Strings{"#1|#2|-", "#4|#3|-", "-|-|#5", "#6|-|-"}));
}

TEST(JsonReader, ReadsBareIdsWhereTheyAreTaken) {
  EXPECT_EQ(read_json(R"([1, "a\u0062", {"id": 2}])", 0),
            (Strings{"#1|-|-", "ab|-|-", "#2|-|-"}));
  EXPECT_EQ(
      read_json("[true, null, [1]]", 0),
      Strings(3,
              "!MALFORMED_RECORD : the record is neither an object nor a number or a "
              "text"));
  EXPECT_EQ(read_json("[1, \"a\", [1]]"),
            Strings(3,
                    "!MALFORMED_RECORD : the record is not an object: write {\"field\": "
                    "value, ...}"));
}

TEST(JsonReader, NamesTheNearestFieldForAnUnknownOne) {
  EXPECT_EQ(
      read_json(R"([{"nmae": 1}, {"nmae": 2}, {"qqqqqqqq": 1}, {"id": 1}])"),
      (Strings{"!UNKNOWN_FIELD nmae: there is no field \"nmae\"; did you mean \"name\"?",
               "!UNKNOWN_FIELD nmae: there is no field \"nmae\"; did you mean \"name\"?",
               "!UNKNOWN_FIELD qqqqqqqq: there is no field \"qqqqqqqq\"", "#1|-|-"}));
}

TEST(JsonReader, AMalformedRecordIsThatBeforeItHasAnUnknownField) {
  EXPECT_EQ(
      read_lines("{\"nmae\": 1, \"id\": x}"),
      Strings{
          "!MALFORMED_RECORD : the record is not JSON: it goes wrong at its byte 18"});
}

TEST(JsonReader, RefusesAKeyThatIsThereTwice) {
  EXPECT_EQ(read_json(R"([{"id": null, "\u0069d": 1}])"),
            Strings{"!MALFORMED_RECORD id: the field \"id\" is there twice"});
}

TEST(JsonReader, SaysWhereARecordGoesWrong) {
  const std::pair<std::string, int> records[] = {{R"({"id": 01})", 7},
                                                 {R"({"id": 1 2})", 9},
                                                 {R"({"id" 1})", 6},
                                                 {R"({"id": 1,})", 9},
                                                 {R"({"id": 1)", 8},
                                                 {R"({"id": 1}})", 9},
                                                 {R"({"id": tru})", 7},
                                                 {R"({"id": nulll})", 7},
                                                 {R"({id: 1})", 1},
                                                 {R"({"id": [1,]})", 10},
                                                 {R"({"id": [1}})", 9},
                                                 {R"({"id": {"a"}})", 11},
                                                 {R"({"id": {"a":1,}})", 14},
                                                 {R"({"id": {1:2}})", 8},
                                                 {R"({"id": {"a":"\x"}})", 12},
                                                 {R"({"id": "\x"})", 7},
                                                 {R"({"\x": 1})", 1},
                                                 {R"({"id": "\u0000"})", 7},
                                                 {R"({"id": "a"b})", 10},
                                                 {R"({"id": +1})", 7},
                                                 {R"({"id": .5})", 7},
                                                 {R"({"id": NaN})", 7},
                                                 {R"({"id": })", 7},
                                                 {R"({,})", 1},
                                                 {R"(1 2)", 2},
                                                 {R"([1)", 2},
                                                 {R"({"id": "\ud800"})", 7},
                                                 {R"({"id": {"\x": 1}})", 8}};
  for (const auto& [record, byte] : records) {
    const std::string expected =
        "!MALFORMED_RECORD : the record is not JSON: it goes wrong at its byte " +
        std::to_string(byte);
    EXPECT_EQ(read_lines(record + "\n{\"id\":1}"), (Strings{expected, "#1|-|-"}))
        << record;
    // Read by itself, because its neighbour is no UTF-8.
    EXPECT_EQ(read_lines(record + "\n\xFF")[0], expected) << record;
  }
}

TEST(JsonReader, ABadStringDoesNotHurtItsNeighbours) {
  EXPECT_EQ(
      read_lines(
          "{\"id\":1}\n{\"id\":\"\n{\"id\":\"\xFF\"}\n{\"id\":\"\x01\"}\n{\"id\":\"a\"}"),
      (Strings{
          "#1|-|-", "!MALFORMED_RECORD : the record is not JSON: a string is not closed",
          "!MALFORMED_RECORD : the record is not UTF-8",
          "!MALFORMED_RECORD : the record is not JSON: a control character in a string "
          "is not escaped",
          "a|-|-"}));
  EXPECT_EQ(
      read_json("[{\"id\":1},{\"id\":\"a\nb\"},{\"id\":\"\xED\xA0\x80\"},{\"id\":2}]"),
      (Strings{
          "#1|-|-",
          "!MALFORMED_RECORD : the record is not JSON: a control character in a string "
          "is not escaped",
          "!MALFORMED_RECORD : the record is not UTF-8", "#2|-|-"}));
}

TEST(JsonReader, ANulByteIsMalformed) {
  EXPECT_EQ(read_lines(std::string("{\"id\":\"a\0\"}", 11))[0].substr(0, 17),
            "!MALFORMED_RECORD");
  EXPECT_EQ(read_lines(std::string("{\"id\":1\0}", 9))[0].substr(0, 17),
            "!MALFORMED_RECORD");
}

TEST(JsonReader, ReadsUpToADepthAndNoDeeper) {
  const auto nested = [](std::size_t depth) {
    return "{\"id\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  constexpr std::size_t kInner = limits::kRecordDepthMax - 1;
  EXPECT_EQ(read_lines(nested(kInner))[0].substr(0, 2), "~[");
  EXPECT_EQ(read_lines(nested(kInner + 1))[0].substr(0, 17), "!MALFORMED_RECORD");
  EXPECT_EQ(read_lines(nested(100'000))[0].substr(0, 17), "!MALFORMED_RECORD");
}

TEST(JsonReader, KeepsTheOriginalText) {
  EXPECT_EQ(raw_records({ContentType::kJson, "[ {\"a\" : 1} ,\n2 ]"}),
            (Strings{"{\"a\" : 1}", "2"}));
  EXPECT_EQ(raw_records({ContentType::kNdjson, " {\"a\" : 1} \r\n2"}),
            (Strings{" {\"a\" : 1} ", "2"}));
}

TEST(JsonReader, SaysThatARecordIsTooLarge) {
  EXPECT_EQ(
      read({ContentType::kJson, "[12345, {}]", 4}, kColumns),
      (Strings{"!RECORD_TOO_LARGE : the record is longer than 4 bytes (record_bytes_max)",
               "-|-|-"}));
}

TEST(JsonReader, SeesThatThePayloadWasChanged) {
  const auto code = [](ContentType type, std::string_view text,
                       std::uint32_t record_count) {
    Upload upload(type, "");
    RecordReader reader({.format = upload.format, .columns = kColumns});
    auto bytes = std::make_unique<char[]>(text.size() + RecordBatch::kPadding);
    std::memcpy(bytes.get(), text.data(), text.size());
    const Piece piece{.length = text.size(), .record_count = record_count};
    const auto batch = reader.read(piece, std::move(bytes));
    return batch.ok() ? std::nullopt : std::optional(batch.error().code);
  };
  EXPECT_EQ(code(ContentType::kJson, "{},{}", 2), std::nullopt);
  EXPECT_EQ(code(ContentType::kNdjson, "{}\n{}", 2), std::nullopt);
  for (const std::uint32_t record_count : {1u, 3u}) {
    EXPECT_EQ(code(ContentType::kJson, "{},{}", record_count), ErrorCode::kInternal);
    EXPECT_EQ(code(ContentType::kNdjson, "{}\n{}", record_count), ErrorCode::kInternal);
  }
  for (const char* text : {"{}]", "{},", ",{}", "{}}", " "}) {
    EXPECT_EQ(code(ContentType::kJson, text, 1), ErrorCode::kInternal) << text;
  }
}

// Whatever stands around a record, it reads as it does alone: random records, good and
// bad, as a piece and one by one.
TEST(JsonReader, EveryRecordReadsAsItDoesAlone) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::string_view kParts[] = {
      "{", "}",  "[",  "]",     "\"id\"",     "\"name\"",
      ":", ",",  "1",  "\"a\"", "\"\\n\"",    "null",
      " ", "\"", "\\", "x",     "{\"id\":1}", "{\"id\":1,\"name\":\"b\"}"};
  for (int i = 0; i < 3000; ++i) {
    std::string bytes;
    Strings alone;
    for (int record = 0; record < 4; ++record) {
      std::string text;
      for (unsigned parts = 1 + random() % 6; parts > 0; --parts) {
        text += kParts[random() % std::size(kParts)];
      }
      bytes += text + "\n";
      for (const std::string& shown : read_lines(text)) alone.push_back(shown);
    }
    ASSERT_EQ(read_lines(bytes), alone) << bytes;
  }
}

}  // namespace
}  // namespace tallyman::for_tests
