// What every Target must do. Each implementation runs this from its own test:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, TargetConformance,
//                            testing::Values(make_sqlite_test_backend));
//
// Each job runs at window sizes 1, 2 and 1,000, on the general and on any path, and must
// end as with window size 1 on the general path (target_test_job.h).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "target/target_test_job.h"

namespace tallyman {

class TargetConformance : public testing::TestWithParam<MakeTargetBackend> {
 protected:
  static constexpr const char* kPeople =
      "CREATE TABLE people (id integer PRIMARY KEY, name varchar(10) NOT NULL, "
      "email text UNIQUE, age integer DEFAULT 18 CHECK (age >= 0), city text);"
      "INSERT INTO people VALUES (1, 'Anna', 'anna@x', 30, 'Rome'), "
      "(2, 'Bert', 'bert@x', 40, NULL), (3, 'Cleo', 'cleo@x', 50, 'Oslo');";
  static constexpr const char* kAllPeople =
      "SELECT id, name, email, age, city FROM people ORDER BY id";

  EverywhereRun run(const std::string& schema, const TargetJob& job,
                    const std::vector<std::string>& queries = {}) {
    return run_everywhere(GetParam(), schema, job, queries);
  }
  EverywhereRun run_people(TargetJob job) {
    job.table = "people";
    return run(kPeople, job, {kAllPeople});
  }

  // What the header is refused with.
  std::string refusal(const std::string& schema, const TargetJob& job,
                      const std::vector<std::string>& columns) {
    const auto backend = GetParam()();
    backend->execute(schema);
    Resource resource = backend->target().introspect(job.table).value();
    if (job.tighten) job.tighten(resource);
    WriteSpec spec;
    spec.operation = job.operation;
    spec.columns = columns;
    spec.unique_fields = job.unique_fields;
    spec.update_fields = job.update_fields;
    spec.on_duplicate = job.on_duplicate;
    const auto writer = backend->target().make_writer(resource, spec);
    if (writer.ok()) return "accepted";
    EXPECT_EQ(writer.error().code, ErrorCode::kInvalidArgument);
    return writer.error().message;
  }
};

using testing::ElementsAre;
using testing::HasSubstr;

// --- Each operation, each outcome -----------------------------------------------------

TEST_P(TargetConformance, InsertsAndSaysWhatFailed) {
  const auto ended = run_people({.upload = "id,name,email,age\n"
                                           "10,Dora,dora@x,20\n"
                                           "1,Eva,eva@x,20\n"
                                           "11,Finn,anna@x,20\n"
                                           "12,,gus@x,20\n"
                                           "13,Hal,hal@x,old\n"
                                           "14,Ida,,-1\n"
                                           "15,Johannes-Maria,,1\n"
                                           "16,\"\",,\n"});
  EXPECT_THAT(
      ended.results,
      ElementsAre("created 10", "failed DUPLICATE_VALUE id",
                  "failed DUPLICATE_VALUE email", "failed NOT_NULL_VIOLATION name",
                  "failed INVALID_TYPE age", "failed CHECK_VIOLATION",
                  "failed VALUE_TOO_LONG name", "created 16"));
  EXPECT_THAT(ended.rows[0], ElementsAre("1|Anna|anna@x|30|Rome", "2|Bert|bert@x|40|NULL",
                                         "3|Cleo|cleo@x|50|Oslo",
                                         "10|Dora|dora@x|20|NULL", "16||NULL|NULL|NULL"));
}

TEST_P(TargetConformance, GivesDefaultsToWhatAJsonRecordLacks) {
  const auto ended = run_people({.type = ContentType::kNdjson,
                                 .upload = R"({"id": 10, "name": "Dora"})"
                                           "\n"
                                           R"({"id": 11, "name": "Eva", "age": null})"
                                           "\n"
                                           R"({"id": 12, "age": 7})"
                                           "\n"
                                           R"({"id": 13, "name": null})"
                                           "\n"
                                           R"({"id": 14, "name": "Gus", "agee": 7})"
                                           "\n"});
  EXPECT_THAT(
      ended.results,
      ElementsAre("created 10", "created 11", "failed REQUIRED_FIELD_MISSING name",
                  "failed NOT_NULL_VIOLATION name", "failed UNKNOWN_FIELD agee"));
  EXPECT_THAT(ended.rows[0], testing::Contains("10|Dora|NULL|18|NULL"));
  EXPECT_THAT(ended.rows[0], testing::Contains("11|Eva|NULL|NULL|NULL"));
}

TEST_P(TargetConformance, UpsertsByThePrimaryKey) {
  const auto ended = run_people({.operation = Operation::kUpsert,
                                 .upload = "id,name,age\n"
                                           "1,Anna,30\n"
                                           "2,Berta,40\n"
                                           "9,Nina,5\n"
                                           "9,Nina,6\n"
                                           "9,Nina,6\n"});
  EXPECT_THAT(ended.results, ElementsAre("unchanged 1", "updated 2", "created 9",
                                         "updated 9", "unchanged 9"));
  EXPECT_THAT(ended.rows[0],
              ElementsAre("1|Anna|anna@x|30|Rome", "2|Berta|bert@x|40|NULL",
                          "3|Cleo|cleo@x|50|Oslo", "9|Nina|NULL|6|NULL"));
}

TEST_P(TargetConformance, UpsertsByAnotherKeyWritingOnlyUpdateFields) {
  const auto ended = run_people({.operation = Operation::kUpsert,
                                 .upload = "email,id,name,city\n"
                                           "anna@x,1,Other,Paris\n"
                                           "bert@x,2,Bert,\n"
                                           "dora@x,4,Dora,Bonn\n",
                                 .unique_fields = {"email"},
                                 .update_fields = {{"city"}}});
  EXPECT_THAT(ended.results, ElementsAre("updated 1", "unchanged 2", "created 4"));
  EXPECT_THAT(ended.rows[0],
              ElementsAre("1|Anna|anna@x|30|Paris", "2|Bert|bert@x|40|NULL",
                          "3|Cleo|cleo@x|50|Oslo", "4|Dora|dora@x|18|Bonn"));
}

TEST_P(TargetConformance, UpsertInsertsWhereTheKeyIsNull) {
  const auto ended = run_people({.operation = Operation::kUpsert,
                                 .type = ContentType::kNdjson,
                                 .upload = R"({"email": null, "id": 10, "name": "Eva"})"
                                           "\n"
                                           R"({"email": null, "id": 11, "name": "Fay"})"
                                           "\n"
                                           R"({"id": 12, "name": "Gil"})"
                                           "\n"
                                           R"({"email": "hal@x", "id": 13})"
                                           "\n",
                                 .unique_fields = {"email"}});
  EXPECT_THAT(ended.results, ElementsAre("created 10", "created 11",
                                         "failed REQUIRED_FIELD_MISSING email",
                                         "failed REQUIRED_FIELD_MISSING name"));
}

TEST_P(TargetConformance, UpdatesOnlyTheFieldsThatARecordHas) {
  const auto ended = run_people({.operation = Operation::kUpdate,
                                 .type = ContentType::kNdjson,
                                 .upload = R"({"id": 1, "age": 31})"
                                           "\n"
                                           R"({"id": 2, "city": "Bern", "name": "Bert"})"
                                           "\n"
                                           R"({"id": 3, "age": 50})"
                                           "\n"
                                           R"({"id": 3})"
                                           "\n"
                                           R"({"id": 4, "age": 1})"
                                           "\n"
                                           R"({"age": 1})"
                                           "\n"
                                           R"({"id": null, "age": 1})"
                                           "\n"
                                           R"({"id": 1, "name": null})"
                                           "\n"
                                           R"({"id": 1, "age": -5})"
                                           "\n"
                                           R"({"id": 1, "email": "bert@x"})"
                                           "\n"});
  EXPECT_THAT(
      ended.results,
      ElementsAre("updated 1", "updated 2", "unchanged 3", "unchanged 3",
                  "failed NOT_FOUND id", "failed REQUIRED_FIELD_MISSING id",
                  "failed REQUIRED_FIELD_MISSING id", "failed NOT_NULL_VIOLATION name",
                  "failed CHECK_VIOLATION", "failed DUPLICATE_VALUE email"));
  EXPECT_THAT(ended.rows[0], ElementsAre("1|Anna|anna@x|31|Rome", "2|Bert|bert@x|40|Bern",
                                         "3|Cleo|cleo@x|50|Oslo"));
}

TEST_P(TargetConformance, ReplaceGivesDefaultsToWhatIsLacking) {
  const auto ended = run_people({.operation = Operation::kReplace,
                                 .type = ContentType::kNdjson,
                                 .upload = R"({"id": 1, "name": "Ann"})"
                                           "\n"
                                           R"({"id": 1, "name": "Ann"})"
                                           "\n"
                                           R"({"id": 2, "name": "Bert", "age": 40})"
                                           "\n"
                                           R"({"id": 3})"
                                           "\n"
                                           R"({"id": 7, "name": "Gus"})"
                                           "\n"});
  EXPECT_THAT(ended.results,
              ElementsAre("updated 1", "unchanged 1", "updated 2",
                          "failed REQUIRED_FIELD_MISSING name", "failed NOT_FOUND id"));
  EXPECT_THAT(ended.rows[0], ElementsAre("1|Ann|NULL|18|NULL", "2|Bert|NULL|40|NULL",
                                         "3|Cleo|cleo@x|50|Oslo"));
}

TEST_P(TargetConformance, ReplacesByAnotherKeyAndKeepsThePrimaryOne) {
  const auto ended = run_people({.operation = Operation::kReplace,
                                 .upload = "email,name\nanna@x,Ann\nnobody@x,Nob\n",
                                 .unique_fields = {"email"}});
  EXPECT_THAT(ended.results, ElementsAre("updated 1", "failed NOT_FOUND email"));
  EXPECT_THAT(ended.rows[0], testing::Contains("1|Ann|anna@x|18|NULL"));
}

TEST_P(TargetConformance, DeletesByAnyKeyAndOnlyOnce) {
  EXPECT_THAT(
      run_people({.operation = Operation::kDelete, .upload = "id\n1\n1\n9\n3\n"}).results,
      ElementsAre("deleted 1", "failed NOT_FOUND id", "failed NOT_FOUND id",
                  "deleted 3"));
  const auto by_email = run_people({.operation = Operation::kDelete,
                                    .upload = "name,email\nx,bert@x\ny,nobody@x\n",
                                    .unique_fields = {"email"}});
  EXPECT_THAT(by_email.results, ElementsAre("deleted 2", "failed NOT_FOUND email"));
  EXPECT_THAT(by_email.rows[0],
              ElementsAre("1|Anna|anna@x|30|Rome", "3|Cleo|cleo@x|50|Oslo"));
}

TEST_P(TargetConformance, TakesCompositeAndTextKeys) {
  const std::string schema =
      "CREATE TABLE stock (shop text NOT NULL, item integer NOT NULL, amount integer, "
      "PRIMARY KEY (shop, item));"
      "INSERT INTO stock VALUES ('a', 1, 10), ('b\"', 1, 20);";
  const std::vector<std::string> all = {"SELECT * FROM stock ORDER BY shop, item"};
  EXPECT_THAT(
      run(schema,
          {.operation = Operation::kUpsert,
           .table = "stock",
           .upload = "item,shop,amount\n1,a,11\n1,\"b\"\"\",20\n2,a,5\n"},
          all)
          .results,
      ElementsAre(R"(updated ["a",1])", R"(unchanged ["b\"",1])", R"(created ["a",2])"));
  EXPECT_THAT(run(schema,
                  {.operation = Operation::kDelete,
                   .table = "stock",
                   .upload = "shop,item\na,1\na,1\na,\n"},
                  all)
                  .results,
              ElementsAre(R"(deleted ["a",1])", "failed NOT_FOUND shop, item",
                          "failed REQUIRED_FIELD_MISSING item"));
}

TEST_P(TargetConformance, WritesTablesWithoutAPrimaryKey) {
  const std::string schema = "CREATE TABLE log (code text UNIQUE, note text);";
  const std::vector<std::string> all = {"SELECT * FROM log ORDER BY note"};
  EXPECT_THAT(
      run(schema, {.table = "log", .upload = "code,note\na,1\na,2\n,3\n"}, all).results,
      ElementsAre("created", "failed DUPLICATE_VALUE code", "created"));
  EXPECT_THAT(run(schema,
                  {.operation = Operation::kUpsert,
                   .table = "log",
                   .upload = "code,note\na,1\na,2\na,2\n,3\n",
                   .unique_fields = {"code"}},
                  all)
                  .results,
              ElementsAre("created", "updated", "unchanged", "created"));
}

// --- One code for each record, the first that applies ---------------------------------

TEST_P(TargetConformance, NamesTheFirstOfTwoFaults) {
  const std::string schema =
      "CREATE TABLE parent (id integer PRIMARY KEY); INSERT INTO parent VALUES (1);"
      "CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent "
      "(id), "
      "code varchar(3) NOT NULL UNIQUE, size integer NOT NULL CHECK (size > 0));"
      "INSERT INTO child VALUES (1, 1, 'a', 1);";
  const auto ended = run(schema,
                         {.table = "child",
                          .upload = "id,parent,code,size\n"
                                    "x,9,long,x\n"  // type before length, field by field
                                    "2,9,long,\n"   // length before NULL
                                    "2,9,,0\n"      // NULL before CHECK
                                    "1,9,a,0\n"     // CHECK before foreign key
                                    "1,9,a,1\n"     // foreign key before unique keys
                                    "1,1,a,1\n"     // primary key before the others
                                    "2,1,a,1\n"     // the other key
                                    "2,,b,1\n"      // NULL refers to nothing
                                    "3,1\n"},       // not to be read
                         {"SELECT * FROM child ORDER BY id"});
  EXPECT_THAT(
      ended.results,
      ElementsAre("failed INVALID_TYPE id", "failed VALUE_TOO_LONG code",
                  "failed NOT_NULL_VIOLATION code", "failed CHECK_VIOLATION",
                  "failed FOREIGN_KEY_VIOLATION parent", "failed DUPLICATE_VALUE id",
                  "failed DUPLICATE_VALUE code", "created 2", "failed MALFORMED_RECORD"));
}

TEST_P(TargetConformance, RefusesToTakeAwayWhatIsReferredTo) {
  const std::string schema =
      "CREATE TABLE parent (id integer PRIMARY KEY, code text UNIQUE);"
      "INSERT INTO parent VALUES (1, 'a'), (2, 'b');"
      "CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent "
      "(id));"
      "INSERT INTO child VALUES (1, 1);";
  const auto ended =
      run(schema,
          {.operation = Operation::kDelete, .table = "parent", .upload = "id\n1\n2\n"},
          {"SELECT * FROM parent"});
  EXPECT_THAT(ended.results, ElementsAre("failed FOREIGN_KEY_VIOLATION id", "deleted 2"));
  EXPECT_THAT(ended.messages[0], HasSubstr("\"child\""));
}

TEST_P(TargetConformance, LetsRecordsReferToEarlierOnesAndToThemselves) {
  const std::string schema =
      "CREATE TABLE node (id integer PRIMARY KEY, up integer REFERENCES node (id), "
      "code text UNIQUE);";
  const auto ended =
      run(schema,
          {.table = "node",
           .upload = "id,up,code\n2,1,a\n1,1,b\n3,1,c\n4,5,d\n5,5,c\n5,4,e\n"},
          {"SELECT * FROM node ORDER BY id"});
  EXPECT_THAT(ended.results, ElementsAre("failed FOREIGN_KEY_VIOLATION up", "created 1",
                                         "created 3", "failed FOREIGN_KEY_VIOLATION up",
                                         "failed DUPLICATE_VALUE code",
                                         "failed FOREIGN_KEY_VIOLATION up"));
}

// Every way in which five records can be good, bad before the database or bad in it.
TEST_P(TargetConformance, IsolatesBadRecordsAtEveryPosition) {
  const std::vector<std::string> kinds = {"ok", "x", "-1"};
  for (int pattern = 0; pattern < 243; ++pattern) {
    std::string upload = "id,name,age\n";
    std::vector<std::string> expected;
    int rest = pattern;
    for (int i = 0; i < 5; ++i, rest /= 3) {
      const std::string id = std::to_string(100 + i);
      const int kind = rest % 3;
      upload +=
          id + ",N," + (kind == 0 ? "7" : kinds[static_cast<std::size_t>(kind)]) + "\n";
      expected.push_back(kind == 0   ? "created " + id
                         : kind == 1 ? "failed INVALID_TYPE age"
                                     : "failed CHECK_VIOLATION");
    }
    if (pattern % 9 == 0) {  // All of the ways to write, for a part of them.
      EXPECT_EQ(run_people({.upload = upload}).results, expected);
      continue;
    }
    const auto backend = GetParam()();
    backend->execute(kPeople);
    const TargetRun ended = run_job(*backend, {.table = "people", .upload = upload},
                                    pattern % 2 == 0 ? 2 : 1000, false);
    EXPECT_EQ(ended.results, expected);
  }
}

// --- Rules of the configuration -------------------------------------------------------

TEST_P(TargetConformance, ChecksTheRulesOfTheConfiguration) {
  const auto tighten = [](Resource& resource) {
    Field& name = resource.fields[1];
    name.rules.pattern = "[A-Z][a-z]*";
    name.rules.max_length = 5;
    name.rules.validators.push_back([](const Value& value) {
      return value.text() == "Nope" ? Verdict::reject("must not be refused")
                                    : Verdict::accept();
    });
    resource.fields[3].rules.minimum = "1";
    resource.fields[3].rules.maximum = "99.5";
    resource.fields[4].rules.choices = {"Rome", "Oslo"};
  };
  const auto ended = run_people({.upload = "id,name,age,city\n"
                                           "10,Dora,1,Rome\n"
                                           "11,dora,1,Rome\n"
                                           "12,Dorothea,1,Rome\n"
                                           "13,Nope,1,Rome\n"
                                           "14,Dora,0,Rome\n"
                                           "15,Dora,100,Rome\n"
                                           "16,Dora,99,Roma\n"
                                           "17,Dora,,\n",
                                 .tighten = tighten});
  EXPECT_THAT(
      ended.results,
      ElementsAre("created 10", "failed VALIDATION_FAILED name",
                  "failed VALUE_TOO_LONG name", "failed VALIDATION_FAILED name",
                  "failed VALUE_OUT_OF_RANGE age", "failed VALUE_OUT_OF_RANGE age",
                  "failed INVALID_CHOICE city", "created 17"));
  EXPECT_EQ(ended.messages[2], "must not be refused");
}

TEST_P(TargetConformance, ReadOnlyFieldsAreUnknownToRecordsAndRefusedInHeaders) {
  const auto tighten = [](Resource& resource) { resource.fields[3].read_only = true; };
  const TargetJob job = {.table = "people",
                         .type = ContentType::kNdjson,
                         .upload =
                             "{\"id\": 10, \"name\": \"D\"}\n"
                             "{\"id\": 11, \"name\": \"E\", \"age\": 1}\n",
                         .tighten = tighten};
  EXPECT_THAT(run_people(job).results,
              ElementsAre("created 10", "failed UNKNOWN_FIELD age"));
  EXPECT_THAT(refusal(kPeople, job, {"id", "name", "age"}),
              HasSubstr("\"age\" is read-only"));
}

// --- Headers --------------------------------------------------------------------------

TEST_P(TargetConformance, JudgesHeaders) {
  const TargetJob insert = {.table = "people"};
  EXPECT_EQ(refusal(kPeople, insert, {"id", "name"}), "accepted");
  EXPECT_THAT(refusal(kPeople, insert, {"id", "nmae"}),
              HasSubstr("did you mean \"name\""));
  EXPECT_THAT(refusal(kPeople, insert, {"id", "name", "id"}),
              HasSubstr("\"id\" occurs twice"));
  EXPECT_THAT(refusal(kPeople, insert, {"id"}), HasSubstr("name"));

  const TargetJob update = {.operation = Operation::kUpdate, .table = "people"};
  EXPECT_EQ(refusal(kPeople, update, {"id"}), "accepted");
  EXPECT_THAT(refusal(kPeople, update, {"name"}), HasSubstr("(id)"));

  TargetJob upsert = {
      .operation = Operation::kUpsert, .table = "people", .unique_fields = {"city"}};
  EXPECT_THAT(refusal(kPeople, upsert, {"city", "name"}), HasSubstr("no unique key"));
  upsert.unique_fields = {"email__startswith"};
  EXPECT_THAT(refusal(kPeople, upsert, {"email"}), HasSubstr("is no field"));
  upsert.unique_fields = {"email"};
  upsert.update_fields = {{"age"}};
  EXPECT_THAT(refusal(kPeople, upsert, {"email", "name"}), HasSubstr("\"age\""));
  EXPECT_EQ(refusal(kPeople, upsert, {"email", "name", "age"}), "accepted");

  const TargetJob first = {.table = "people", .on_duplicate = OnDuplicate::kFirst};
  EXPECT_THAT(refusal(kPeople, first, {"name"}), HasSubstr("on_duplicate=first"));
  EXPECT_EQ(refusal(kPeople, first, {"name", "email"}), "accepted");
}

// --- on_duplicate ---------------------------------------------------------------------

constexpr const char* kDuplicates =
    "id,name,age\n10,A,-1\n10,B,1\n11,C,1\n10,D,2\n11,E,2\n12,F,1\n10,G,3\n";

TEST_P(TargetConformance, SequenceTakesEachRecordInTurn) {
  const auto ended = run_people({.operation = Operation::kUpsert, .upload = kDuplicates});
  EXPECT_THAT(ended.results,
              ElementsAre("failed CHECK_VIOLATION", "created 10", "created 11",
                          "updated 10", "updated 11", "created 12", "updated 10"));
}

TEST_P(TargetConformance, FirstTakesTheFirstThatSucceeds) {
  for (const Operation operation : {Operation::kInsert, Operation::kUpsert}) {
    const auto ended = run_people({.operation = operation,
                                   .upload = kDuplicates,
                                   .on_duplicate = OnDuplicate::kFirst});
    EXPECT_THAT(ended.results, ElementsAre("failed CHECK_VIOLATION", "created 10",
                                           "created 11", "failed DUPLICATE_IN_UPLOAD id",
                                           "failed DUPLICATE_IN_UPLOAD id", "created 12",
                                           "failed DUPLICATE_IN_UPLOAD id"));
  }
}

TEST_P(TargetConformance, LastTakesTheLast) {
  const auto ended = run_people({.operation = Operation::kUpsert,
                                 .upload = kDuplicates,
                                 .on_duplicate = OnDuplicate::kLast});
  EXPECT_THAT(
      ended.results,
      ElementsAre("failed DUPLICATE_IN_UPLOAD id", "failed DUPLICATE_IN_UPLOAD id",
                  "failed DUPLICATE_IN_UPLOAD id", "failed DUPLICATE_IN_UPLOAD id",
                  "created 11", "created 12", "created 10"));
}

TEST_P(TargetConformance, ErrorTakesNoneOfThem) {
  const auto ended = run_people({.operation = Operation::kInsert,
                                 .upload = kDuplicates,
                                 .on_duplicate = OnDuplicate::kError});
  EXPECT_THAT(
      ended.results,
      ElementsAre("failed DUPLICATE_IN_UPLOAD id", "failed DUPLICATE_IN_UPLOAD id",
                  "failed DUPLICATE_IN_UPLOAD id", "failed DUPLICATE_IN_UPLOAD id",
                  "failed DUPLICATE_IN_UPLOAD id", "created 12",
                  "failed DUPLICATE_IN_UPLOAD id"));
}

TEST_P(TargetConformance, RecordsWithoutAKeyAreNoDuplicates) {
  const auto ended = run_people({.type = ContentType::kNdjson,
                                 .upload = "{\"name\": \"A\"}\n{\"name\": \"B\"}\n"
                                           "{\"name\": \"C\", \"email\": \"c@x\"}\n"
                                           "{\"name\": \"D\", \"email\": \"c@x\"}\n",
                                 .on_duplicate = OnDuplicate::kError});
  EXPECT_THAT(ended.results,
              ElementsAre("created 4", "created 5", "failed DUPLICATE_IN_UPLOAD email",
                          "failed DUPLICATE_IN_UPLOAD email"));
}

// --- The error budget -----------------------------------------------------------------

TEST_P(TargetConformance, EndsWithTheRecordThatPassesTheErrorBudget) {
  const std::string upload = "id,name\n10,A\n1,B\n11,\n12,C\n2,D\n13,E\n";
  const std::vector<std::string> all = {
      "created 10", "failed DUPLICATE_VALUE id", "failed NOT_NULL_VIOLATION name",
      "created 12", "failed DUPLICATE_VALUE id", "created 13"};
  const std::vector<std::size_t> processed = {2, 3, 5, 6};
  for (std::size_t budget = 0; budget < processed.size(); ++budget) {
    std::vector<std::string> expected = all;
    for (std::size_t i = processed[budget]; i < all.size(); ++i)
      expected[i] = "unprocessed";
    EXPECT_EQ(run_people({.upload = upload, .failures_max = budget}).results, expected);
  }
}

// --- Aggregates -----------------------------------------------------------------------

class TargetAggregates : public TargetConformance {
 protected:
  static constexpr const char* kSales =
      "CREATE TABLE sales (id integer PRIMARY KEY, item text, amount decimal(12,2), "
      "weight real, day date);"
      "INSERT INTO sales VALUES (1, 'old', 1000, 1, '2020-01-01');";

  void SetUp() override {
    backend_ = GetParam()();
    backend_->execute(kSales);
  }

  TargetRun write(Operation operation, const std::string& upload) {
    return run_job(*backend_,
                   {.operation = operation, .table = "sales", .upload = upload}, 1000,
                   false);
  }

  std::vector<AggregateResult> ask(const TargetRun& run,
                                   std::vector<AggregateSpec> specs) {
    auto transaction = backend_->database().begin_read();
    auto results = backend_->target().aggregate(*transaction.value(), run.resource, specs,
                                                run.ids(), {});
    EXPECT_TRUE(results.ok()) << results.error().message;
    return std::move(results).value();
  }
  std::string ask_one(const TargetRun& run, AggregateSpec spec) {
    const AggregateResult result = ask(run, {std::move(spec)}).front();
    return result.error.empty() ? result.value : "error: " + result.error;
  }

  static AggregateSpec spec(AggregateType type, std::string field = {},
                            std::vector<std::string> group_by = {}) {
    AggregateSpec made;
    made.name = "asked";
    made.type = type;
    made.field = std::move(field);
    made.group_by = std::move(group_by);
    return made;
  }

  std::unique_ptr<TargetBackend> backend_;
};

TEST_P(TargetAggregates, AreExactOverTheRowsOfTheJobAlone) {
  const TargetRun run = write(Operation::kInsert,
                              "id,item,amount,weight,day\n"
                              "10,Food,125.25,0.1,2024-01-02\n"
                              "11,Rent,50.50,0.2,2024-01-01\n"
                              "12,Food,0.01,0.3,\n"
                              "13,,,,2024-01-03\n"
                              "14,Bad,x,,\n");
  using enum AggregateType;
  EXPECT_EQ(ask_one(run, spec(kCount)), "4");
  EXPECT_EQ(ask_one(run, spec(kSum, "amount")), "175.76");
  EXPECT_EQ(ask_one(run, spec(kAvg, "amount")), "58.58666667");
  EXPECT_EQ(ask_one(run, spec(kMin, "amount")), "0.01");
  EXPECT_EQ(ask_one(run, spec(kMax, "amount")), "125.25");
  EXPECT_EQ(ask_one(run, spec(kSum, "weight")), "0.6");
  EXPECT_EQ(ask_one(run, spec(kSum, "id")), "46");
  EXPECT_EQ(ask_one(run, spec(kAvg, "id")), "11.5");
  EXPECT_EQ(ask_one(run, spec(kMin, "day")), "\"2024-01-01\"");
  EXPECT_EQ(ask_one(run, spec(kMax, "item")), "\"Rent\"");
  EXPECT_EQ(ask_one(run, spec(kCountDistinct, "item")), "2");
  EXPECT_EQ(ask_one(run, spec(kCount, "", {"item"})), R"({"Food":2,"Rent":1,"null":1})");
  EXPECT_EQ(ask_one(run, spec(kSum, "amount", {"item"})),
            R"({"Food":125.26,"Rent":50.5,"null":null})");
  EXPECT_EQ(ask_one(run, spec(kCount, "", {"item", "day"})),
            R"({"Food":{"2024-01-02":1,"null":1},"Rent":{"2024-01-01":1},)"
            R"("null":{"2024-01-03":1}})");
}

TEST_P(TargetAggregates, OfNothingAreZeroAndNull) {
  const TargetRun run = write(Operation::kInsert, "id,item,amount\n10,Bad,x\n");
  using enum AggregateType;
  EXPECT_EQ(ask_one(run, spec(kCount)), "0");
  EXPECT_EQ(ask_one(run, spec(kCountDistinct, "item")), "0");
  for (const AggregateType type : {kSum, kAvg, kMin, kMax}) {
    EXPECT_EQ(ask_one(run, spec(type, "amount")), "null");
  }
  EXPECT_EQ(ask_one(run, spec(kCount, "", {"item"})), "{}");
}

TEST_P(TargetAggregates, CountARowOnceAndByItsOutcomes) {
  const TargetRun run =
      write(Operation::kUpsert, "id,amount\n20,1\n10,2\n20,3\n1,1000\n20,3\n10,5\n");
  ASSERT_THAT(run.results, ElementsAre("created 20", "created 10", "updated 20",
                                       "unchanged 1", "unchanged 20", "updated 10"));
  AggregateSpec sum = spec(AggregateType::kSum, "amount");
  EXPECT_EQ(ask_one(run, sum), "1008");
  sum.outcomes = {Outcome::kCreated};
  EXPECT_EQ(ask_one(run, sum), "8");
  sum.outcomes = {Outcome::kUnchanged};
  EXPECT_EQ(ask_one(run, sum), "1003");
  sum.outcomes = {Outcome::kUnchanged, Outcome::kUpdated};
  EXPECT_EQ(ask_one(run, sum), "1008");

  auto transaction = backend_->database().begin_read();
  const auto presence =
      backend_->target().count_present(*transaction.value(), run.resource, run.ids(), {});
  EXPECT_EQ(presence.value().named, 3u);
  EXPECT_EQ(presence.value().present, 3u);
}

TEST_P(TargetAggregates, MissRowsThatAreGone) {
  const TargetRun run = write(Operation::kInsert, "id,amount\n10,1\n11,2\n12,4\n");
  backend_->execute("DELETE FROM sales WHERE id = 11");
  EXPECT_EQ(ask_one(run, spec(AggregateType::kSum, "amount")), "5");
  auto transaction = backend_->database().begin_read();
  const auto presence =
      backend_->target().count_present(*transaction.value(), run.resource, run.ids(), {});
  EXPECT_EQ(presence.value().named, 3u);
  EXPECT_EQ(presence.value().present, 2u);
}

TEST_P(TargetAggregates, CountTheRowsThatADeleteTookAway) {
  const TargetRun run = write(Operation::kDelete, "id\n1\n1\n7\n");
  EXPECT_EQ(ask_one(run, spec(AggregateType::kCount)), "1");
}

TEST_P(TargetAggregates, CallFunctionsOfTheProgram) {
  TargetRun run =
      write(Operation::kInsert, "id,item,amount\n10,A,1.10\n11,B,\n12,A,2.2\n");
  run.resource.aggregates["texts"].function = [](JobRows& rows) {
    std::string text;
    while (rows.next()) {
      text += std::string(rows.value("item").text()) + "=" +
              std::string(rows.value("amount").text()) + ";";
    }
    return Json::text(text);
  };
  run.resource.aggregates["throws"].function = [](JobRows& rows) -> Json {
    rows.next();
    return Json::text(rows.value("nothing").text());
  };
  run.resource.aggregates["defined"].definition =
      spec(AggregateType::kCount, "", {"item"});
  AggregateSpec texts = spec(AggregateType::kCustom);
  texts.function = "texts";
  AggregateSpec throws = texts;
  throws.function = "throws";
  AggregateSpec defined = texts;
  defined.function = "defined";
  const auto results = ask(run, {texts, throws, defined, spec(AggregateType::kCount)});
  EXPECT_EQ(results[0].value, "\"A=1.1;B=;A=2.2;\"");
  EXPECT_THAT(results[1].error, HasSubstr("no field \"nothing\""));
  EXPECT_EQ(results[2].value, R"({"A":2,"B":1})");
  EXPECT_EQ(results[3].value, "3");
}

}  // namespace tallyman
