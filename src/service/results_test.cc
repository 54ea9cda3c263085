// What the results of a job look like, whatever it was sent as and is read as.
#include "service/results.h"

#include <gmock/gmock.h>

#include "service/test_calls.h"

namespace tallyman {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

const ResultQuery kAsCsv;
const ResultQuery kAsNdjson{.outcomes = {}, .format = ResultFormat::kNdjson};
const ResultQuery kAsJson{.outcomes = {}, .format = ResultFormat::kJson};
const ResultQuery kSafe{
    .outcomes = {}, .format = ResultFormat::kCsv, .spreadsheet_safe = true};

const std::string kLong(70, 'x');
// A good record, a bad value, too many cells, not UTF-8, too large, and a good one.
const std::string kCsvUpload =
    "id,age\n1,41\n2,\"o\"\"ld\"\r\n3,4,5\n4,\xff\n5," + kLong + "\n6,\"46\"\n";
// The same for JSON, with an unknown field in place of too many cells.
const std::vector<std::string> kJsonRecords = {
    R"({"id":1,"age":41})", R"({"age": "old", "id":2})",    R"({"id":3,"x":1})",
    "{\"id\":\"\xff\"}",    R"({"id":")" + kLong + R"("})", R"({"id":6,"age":null})",
    R"({"id":7,})"};

std::string as_upload(ContentType type) {
  std::string text = type == ContentType::kJson ? "[" : "";
  for (const std::string& record : kJsonRecords) {
    if (type == ContentType::kJson && &record != &kJsonRecords.front()) text += ", ";
    text += record;
    if (type == ContentType::kNdjson) text += "\n";
  }
  return type == ContentType::kJson ? text + "]" : text;
}

// The errors as they stand in every form.
constexpr std::string_view kTooLarge =
    "the record is longer than 64 bytes (record_bytes_max)";
const std::string kNoError = R"("_error_code":null,"_error_field":null,"_error":null)";
std::string json_error(std::string_view code, std::string_view field,
                       std::string_view message) {
  std::string text = R"("_error_code":")";
  text.append(code).append(R"(","_error_field":")").append(field);
  return text.append(R"(","_error":")").append(message).append("\"");
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

ServiceSettings short_records() {
  ServiceSettings settings;
  settings.record_bytes_max = 64;
  return settings;
}

class ResultsTest : public testing::Test {
 protected:
  std::string results(const std::string& upload, const ResultQuery& query,
                      const JobRequest& request = TestEngine::request()) {
    return engine_.results(engine_.complete(upload, request), query);
  }

  TestEngine engine_{"create table people (id integer primary key, age integer)",
                     short_records()};
};

TEST_F(ResultsTest, OfCsvAsCsvKeepEachRecordsOwnBytes) {
  EXPECT_EQ(results(kCsvUpload, kAsCsv),
            "_record,_outcome,_id,_error_code,_error_field,_error,id,age\n"
            "1,created,1,,,,1,41\n"
            "2,failed,,INVALID_TYPE,age,must be a whole number such as 41,2,\"o\"\"ld\"\n"
            "3,failed,,MALFORMED_RECORD,,\"3 cells, the header has 2\",\"3,4,5\",\n"
            "4,failed,,MALFORMED_RECORD,,the record is not UTF-8,\"4,\xff\",\n"
            "5,failed,,RECORD_TOO_LARGE,,"
            "the record is longer than 64 bytes (record_bytes_max),\"5," +
                kLong +
                "\",\n"
                "6,created,6,,,,6,\"46\"\n");
}

TEST_F(ResultsTest, OfCsvAsNdjsonHaveTextsForCellsAndTheOriginalWhereTheyWereNotRead) {
  EXPECT_EQ(results(kCsvUpload, kAsNdjson),
            R"({"_record":1,"_outcome":"created","_id":1,)" + kNoError +
                R"(,"id":"1","age":"41"})"
                "\n"
                R"({"_record":2,"_outcome":"failed","_id":null,)" +
                json_error("INVALID_TYPE", "age", "must be a whole number such as 41") +
                R"(,"id":"2","age":"o\"ld"})"
                "\n"
                R"({"_record":3,"_outcome":"failed","_id":null,)" +
                json_error("MALFORMED_RECORD", "", "3 cells, the header has 2") +
                R"(,"_original":"3,4,5"})"
                "\n"
                R"({"_record":4,"_outcome":"failed","_id":null,)" +
                json_error("MALFORMED_RECORD", "", "the record is not UTF-8") +
                R"(,"_original_base64":"NCz/"})"
                "\n"
                R"({"_record":5,"_outcome":"failed","_id":null,)" +
                json_error("RECORD_TOO_LARGE", "", kTooLarge) +
                R"(,"_original_base64":"NSx4)" + repeated("eHh4", 23) + "\"}\n" +
                R"({"_record":6,"_outcome":"created","_id":6,)" + kNoError +
                R"(,"id":"6","age":"46"})"
                "\n");
}

TEST_F(ResultsTest, OfNdjsonAndJsonAsCsvHaveTheFieldsAndThenTheOriginal) {
  const std::string expected =
      "_record,_outcome,_id,_error_code,_error_field,_error,id,age,_original\n"
      R"(1,created,1,,,,1,41,"{""id"":1,""age"":41}")"
      "\n"
      R"(2,failed,,INVALID_TYPE,age,must be a whole number such as 41,2,old,)"
      R"("{""age"": ""old"", ""id"":2}")"
      "\n"
      R"(3,failed,,UNKNOWN_FIELD,x,"there is no field ""x""",,,"{""id"":3,""x"":1}")"
      "\n"
      "4,failed,,MALFORMED_RECORD,,the record is not "
      "UTF-8,,,\"{\"\"id\"\":\"\"\xff\"\"}\"\n"
      R"(5,failed,,RECORD_TOO_LARGE,,)" +
      std::string(kTooLarge) + R"(,,,"{""id"":"")" + kLong +
      R"(""}")"
      "\n"
      R"(6,created,6,,,,6,,"{""id"":6,""age"":null}")"
      "\n"
      R"(7,failed,,MALFORMED_RECORD,,the record is not JSON: it goes wrong at its byte 8,)"
      R"(,,"{""id"":7,}")"
      "\n";
  for (const ContentType type : {ContentType::kNdjson, ContentType::kJson}) {
    EXPECT_EQ(results(as_upload(type), kAsCsv, TestEngine::request(type)), expected);
    engine_.tables().execute("delete from people");
  }
}

TEST_F(ResultsTest, OfNdjsonAndJsonAsNdjsonHaveTheirValuesAsTheyWereSent) {
  for (const ContentType type : {ContentType::kNdjson, ContentType::kJson}) {
    const std::string text =
        results(as_upload(type), kAsNdjson, TestEngine::request(type));
    EXPECT_THAT(text,
                HasSubstr(R"({"_record":1,"_outcome":"created","_id":1,)" + kNoError +
                          R"(,"id":1,"age":41,"_original":"{\"id\":1,\"age\":41}"})"));
    EXPECT_THAT(text, HasSubstr(R"(,"id":2,"age":"old","_original":)"
                                R"("{\"age\": \"old\", \"id\":2}"})"));
    EXPECT_THAT(text,
                HasSubstr(json_error("UNKNOWN_FIELD", "x", R"(there is no field \"x\")") +
                          R"(,"_original":"{\"id\":3,\"x\":1}"})"));
    EXPECT_THAT(text, HasSubstr(R"(,"_original_base64":"eyJpZCI6Iv8ifQ=="})"));
    EXPECT_THAT(text, HasSubstr(R"("_record":6,"_outcome":"created","_id":6,)" +
                                kNoError + R"(,"id":6,"age":null,)"));
    EXPECT_THAT(text, HasSubstr(R"("_original":"{\"id\":7,}"})"));
    engine_.tables().execute("delete from people");
  }
}

TEST_F(ResultsTest, AsJsonAreTheLinesOfNdjsonAsOneArray) {
  const std::pair<ContentType, std::string> uploads[] = {
      {ContentType::kCsv, kCsvUpload},
      {ContentType::kNdjson, as_upload(ContentType::kNdjson)},
      {ContentType::kJson, as_upload(ContentType::kJson)}};
  for (const auto& [type, upload] : uploads) {
    const Job job = engine_.complete(upload, TestEngine::request(type));
    std::string expected = "[\n" + engine_.results(job, kAsNdjson);
    for (std::size_t at = 0; (at = expected.find("}\n{", at)) != std::string::npos;) {
      expected.replace(at, 3, "},\n{");
    }
    EXPECT_EQ(engine_.results(job, kAsJson), expected + "]\n");
    engine_.tables().execute("delete from people");
  }
}

TEST_F(ResultsTest, OfNoRecordsAreAHeaderNothingAndAnEmptyArray) {
  EXPECT_EQ(results("id,age\n", kAsCsv),
            "_record,_outcome,_id,_error_code,_error_field,_error,id,age\n");
  EXPECT_EQ(results("id,age\n", kAsNdjson), "");
  EXPECT_EQ(results("id,age\n", kAsJson), "[\n]\n");
}

TEST_F(ResultsTest, AnEmptyCellAndAQuotedEmptyOneStayApart) {
  TestEngine engine("create table people (id integer primary key, name text)");
  const Job job = engine.complete("id,name\n1,\n2,\"\"\n");
  EXPECT_THAT(engine.results(job, kAsCsv), EndsWith("\n1,created,1,,,,1,\n"
                                                    "2,created,2,,,,2,\"\"\n"));
  EXPECT_THAT(engine.results(job, kSafe), EndsWith("\n1,created,1,,,,1,\n"
                                                   "2,created,2,,,,2,\"\"\n"));
  EXPECT_THAT(engine.results(job, kAsNdjson), HasSubstr(R"("id":"1","name":null})"));
  EXPECT_THAT(engine.results(job, kAsNdjson), HasSubstr(R"("id":"2","name":""})"));
}

TEST_F(ResultsTest, KeepTheDelimiterOfTheUpload) {
  JobOptions options;
  options.format.delimiter = ';';
  EXPECT_EQ(results("id;age\n1;41\n2;3;4\n", kAsCsv,
                    TestEngine::request(ContentType::kCsv, Operation::kInsert, options)),
            "_record;_outcome;_id;_error_code;_error_field;_error;id;age\n"
            "1;created;1;;;;1;41\n"
            "2;failed;;MALFORMED_RECORD;;3 cells, the header has 2;\"2;3;4\";\n");
}

TEST_F(ResultsTest, MayBeOfSomeOutcomesOnly) {
  const Job job = engine_.complete("id,age\n1,41\n2,old\n3,43\n");
  const auto of = [&](std::string_view filter) {
    return engine_.results(job, {.outcomes = outcomes_from_filter(filter)});
  };
  const std::string header =
      "_record,_outcome,_id,_error_code,_error_field,_error,id,age\n";
  EXPECT_EQ(of("succeeded"), header + "1,created,1,,,,1,41\n3,created,3,,,,3,43\n");
  EXPECT_EQ(of("created"), of("succeeded"));
  EXPECT_EQ(of("failed"), header +
                              "2,failed,,INVALID_TYPE,age,must be a whole number such as "
                              "41,2,old\n");
  EXPECT_EQ(of("unprocessed"), header);
  EXPECT_FALSE(outcomes_from_filter("bad").has_value());
}

TEST_F(ResultsTest, OfARetryNameTheRecordOfTheParent) {
  const Job parent = engine_.complete("id,age\n1,41\n2,old\n3,43\n4,old\n");
  const Job child = engine_.retry(parent);
  engine_.run_next();
  const std::string text = engine_.results(child, kAsCsv);
  EXPECT_THAT(text, HasSubstr("_error,_parent_record,id,age\n"));
  EXPECT_THAT(text,
              HasSubstr("\n1,failed,,INVALID_TYPE,age,must be a whole number such as "
                        "41,2,2,old\n2,"));
  EXPECT_THAT(text, HasSubstr("41,4,4,old\n"));
  EXPECT_THAT(engine_.results(child, kAsNdjson), HasSubstr(R"("_parent_record":4,)"));
}

TEST_F(ResultsTest, OfARecordLongerThanAChunkAreWhole) {
  const std::string a(300'000, 'a');
  const std::string b(90'001, 'b');
  const std::string record = "1," + a + "\"" + b;
  const std::string quoted = "1," + a + "\"\"" + b;
  const Job job = engine_.complete("id,age\n" + record + "\n2,42\n");
  EXPECT_THAT(engine_.results(job, kAsCsv), HasSubstr(",\"" + quoted + "\",\n2,created"));
  const std::string json = engine_.results(job, kAsNdjson);
  const std::string key = "\"_original_base64\":\"";
  const std::size_t begin = json.find(key) + key.size();
  const std::size_t end = json.find('"', begin);
  EXPECT_EQ(end - begin, (record.size() + 2) / 3 * 4) << "padding in the middle";
  EXPECT_EQ(
      json.substr(begin, end - begin).find('='),
      record.size() % 3 == 0 ? std::string::npos : end - begin - (3 - record.size() % 3));
}

TEST(SpreadsheetSafeResultsTest, FormulasGetAnApostropheInEveryCellOfTheSender) {
  TestEngine engine("create table people (id integer primary key, name text)",
                    short_records());
  const std::string large = "=" + kLong;
  const std::string upload =
      "id,name\n1,=1+1\n2,\"@a,b\"\n3,-12.5\n4,-x\n=5,a,b\n" + large + "\n";
  const Job job = engine.complete(upload);
  const std::string safe = engine.results(job, kSafe);
  EXPECT_THAT(safe, HasSubstr("\n1,created,1,,,,1,'=1+1\n"));
  EXPECT_THAT(safe, HasSubstr("\n2,created,2,,,,2,\"'@a,b\"\n"));
  EXPECT_THAT(safe, HasSubstr("\n3,created,3,,,,3,-12.5\n")) << "a number stays one";
  EXPECT_THAT(safe, HasSubstr("\n4,created,4,,,,4,'-x\n"));
  EXPECT_THAT(safe, HasSubstr(",\"'=5,a,b\",\n")) << "a record that could not be read";
  EXPECT_THAT(safe, HasSubstr(",\"'" + large + "\",\n")) << "one that is too large";
  const std::string plain = engine.results(job, kAsCsv);
  EXPECT_THAT(plain, HasSubstr("\n1,created,1,,,,1,=1+1\n"));
  EXPECT_THAT(plain, HasSubstr(",\"" + large + "\",\n"));
}

TEST(SpreadsheetSafeResultsTest, FormulasOfJsonGetThemToo) {
  TestEngine engine("create table people (id integer primary key, name text)");
  const Job job = engine.complete(R"([{"id":1,"name":"=1+1"}])",
                                  TestEngine::request(ContentType::kJson));
  EXPECT_THAT(engine.results(job, kSafe), HasSubstr("1,created,1,,,,1,'=1+1,"));
}

TEST(RefusedResultsTest, BeforeTheUploadIsCompleteAndWhereItNeverWas) {
  TestEngine engine(kPeople);
  const Job job = must(engine.service().create(TestEngine::ann(), TestEngine::request()));
  const auto open = [&] {
    return refusal(ErrorCode::kConflict, open_results(engine.service(), TestEngine::ann(),
                                                      TestEngine::reference(job), {}));
  };
  EXPECT_EQ(open(), "INVALID_STATE");
  must(engine.service().abort(TestEngine::ann(), TestEngine::reference(job)));
  EXPECT_EQ(open(), "INVALID_STATE");
}

TEST(RefusedResultsTest, ASinkThatIsGoneEndsTheStream) {
  TestEngine engine(kPeople);
  const Job job = engine.complete("id,name\n1,Anna\n");
  const auto write = must(
      open_results(engine.service(), TestEngine::ann(), TestEngine::reference(job), {}));
  const auto written = write([](std::string_view) -> Result<void> {
    return Error{ErrorCode::kUnavailable, "the reader is gone"};
  });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().message, "the reader is gone");
}

TEST(RunningResultsTest, HoldWhatIsCommittedAndAfterAnAbortTheRestAsUnprocessed) {
  TestEngine engine(kPeople);
  const Job job = engine.submit("id,name\n1,Anna\n2,Bea\n");
  EXPECT_EQ(engine.results(job, kAsNdjson), "") << "nothing is committed yet";
  must(engine.service().abort(TestEngine::ann(), TestEngine::reference(job)));
  EXPECT_THAT(engine.results(job, kAsCsv), EndsWith("\n1,unprocessed,,,,,1,Anna\n"
                                                    "2,unprocessed,,,,,2,Bea\n"));
}

}  // namespace
}  // namespace tallyman
