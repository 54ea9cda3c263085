#include <gtest/gtest.h>

#include <string>

#include "format/cuts_for_tests.h"

namespace tallyman::for_tests {
namespace {

Upload json(std::string bytes, std::uint64_t record_bytes_max = 1 << 20,
            std::uint64_t piece_bytes_max = 1 << 20) {
  return {ContentType::kJson, std::move(bytes), record_bytes_max, piece_bytes_max};
}

std::string error(const Upload& upload) { return split(upload).error; }

TEST(JsonSplitter, TheElementsOfAnArrayAreTheRecords) {
  EXPECT_EQ(raw_records(json(" [ {\"a\": [1, 2]} ,\n7,\"x,]\" , [] ] \n")),
            (Strings{"{\"a\": [1, 2]}", "7", "\"x,]\"", "[]"}));
  EXPECT_EQ(show_pieces(json("[ ]")), Strings{});
  EXPECT_EQ(show_pieces(json("[1 , 2 ]")), Strings{"0+2:1 , 2"});
}

TEST(JsonSplitter, AnElementThatDoesNotParseIsARecord) {
  EXPECT_EQ(raw_records(json("[{\"a\" 1}, x y, tru, {]]")),
            (Strings{"{\"a\" 1}", "x y", "tru", "{]"}));
}

TEST(JsonSplitter, AnObjectIsOneRecord) {
  for (const std::string object :
       {"{}", R"({"a": 1, "b": {"data": []}})", R"({"data": 1})", R"({"data": {}})",
        R"({"a": 1,})", R"({a: 1})", R"({"a" 1, "data": []})", R"({"a":})",
        R"({"a":,"b":[}})", R"({"a": "}\"", "b": "\\"})", R"({"data": 1, "data": 2})"}) {
    EXPECT_EQ(show_pieces(json(" " + object + "\n")), Strings{"0+1:" + object});
    EXPECT_EQ(split(json(object)).envelope, std::nullopt);
  }
}

TEST(JsonSplitter, FindsTheRecordsOfAnEnvelope) {
  const SplitUpload parts =
      split(json(R"({"unique_fields": ["a", "b"] , "data": [{}, 1], "x" : "\"y" })"));
  EXPECT_EQ(parts.error, "");
  EXPECT_EQ(parts.envelope, R"({"unique_fields":["a", "b"],"x":"\"y"})");
  EXPECT_EQ(raw_records(json(R"({"a": 1, "\u0064at\u0061" :[ {} , 1 ] })")),
            (Strings{"{}", "1"}));
  EXPECT_EQ(split(json(R"({"data": []})")).envelope, "{}");
  EXPECT_EQ(split(json(R"({"a":1,"data":[]})")).envelope, R"({"a":1})");
}

TEST(JsonSplitter, WhereDataIsAFieldThereIsNoEnvelope) {
  Upload upload = json(R"({"data": [1, 2]})");
  upload.limits.data_is_a_field = true;
  EXPECT_EQ(show_pieces(upload), Strings{"0+1:{\"data\": [1, 2]}"});
}

TEST(JsonSplitter, RefusesWhatIsNotJsonAndNamesTheByte) {
  EXPECT_EQ(error(json("")),
            "the upload is empty; JSON is an array or an object, [] for no records");
  EXPECT_EQ(error(json(" 1")),
            "the upload is not JSON: byte 1 should be '[' or '{' and is '1'");
  EXPECT_EQ(error(json("[1,]")),
            "the upload is not JSON: byte 3 should be an element and is ']'");
  EXPECT_EQ(error(json("[1,,2]")),
            "the upload is not JSON: byte 3 should be an element and is ','");
  EXPECT_EQ(error(json("[,1]")),
            "the upload is not JSON: byte 1 should be an element and is ','");
  EXPECT_EQ(error(json("[1}")),
            "the upload is not JSON: byte 2 should be ']' or ',' and is '}'");
  EXPECT_EQ(
      error(json("[1] \x01")),
      "the upload is not JSON: byte 4 should be nothing behind the last bracket and is "
      "this byte");
  EXPECT_EQ(error(json("[1, [2]")),
            "the upload ends at byte 7 and not all of its brackets are closed");
  EXPECT_EQ(error(json("[\"]")),
            "the upload ends at byte 3 and not all of its brackets are closed");
  EXPECT_EQ(error(json("{\"a\": 1")),
            "the upload ends at byte 7 and not all of its brackets are closed");
}

TEST(JsonSplitter, RefusesABrokenEnvelope) {
  EXPECT_EQ(error(json(R"({"data": [1]]})")),
            "the upload is not JSON: byte 12 should be '}' or ',' and is ']'");
  EXPECT_EQ(error(json(R"({"data": [1], x})")),
            "the upload is not JSON: byte 14 should be a member of the top-level object "
            "and is 'x'");
  EXPECT_EQ(error(json(R"({"data": [1], "x": 1])")),
            "the upload is not JSON: byte 20 should be '}' or ',' and is ']'");
  EXPECT_EQ(error(json(R"({"data": [1], "data": 1})")),
            "the member \"data\" is there twice, again at byte 22");
  EXPECT_EQ(error(json(R"({"data": 1, "data": [1]})")),
            "the member \"data\" is there twice, again at byte 20");
  EXPECT_EQ(error(json(R"({"data": [1], "x": tru})")),
            "the members beside \"data\" of the top-level object are not JSON");
}

TEST(JsonSplitter, TheEnvelopeHasALimitAndARecordOfTheSameFormHasNot) {
  const std::string members = R"("a":"12345","b":1)";
  const std::string too_large =
      "the members beside \"data\" of the top-level object are longer than 16 bytes "
      "(envelope_bytes_max)";
  for (const std::string& text :
       Strings{"{" + members + R"(,"data":[1]})", R"({"data":[1],)" + members + "}",
               R"({"a":"12345","data":[1],"b":1})"}) {
    Upload upload = json(text);
    upload.limits.envelope_bytes_max = members.size();
    EXPECT_EQ(split(upload).envelope, "{" + members + "}") << text;
    upload.limits.envelope_bytes_max = members.size() - 1;
    EXPECT_EQ(error(upload), too_large) << text;
    expect_cuts_do_not_matter(upload);
  }
  Upload record = json("{" + members + R"(,"data":1})");
  record.limits.envelope_bytes_max = 4;
  EXPECT_EQ(show_pieces(record), Strings{"0+1:" + record.bytes});
}

// limits::kPieceCellsMax
TEST(JsonSplitter, TheCellsOfAPieceAreBoundedByTheFieldsOfTheResource) {
  Upload upload = json("[{},{},{},{},{}]");
  upload.limits.columns = 3;
  upload.limits.piece_cells_max = 6;
  EXPECT_EQ(show_pieces(upload), (Strings{"0+2:{},{}", "2+2:{},{}", "4+1:{}"}));
  expect_cuts_do_not_matter(upload);
}

TEST(JsonSplitter, ARecordAtItsLimitIsFineAndOneAboveIsTooLarge) {
  EXPECT_EQ(show_pieces(json("[[345678], 1]", 8, 8)), (Strings{"0+1:[345678]", "1+1:1"}));
  EXPECT_EQ(show_pieces(json("[1, [3456789] , 2]", 8)),
            (Strings{"0+1:1", "!large 1+1:[3456789]", "2+1:2"}));
  EXPECT_EQ(show_pieces(json("{\"a\":123}", 8)), Strings{"!large 0+1:{\"a\":123}"});
}

TEST(JsonSplitter, DropsAByteOrderMark) {
  EXPECT_EQ(show_pieces(json("\xEF\xBB\xBF[1]")), Strings{"0+1:1"});
}

TEST(JsonSplitter, DepthCostsNothing) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(show_pieces(json("[" + deep + ",1]")), Strings{"0+2:" + deep + ",1"});
}

TEST(JsonSplitter, CutsAndRestartsDoNotMatter) {
  for (const char* bytes :
       {"\xEF\xBB\xBF [ {\"a\": [1, \"]\\\"\"]} , 2, 12345678901 ,\n\"x\"\n] ",
        R"({"u\"": ["a"] ,"data":[{}, 1 , [2,3], 1234567] , "x" : "\\" } )", "[1, 2,,]",
        R"({"a": "}", "b": [1, {}] , "data": 2 } x)", R"({"data": [1], "data": []})",
        R"({"a": [1,} ] , "b" ]   )", "[1, \"\\\\\\\"\", 2] "}) {
    for (const std::uint64_t record_bytes_max : {6, 100}) {
      expect_cuts_do_not_matter(json(bytes, record_bytes_max, 1));
    }
  }
}

TEST(JsonSplitter, RefusesACheckpointThatIsNone) {
  const InputFormat format = json("").format;
  for (const char* text : {"", "json1 0 0 0", "json1 0 0 3 x", "json1 0 0 0 x0",
                           "json1 0 0 0 xg0", "csv1 0 0 0 0", "json1 0 0 0 x 1"}) {
    EXPECT_FALSE(restore_splitter(format, {}, text).ok()) << text;
  }
  EXPECT_TRUE(restore_splitter(format, {}, "json1 0 0 0 x").ok());
}

}  // namespace
}  // namespace tallyman::for_tests
