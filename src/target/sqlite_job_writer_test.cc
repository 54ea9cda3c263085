#include "target/sqlite_job_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/sqlite_test_backend.h"

namespace tallyman {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

EverywhereRun run(const std::string& schema, const TargetJob& job,
                  const std::vector<std::string>& queries = {}) {
  return run_everywhere(make_sqlite_test_backend, schema, job, queries);
}

std::string people(const std::string& triggers) {
  return "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT UNIQUE);"
         "INSERT INTO t VALUES (1, 10, 'one'), (2, 20, 'two'), (3, 30, 'three');"
         "CREATE TABLE log (what TEXT UNIQUE);" +
         triggers;
}
const std::vector<std::string> kBoth = {"SELECT * FROM t ORDER BY id",
                                        "SELECT what FROM log ORDER BY rowid"};

// --- Triggers -------------------------------------------------------------------------

TEST(SqliteJobWriterTriggers, FireForWhatIsWrittenAndForNothingElse) {
  const std::string schema = people(
      "CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('i' || new.id); "
      "END;"
      "CREATE TRIGGER u AFTER UPDATE ON t BEGIN INSERT INTO log VALUES ('u' || new.id); "
      "END;"
      "CREATE TRIGGER d AFTER DELETE ON t BEGIN INSERT INTO log VALUES ('d' || old.id); "
      "END;");
  auto ended = run(schema,
                   {.operation = Operation::kUpsert,
                    .table = "t",
                    .upload = "id,a,b\n1,10,one\n2,21,two\n9,90,one\n8,80,eight\n"},
                   kBoth);
  EXPECT_THAT(ended.results, ElementsAre("unchanged 1", "updated 2",
                                         "failed DUPLICATE_VALUE b", "created 8"));
  EXPECT_THAT(ended.rows[1], ElementsAre("u2", "i8"));
  ended =
      run(schema, {.operation = Operation::kDelete, .table = "t", .upload = "id\n2\n7\n"},
          kBoth);
  EXPECT_THAT(ended.results, ElementsAre("deleted 2", "failed NOT_FOUND id"));
  EXPECT_THAT(ended.rows[1], ElementsAre("d2"));
}

TEST(SqliteJobWriterTriggers, ThatSwallowARecordAreNamed) {
  const std::string schema = people(
      "CREATE TRIGGER i BEFORE INSERT ON t WHEN new.a = 0 BEGIN SELECT RAISE(IGNORE); "
      "END;"
      "CREATE TRIGGER u BEFORE UPDATE ON t WHEN new.a = 0 BEGIN SELECT RAISE(IGNORE); "
      "END;"
      "CREATE TRIGGER d BEFORE DELETE ON t WHEN old.id = 1 BEGIN SELECT RAISE(IGNORE); "
      "END;");
  for (const Operation operation : {Operation::kInsert, Operation::kUpsert,
                                    Operation::kUpdate, Operation::kReplace}) {
    const bool inserts = operation == Operation::kInsert;
    const std::string ids = inserts ? "7,0,x\n8,5,y\n" : "1,0,x\n2,5,y\n";
    const auto ended =
        run(schema, {.operation = operation, .table = "t", .upload = "id,a,b\n" + ids},
            kBoth);
    EXPECT_THAT(ended.results,
                ElementsAre("failed NOT_APPLIED", inserts ? "created 8" : "updated 2"));
  }
  EXPECT_THAT(
      run(schema, {.operation = Operation::kDelete, .table = "t", .upload = "id\n1\n2\n"},
          kBoth)
          .results,
      ElementsAre("failed NOT_APPLIED", "deleted 2"));
}

TEST(SqliteJobWriterTriggers, ThatUndoWhatWasDoneAreNamedToo) {
  for (const std::string without : {"", " WITHOUT ROWID"}) {
    const std::string schema =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT UNIQUE)" + without +
        ";"
        "INSERT INTO t VALUES (1, 10, 'one'), (2, 20, 'two'), (3, 30, 'three');"
        "CREATE TABLE log (what TEXT);"
        "CREATE TRIGGER i AFTER INSERT ON t WHEN new.a = 13 BEGIN "
        "DELETE FROM t WHERE id = new.id; INSERT INTO log VALUES ('i'); END;"
        "CREATE TRIGGER u AFTER UPDATE ON t WHEN new.a = 13 BEGIN "
        "DELETE FROM t WHERE id = new.id; INSERT INTO log VALUES ('u'); END;"
        "CREATE TRIGGER d AFTER DELETE ON t WHEN old.id = 1 BEGIN "
        "INSERT INTO t VALUES (old.id, 0, 'back'); INSERT INTO log VALUES ('d'); END;";
    auto ended = run(schema,
                     {.operation = Operation::kUpsert,
                      .table = "t",
                      .upload = "id,a,b\n7,13,x\n2,13,y\n8,1,z\n3,30,three\n"},
                     kBoth);
    EXPECT_THAT(ended.results, ElementsAre("failed NOT_APPLIED", "failed NOT_APPLIED",
                                           "created 8", "unchanged 3"));
    EXPECT_THAT(ended.rows[0],
                ElementsAre("1|10|one", "2|20|two", "3|30|three", "8|1|z"));
    EXPECT_THAT(ended.rows[1], ElementsAre());
    ended = run(schema,
                {.operation = Operation::kDelete, .table = "t", .upload = "id\n1\n2\n"},
                kBoth);
    EXPECT_THAT(ended.results, ElementsAre("failed NOT_APPLIED", "deleted 2"));
    EXPECT_THAT(ended.rows[0], ElementsAre("1|10|one", "3|30|three"));
  }
}

// A trigger that writes and then raises: nothing of the record stays, whatever the kind.
TEST(SqliteJobWriterTriggers, ThatRaiseFailTheRecordAloneAndWhole) {
  for (const std::string kind : {"ABORT", "FAIL", "ROLLBACK"}) {
    SCOPED_TRACE(kind);
    const std::string raise = "SELECT RAISE(" + kind + ", 'a must not be 13')";
    const std::string schema = people(
        "CREATE TRIGGER i AFTER INSERT ON t WHEN new.a = 13 BEGIN "
        "INSERT INTO log VALUES ('left over'); " +
        raise +
        "; END;"
        "CREATE TRIGGER u AFTER UPDATE ON t WHEN new.a = 13 BEGIN "
        "INSERT INTO log VALUES ('left over'); " +
        raise +
        "; END;"
        "CREATE TRIGGER d AFTER DELETE ON t WHEN old.id = 1 BEGIN "
        "INSERT INTO log VALUES ('left over'); " +
        raise + "; END;");
    auto ended =
        run(schema, {.table = "t", .upload = "id,a,b\n7,1,x\n8,13,y\n9,13,z\n10,2,w\n"},
            kBoth);
    EXPECT_THAT(ended.results, ElementsAre("created 7", "failed DATABASE_ERROR",
                                           "failed DATABASE_ERROR", "created 10"));
    EXPECT_THAT(ended.messages, Each(HasSubstr("a must not be 13")));
    EXPECT_THAT(ended.rows[0],
                ElementsAre("1|10|one", "2|20|two", "3|30|three", "7|1|x", "10|2|w"));
    EXPECT_THAT(ended.rows[1], ElementsAre());
    ended = run(schema,
                {.operation = Operation::kUpsert,
                 .table = "t",
                 .upload = "id,a\n1,13\n2,22\n8,13\n9,1\n"},
                kBoth);
    EXPECT_THAT(ended.results, ElementsAre("failed DATABASE_ERROR", "updated 2",
                                           "failed DATABASE_ERROR", "created 9"));
    EXPECT_THAT(ended.rows[1], ElementsAre());
    ended =
        run(schema,
            {.operation = Operation::kDelete, .table = "t", .upload = "id\n3\n1\n2\n"},
            kBoth);
    EXPECT_THAT(ended.results,
                ElementsAre("deleted 3", "failed DATABASE_ERROR", "deleted 2"));
    EXPECT_THAT(ended.rows[0], ElementsAre("1|10|one"));
  }
}

TEST(SqliteJobWriterTriggers, ThatRunIntoConstraintsElsewhereAreToldApart) {
  const std::string schema = people(
      "CREATE TABLE strict_log (x NOT NULL);"
      "CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); "
      "INSERT INTO strict_log VALUES (nullif(new.a, 5)); END;");
  const auto ended = run(
      schema, {.table = "t", .upload = "id,a,b\n7,1,x\n8,1,y\n9,5,z\n10,2,one\n"}, kBoth);
  EXPECT_THAT(ended.results,
              ElementsAre("created 7", "failed DATABASE_ERROR", "failed DATABASE_ERROR",
                          "failed DUPLICATE_VALUE b"));
  EXPECT_THAT(ended.messages[0], HasSubstr("log.what"));
  EXPECT_THAT(ended.messages[1], HasSubstr("strict_log.x"));
  EXPECT_THAT(ended.rows[1], ElementsAre("1"));
}

TEST(SqliteJobWriterTriggers, KeepTheirOwnConflictClauses) {
  const std::string schema = people(
      "CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT OR IGNORE INTO log VALUES "
      "(new.a); END;");
  const auto ended =
      run(schema, {.table = "t", .upload = "id,a,b\n7,1,x\n8,1,y\n"}, kBoth);
  EXPECT_THAT(ended.results, ElementsAre("created 7", "created 8"));
  EXPECT_THAT(ended.rows[1], ElementsAre("1"));
}

TEST(SqliteJobWriterTriggers, DoNotChangeTheIdThatIsReported) {
  const std::string schema = people(
      "CREATE TABLE other (id INTEGER PRIMARY KEY); INSERT INTO other VALUES (500);"
      "CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT INTO other VALUES (NULL); END;"
      "CREATE TRIGGER j BEFORE INSERT ON t BEGIN INSERT INTO other VALUES (NULL); END;");
  EXPECT_THAT(run(schema, {.table = "t", .upload = "a,b\n1,x\n1,y\n"}, kBoth).results,
              ElementsAre("created 4", "created 5"));
}

TEST(SqliteJobWriterTriggers, OfTablesThatFollowByCascadeCountToo) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY);"
      "INSERT INTO t VALUES (1), (2), (3);"
      "CREATE TABLE child (id INTEGER PRIMARY KEY, t INT REFERENCES t ON DELETE CASCADE);"
      "INSERT INTO child VALUES (1, 1), (2, 2), (3, 3);"
      "CREATE TABLE log (what);"
      "CREATE TRIGGER d AFTER DELETE ON child WHEN old.id = 2 BEGIN "
      "INSERT INTO log VALUES ('left over'); SELECT RAISE(FAIL, 'kept'); END;";
  const auto ended = run(
      schema, {.operation = Operation::kDelete, .table = "t", .upload = "id\n1\n2\n3\n"},
      {"SELECT * FROM t", "SELECT * FROM child", "SELECT * FROM log"});
  EXPECT_THAT(ended.results,
              ElementsAre("deleted 1", "failed DATABASE_ERROR", "deleted 3"));
  EXPECT_THAT(ended.rows[0], ElementsAre("2"));
  EXPECT_THAT(ended.rows[1], ElementsAre("2|2"));
  EXPECT_THAT(ended.rows[2], ElementsAre());
}

// --- Conflict clauses, deferred keys --------------------------------------------------

TEST(SqliteJobWriter, IsNotFooledByConflictClausesOfTheTable) {
  for (const std::string clause : {"REPLACE", "IGNORE", "FAIL", "ROLLBACK", "ABORT"}) {
    SCOPED_TRACE(clause);
    const std::string schema = "CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT " +
                               clause + ", a TEXT UNIQUE ON CONFLICT " + clause +
                               ", b INT NOT NULL ON CONFLICT " + clause +
                               " DEFAULT 5);"
                               "INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2);";
    auto ended =
        run(schema, {.table = "t", .upload = "id,a,b\n3,x,3\n1,y,1\n4,one,4\n5,z,5\n"},
            {"SELECT * FROM t ORDER BY id"});
    EXPECT_THAT(ended.results, ElementsAre("created 3", "failed DUPLICATE_VALUE id",
                                           "failed DUPLICATE_VALUE a", "created 5"));
    EXPECT_THAT(ended.rows[0], ElementsAre("1|one|1", "2|two|2", "3|x|3", "5|z|5"));
    ended = run(schema,
                {.operation = Operation::kUpdate,
                 .table = "t",
                 .upload = "id,a\n1,two\n2,zwei\n"},
                {"SELECT * FROM t ORDER BY id"});
    EXPECT_THAT(ended.results, ElementsAre("failed DUPLICATE_VALUE a", "updated 2"));
  }
}

TEST(SqliteJobWriter, CountsDeferredForeignKeysAtOnce) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t "
      "DEFERRABLE INITIALLY DEFERRED);"
      "INSERT INTO t VALUES (1, NULL), (2, 1);";
  auto ended = run(schema, {.table = "t", .upload = "id,up\n3,4\n4,1\n5,4\n6,6\n"},
                   {"SELECT * FROM t ORDER BY id"});
  EXPECT_THAT(ended.results, ElementsAre("failed FOREIGN_KEY_VIOLATION up", "created 4",
                                         "created 5", "created 6"));
  ended = run(schema,
              {.operation = Operation::kDelete, .table = "t", .upload = "id\n1\n2\n1\n"},
              {"SELECT * FROM t ORDER BY id"});
  EXPECT_THAT(ended.results,
              ElementsAre("failed FOREIGN_KEY_VIOLATION id", "deleted 2", "deleted 1"));
  ended =
      run(schema,
          {.operation = Operation::kUpdate, .table = "t", .upload = "id,up\n2,9\n1,2\n"},
          {"SELECT * FROM t ORDER BY id"});
  EXPECT_THAT(ended.results, ElementsAre("failed FOREIGN_KEY_VIOLATION up", "updated 1"));
}

TEST(SqliteJobWriter, NamesKeysThatOnlySqliteCanSee) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, live INT);"
      "CREATE UNIQUE INDEX live_a ON t (a) WHERE live;"
      "CREATE UNIQUE INDEX lower_b ON t (lower(b));"
      "INSERT INTO t VALUES (1, 'x', 'B', 1);";
  const auto ended =
      run(schema, {.table = "t", .upload = "id,a,b,live\n2,x,c,0\n3,x,d,1\n4,y,b,1\n"});
  EXPECT_THAT(ended.results, ElementsAre("created 2", "failed DUPLICATE_VALUE a",
                                         "failed DUPLICATE_VALUE"));
  EXPECT_THAT(ended.messages[1], HasSubstr("lower_b"));
}

TEST(SqliteJobWriter, NamesCheckConstraints) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, low INT, high INT CHECK (high < 100), "
      "CONSTRAINT ordered CHECK (low <= high));";
  const auto ended = run(schema, {.table = "t", .upload = "low,high\n1,2\n3,2\n1,100\n"});
  EXPECT_THAT(ended.results, ElementsAre("created 1", "failed CHECK_VIOLATION",
                                         "failed CHECK_VIOLATION"));
  EXPECT_THAT(ended.messages[0], HasSubstr("\"ordered\""));
  EXPECT_THAT(ended.messages[1], HasSubstr("high < 100"));
}

TEST(SqliteJobWriter, SurvivesExpressionsThatFail) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT AS (abs(a)) STORED);";
  const auto ended =
      run(schema, {.table = "t", .upload = "a\n1\n-9223372036854775808\n2\n"},
          {"SELECT * FROM t"});
  EXPECT_THAT(ended.results,
              ElementsAre("created 1", "failed DATABASE_ERROR", "created 2"));
  EXPECT_THAT(ended.messages[0], testing::Not(HasSubstr("9223372036854775808")));
}

// --- Keys -----------------------------------------------------------------------------

TEST(SqliteJobWriter, ComparesKeysAsTheTableDoes) {
  const std::string schema =
      "CREATE TABLE t (code TEXT COLLATE NOCASE PRIMARY KEY, tag TEXT, a INT) WITHOUT "
      "ROWID;"
      "CREATE UNIQUE INDEX by_tag ON t (tag COLLATE RTRIM);"
      "INSERT INTO t VALUES ('Abc', 'x', 1), ('Def', 'y', 2);";
  const std::vector<std::string> all = {"SELECT * FROM t ORDER BY code"};
  auto ended = run(schema,
                   {.operation = Operation::kUpsert,
                    .table = "t",
                    .upload = "code,a\nABC,1\nABC,5\nnew,1\nNEW,1\n"},
                   all);
  EXPECT_THAT(ended.results, ElementsAre("unchanged Abc", "updated Abc", "created new",
                                         "unchanged new"));
  EXPECT_THAT(ended.rows[0], ElementsAre("Abc|x|5", "Def|y|2", "new|NULL|1"));
  ended = run(schema, {.table = "t", .upload = "code,tag\nabc,z\ng,\"x  \"\nh,h\n"}, all);
  EXPECT_THAT(ended.results, ElementsAre("failed DUPLICATE_VALUE code",
                                         "failed DUPLICATE_VALUE tag", "created h"));
  ended = run(schema,
              {.operation = Operation::kUpdate,
               .table = "t",
               .upload = "tag,a\n\"x \",7\nX,8\n",
               .unique_fields = {"tag"}},
              all);
  EXPECT_THAT(ended.results, ElementsAre("updated Abc", "failed NOT_FOUND tag"));
  ended = run(schema,
              {.operation = Operation::kInsert,
               .table = "t",
               .upload = "code,a\nq,1\nQ,2\nr,3\n",
               .on_duplicate = OnDuplicate::kLast},
              all);
  EXPECT_THAT(ended.results,
              ElementsAre("failed DUPLICATE_IN_UPLOAD code", "created Q", "created r"));
}

TEST(SqliteJobWriter, ChangesTheKeyItselfWhereAskedTo) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE COLLATE NOCASE);"
      "INSERT INTO t VALUES (1, 'a'), (2, 'b');";
  const auto ended = run(schema,
                         {.operation = Operation::kUpsert,
                          .table = "t",
                          .upload = "code,id\nA,7\nB,1\nB,7\n",
                          .unique_fields = {"code"},
                          .update_fields = {{"code", "id"}}},
                         {"SELECT * FROM t ORDER BY id"});
  EXPECT_THAT(ended.results,
              ElementsAre("updated 7", "updated 1", "failed DUPLICATE_VALUE id"));
  EXPECT_THAT(ended.rows[0], ElementsAre("1|B", "7|A"));
}

TEST(SqliteJobWriter, MakesUpIdsWhereNoneIsSent) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT UNIQUE);"
      "INSERT INTO t VALUES (5, 'a');";
  EXPECT_THAT(run(schema, {.table = "t", .upload = "id,code\n,b\n9,c\n,d\n"}).results,
              ElementsAre("created 6", "created 9", "created 10"));
  EXPECT_THAT(
      run(schema,
          {.operation = Operation::kUpsert, .table = "t", .upload = "id,code\n,b\n5,e\n"})
          .results,
      ElementsAre("created 6", "updated 5"));
  // A NULL id says nothing about a row that is there.
  EXPECT_THAT(run(schema, {.operation = Operation::kUpsert,
                           .table = "t",
                           .upload = "id,code\n,a\n8,a\n,x\n",
                           .unique_fields = {"code"}})
                  .results,
              ElementsAre("unchanged 5", "updated 8", "created 9"));
}

TEST(SqliteJobWriter, ReadsIdsBackThatDefaultsMadeUp) {
  const std::string schema =
      "CREATE TABLE t (id TEXT PRIMARY KEY DEFAULT ('made-' || 'up'), a INT);"
      "CREATE TABLE w (a INT, b INT DEFAULT 7, PRIMARY KEY (a, b)) WITHOUT ROWID;";
  EXPECT_THAT(run(schema, {.table = "t", .upload = "a\n1\n2\n"}).results,
              ElementsAre("created made-up", "failed DUPLICATE_VALUE id"));
  EXPECT_THAT(
      run(schema, {.table = "w", .upload = "a\n1\n2\n1\n"}).results,
      ElementsAre("created [1,7]", "created [2,7]", "failed DUPLICATE_VALUE a, b"));
}

TEST(SqliteJobWriter, FindsRowsWhenEveryNameOfTheRowidIsTaken) {
  const std::string schema =
      "CREATE TABLE t (rowid TEXT, oid TEXT, _rowid_ TEXT, code TEXT UNIQUE);"
      "INSERT INTO t VALUES ('r', 'o', '_', 'a');";
  const std::vector<std::string> all = {"SELECT * FROM t ORDER BY code"};
  const auto ended = run(schema,
                         {.operation = Operation::kUpsert,
                          .table = "t",
                          .upload = "code,rowid\na,r\na,R\nb,x\n",
                          .unique_fields = {"code"}},
                         all);
  EXPECT_THAT(ended.results, ElementsAre("unchanged", "updated", "created"));
  EXPECT_THAT(ended.rows[0], ElementsAre("R|o|_|a", "x|NULL|NULL|b"));
}

// --- Values ---------------------------------------------------------------------------

TEST(SqliteJobWriter, StoresEachTypeInItsForm) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, n DECIMAL(20,3), r REAL, b BOOLEAN, d "
      "DATE, "
      "ts TIMESTAMP, u UUID, j JSON, x BLOB, any_thing, s STRING);";
  const auto ended = run(
      schema,
      {.table = "t",
       .type = ContentType::kNdjson,
       .upload =
           R"({"id":1,"n":"12.500","r":3,"b":true,"d":"2024-02-29","j":{"a":[1]}})"
           "\n"
           R"({"id":2,"n":7.000,"r":"-0.0","b":"F","ts":"2024-01-31 10:00:00","j":"[1]"})"
           "\n"
           R"({"id":3,"n":0.001,"x":"\\x00ff","any_thing":41,"s":"007"})"
           "\n"
           R"({"id":4,"n":-1e3,"any_thing":"41","s":" x","j":1.50})"
           "\n"},
      {"SELECT id, n, typeof(n), r, b, d, ts, j, hex(x), any_thing, typeof(any_thing), "
       "s, "
       "typeof(s) FROM t"});
  EXPECT_THAT(ended.results,
              ElementsAre("created 1", "created 2", "created 3", "created 4"));
  EXPECT_THAT(
      ended.rows[0],
      ElementsAre("1|12.5|real|3.0|1|2024-02-29|NULL|{\"a\":[1]}||NULL|null|NULL|null",
                  "2|7|integer|0.0|0|NULL|2024-01-31 10:00:00|[1]||NULL|null|NULL|null",
                  "3|0.001|real|NULL|NULL|NULL|NULL|NULL|00FF|41|integer|7|integer",
                  "4|-1000|integer|NULL|NULL|NULL|NULL|1.5||41|text| x|text"));
}

// What was written reads back as the same image: sent again, nothing changes.
TEST(SqliteJobWriter, FindsUnchangedWhatItHasWritten) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, n DECIMAL(20,3), m NUMERIC, r REAL, b "
      "BOOLEAN, "
      "j JSON, x BLOB, a, s STRING, v VARCHAR(9), i BIGINT);";
  const std::string upload =
      "id,n,m,r,b,j,x,a,s,v,i\n"
      "1,0.1,1e15,0.1,t,5.0,\\x00,5,5.0,5,9223372036854775807\n"
      "2,99999999999999999.000,123456789.12345,1e300,0,\"\"\"x\"\"\",\\x,x, 7 ,,-1\n"
      "3,-0,-0.0,-0.0,false,[],\\xff,\"\",1e5,\"\",0\n";
  SqliteTestBackend backend;
  backend.execute(schema);
  TargetJob job = {.table = "t", .upload = upload};
  EXPECT_THAT(run_job(backend, job, 1000, false).results,
              ElementsAre("created 1", "created 2", "created 3"));
  for (const Operation operation :
       {Operation::kUpsert, Operation::kUpdate, Operation::kReplace}) {
    job.operation = operation;
    EXPECT_THAT(run_job(backend, job, 1000, false).results,
                ElementsAre("unchanged 1", "unchanged 2", "unchanged 3"));
  }
}

TEST(SqliteJobWriter, WritesStrictTables) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, i INT, r REAL, s TEXT, b BLOB, a ANY) "
      "STRICT;";
  const auto ended = run(
      schema,
      {.table = "t", .upload = "id,i,r,s,b,a\n1,1,2,3,\\x04,005\n2,x,1,1,,\n3,1.5,,,,\n"},
      {"SELECT id, i, r, s, hex(b), a, typeof(a) FROM t"});
  EXPECT_THAT(ended.results,
              ElementsAre("created 1", "failed INVALID_TYPE i", "failed INVALID_TYPE i"));
  EXPECT_THAT(ended.rows[0], ElementsAre("1|1|2.0|3|04|005|text"));
}

TEST(SqliteJobWriter, LeavesGeneratedColumnsToTheDatabase) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, twice INT AS (a * 2) STORED "
      "UNIQUE);";
  const auto ended = run(schema,
                         {.table = "t",
                          .type = ContentType::kNdjson,
                          .upload = "{\"a\":1}\n{\"a\":1}\n{\"a\":2,\"twice\":4}\n"},
                         {"SELECT * FROM t"});
  EXPECT_THAT(ended.results, ElementsAre("created 1", "failed DUPLICATE_VALUE twice",
                                         "failed UNKNOWN_FIELD twice"));
  EXPECT_THAT(ended.rows[0], ElementsAre("1|1|2"));
}

TEST(SqliteJobWriter, ReplacesByTheDefaultsOfTheTable) {
  const std::string schema =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT DEFAULT (1 + 1), b TEXT DEFAULT "
      "'it''s', "
      "c TEXT DEFAULT word, d TEXT DEFAULT \"b\", e TEXT DEFAULT (upper('x')), f INT, "
      "g INT AS (f + 1), h BOOLEAN DEFAULT TRUE NOT NULL);"
      "INSERT INTO t VALUES (1, 0, '0', '0', '0', '0', 0, 0);";
  const std::vector<std::string> all = {"SELECT * FROM t"};
  const auto ended = run(
      schema, {.operation = Operation::kReplace, .table = "t", .upload = "id\n1\n"}, all);
  EXPECT_THAT(ended.results, ElementsAre("updated 1"));
  EXPECT_THAT(ended.rows[0], ElementsAre("1|2|it's|word|b|X|NULL|NULL|1"));
}

// --- Rolling back, changing tables ----------------------------------------------------

TEST(SqliteJobWriter, RefusesATableThatHasChanged) {
  SqliteTestBackend backend;
  backend.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); CREATE TABLE u (a)");
  const Resource resource = backend.target().introspect("t").value();
  const TestUpload upload(ContentType::kCsv, "id,a\n1,1\n2,2\n3,3\n", resource);
  auto writer =
      backend.target().make_writer(resource, {.columns = upload.columns()}).value();
  const auto write = [&](std::size_t window) {
    auto transaction = backend.database().begin_write(std::chrono::seconds(1));
    const auto bound = writer->bind(upload.windows(1)[window], SliceSet{});
    auto written = writer->write(*transaction.value(), *bound, SliceNumber(0), {});
    if (!written.ok()) return std::optional(written.error().code);
    EXPECT_TRUE(transaction.value()->commit().ok());
    return std::optional<ErrorCode>();
  };
  EXPECT_EQ(write(0), std::nullopt);
  backend.execute("CREATE INDEX of_another ON u (a)");
  EXPECT_EQ(write(1), std::nullopt);
  backend.execute("ALTER TABLE t ADD COLUMN b");
  EXPECT_EQ(write(2), ErrorCode::kConflict);
  EXPECT_EQ(
      backend.target().make_writer(resource, {.columns = upload.columns()}).error().code,
      ErrorCode::kConflict);
  backend.execute("DROP TABLE t");
  EXPECT_EQ(write(2), ErrorCode::kConflict);
}

TEST(SqliteJobWriter, LeavesNothingBehindWhenTheTransactionIsRolledBack) {
  SqliteTestBackend backend;
  backend.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT)");
  const Resource resource = backend.target().introspect("t").value();
  const TestUpload upload(ContentType::kCsv, "id,a\n1,1\n1,2\n3,3\n", resource);
  auto writer =
      backend.target().make_writer(resource, {.columns = upload.columns()}).value();
  const auto bound = writer->bind(upload.windows(10).front(), SliceSet{});
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto transaction = backend.database().begin_write(std::chrono::seconds(1));
    const auto written = writer->write(*transaction.value(), *bound, SliceNumber(0), {});
    EXPECT_THAT(written.value().outcomes,
                ElementsAre(Outcome::kCreated, Outcome::kFailed, Outcome::kCreated));
    transaction.value()->rollback();
    EXPECT_THAT(backend.query("SELECT * FROM t"), ElementsAre());
  }
}

}  // namespace
}  // namespace tallyman
