#include "target/sqlite_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/sqlite_sql.h"
#include "target/sqlite_test_backend.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SqliteTableTest : public testing::Test {
 protected:
  SqliteTable read(std::string_view name) {
    auto transaction = backend_.database().begin_read();
    auto table = read_sqlite_table(db::sqlite(*transaction.value()), name);
    EXPECT_TRUE(table.ok()) << table.error().message;
    return std::move(table).value();
  }
  Error refusal(std::string_view name) {
    const auto resource = backend_.target().introspect(name);
    EXPECT_FALSE(resource.ok());
    return resource.error();
  }

  SqliteTestBackend backend_;
};

TEST_F(SqliteTableTest, DescribesColumns) {
  backend_.execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x', "
      "amount DECIMAL(12,2), twice INTEGER GENERATED ALWAYS AS (id * 2), "
      "thrice INTEGER AS (id * 3) STORED, anything)");
  const Resource table = read("t").resource;
  EXPECT_EQ(table.table, "t");
  EXPECT_THAT(table.field_names(),
              ElementsAre("id", "name", "amount", "twice", "thrice", "anything"));
  EXPECT_TRUE(table.fields[0].has_default);
  EXPECT_FALSE(table.fields[0].nullable);
  EXPECT_FALSE(table.fields[0].required());
  EXPECT_FALSE(table.fields[1].nullable);
  EXPECT_EQ(table.fields[1].default_sql, "'x'");
  EXPECT_EQ(table.fields[1].max_length, 20u);
  EXPECT_EQ(table.fields[1].declared_type, "VARCHAR(20)");
  EXPECT_EQ(table.fields[2].precision, 12);
  EXPECT_TRUE(table.fields[2].nullable);
  EXPECT_TRUE(table.fields[3].generated);
  EXPECT_TRUE(table.fields[4].generated);
  EXPECT_EQ(table.fields[5].type, FieldType::kAny);
}

TEST_F(SqliteTableTest, FindsKeysThatRowsCanBeFoundBy) {
  backend_.execute(
      "CREATE TABLE t (a TEXT COLLATE NOCASE, b INT, c TEXT, d TEXT, "
      "PRIMARY KEY (b, a), UNIQUE (c));"
      "CREATE UNIQUE INDEX by_d ON t (d COLLATE NOCASE);"
      "CREATE UNIQUE INDEX part ON t (d) WHERE b > 0;"
      "CREATE UNIQUE INDEX expression ON t (lower(d));"
      "CREATE INDEX plain ON t (c);");
  const SqliteTable table = read("t");
  ASSERT_EQ(table.resource.keys.size(), 3u);
  EXPECT_TRUE(table.resource.keys[0].primary);
  EXPECT_THAT(table.resource.keys[0].fields, ElementsAre(1, 0));
  EXPECT_THAT(table.keys[0].collations, ElementsAre("BINARY", "NOCASE"));
  EXPECT_EQ(table.resource.keys[1].name, "by_d");
  EXPECT_THAT(table.keys[1].collations, ElementsAre("NOCASE"));
  EXPECT_EQ(table.resource.keys[2].name, "unique (c)");
  EXPECT_EQ(table.row_id_kind, RowIdKind::kText);
  EXPECT_EQ(table.rowid_name, "rowid");
}

TEST_F(SqliteTableTest, KnowsHowRowsAreNamed) {
  backend_.execute(
      "CREATE TABLE alias (\"the id\" INTEGER PRIMARY KEY);"
      "CREATE TABLE no_alias (id INT PRIMARY KEY);"
      "CREATE TABLE descending (id INTEGER PRIMARY KEY DESC);"
      "CREATE TABLE text_key (id TEXT PRIMARY KEY);"
      "CREATE TABLE without (id INTEGER PRIMARY KEY) WITHOUT ROWID;"
      "CREATE TABLE no_key (rowid, OID, a);"
      "CREATE TABLE taken (rowid, oid, _rowid_, a UNIQUE);");
  EXPECT_EQ(read("alias").rowid_name, "\"the id\"");
  EXPECT_EQ(read("alias").row_id_kind, RowIdKind::kInteger);
  EXPECT_EQ(read("alias").rowid_column, 0u);
  EXPECT_EQ(read("no_alias").rowid_column, std::nullopt);
  EXPECT_EQ(read("no_alias").row_id_kind, RowIdKind::kInteger);
  EXPECT_EQ(read("descending").rowid_column, std::nullopt);
  EXPECT_EQ(read("text_key").row_id_kind, RowIdKind::kText);
  EXPECT_EQ(read("without").rowid_column, std::nullopt);
  EXPECT_EQ(read("without").rowid_name, "");
  EXPECT_EQ(read("no_key").rowid_name, "_rowid_");
  EXPECT_EQ(read("no_key").row_id_kind, RowIdKind::kNone);
  EXPECT_EQ(read("taken").rowid_name, "");
}

TEST_F(SqliteTableTest, FindsForeignKeysOfBothSides) {
  backend_.execute(
      "CREATE TABLE parent (a INT, b INT, PRIMARY KEY (a, b));"
      "CREATE TABLE t (id INTEGER PRIMARY KEY, x INT, y INT, up INT REFERENCES T, "
      "FOREIGN KEY (x, y) REFERENCES parent);"
      "CREATE TABLE child (t INT REFERENCES t (id) ON DELETE CASCADE);");
  const SqliteTable table = read("t");
  ASSERT_EQ(table.resource.foreign_keys.size(), 2u);
  EXPECT_EQ(table.resource.foreign_keys[0].name, "foreign key (up)");
  EXPECT_THAT(table.resource.foreign_keys[0].parent_fields, ElementsAre("id"));
  EXPECT_EQ(table.resource.foreign_keys[1].parent_table, "parent");
  EXPECT_THAT(table.resource.foreign_keys[1].parent_fields, ElementsAre("a", "b"));
  ASSERT_EQ(table.references.size(), 2u);
  EXPECT_EQ(table.references[0].child_table, "child");
  EXPECT_TRUE(table.references[0].acts_on_delete);
  EXPECT_FALSE(table.references[0].acts_on_update);
}

TEST_F(SqliteTableTest, KnowsWhatAStatementSetsOff) {
  backend_.execute(
      "CREATE TABLE plain (id INTEGER PRIMARY KEY);"
      "CREATE TABLE triggered (id INTEGER PRIMARY KEY);"
      "CREATE TRIGGER tr AFTER UPDATE ON triggered BEGIN SELECT 1; END;"
      "CREATE TABLE deferred (id INTEGER PRIMARY KEY, "
      "p INT REFERENCES plain DEFERRABLE INITIALLY DEFERRED);"
      "CREATE TABLE watched (id INTEGER PRIMARY KEY);"
      "CREATE TABLE watcher (w INT REFERENCES watched ON DELETE CASCADE);"
      "CREATE TRIGGER tr2 AFTER DELETE ON watcher BEGIN SELECT 1; END;"
      "CREATE TABLE ring (id INTEGER PRIMARY KEY, r INT REFERENCES ring ON DELETE "
      "CASCADE);"
      "CREATE TABLE clause (id INTEGER PRIMARY KEY, a UNIQUE ON CONFLICT IGNORE, "
      "b DEFAULT 'on conflict');");
  EXPECT_TRUE(read("plain").insert_is_simple);
  EXPECT_FALSE(read("plain").change_is_simple);  // "deferred" watches it.
  EXPECT_FALSE(read("triggered").insert_is_simple);
  EXPECT_FALSE(read("deferred").insert_is_simple);
  EXPECT_TRUE(read("watched").insert_is_simple);
  EXPECT_FALSE(read("watched").change_is_simple);
  EXPECT_TRUE(read("ring").change_is_simple);
  EXPECT_TRUE(read("clause").has_conflict_clauses);
  EXPECT_FALSE(read("plain").has_conflict_clauses);
}

TEST_F(SqliteTableTest, ChangesItsFingerprintWithTheDefinition) {
  backend_.execute("CREATE TABLE t (a); CREATE TABLE other (a);");
  std::vector<std::string> prints = {read("t").resource.schema_fingerprint};
  backend_.execute("CREATE TABLE third (a)");
  EXPECT_EQ(read("t").resource.schema_fingerprint, prints.back());
  for (const char* change : {"CREATE INDEX i ON t (a)",
                             "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END",
                             "ALTER TABLE t ADD COLUMN b", "DROP INDEX i"}) {
    backend_.execute(change);
    const std::string print = read("t").resource.schema_fingerprint;
    EXPECT_THAT(prints, testing::Not(testing::Contains(print))) << change;
    prints.push_back(print);
  }
}

TEST_F(SqliteTableTest, RefusesWhatIsNoOrdinaryTable) {
  backend_.execute(
      "CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT);"
      "CREATE TABLE tallyman_job (id INTEGER PRIMARY KEY);"
      "CREATE VIEW seen AS SELECT * FROM people;"
      "CREATE VIRTUAL TABLE words USING fts5 (text);");
  EXPECT_THAT(backend_.target().tables().value(), ElementsAre("people"));
  EXPECT_EQ(refusal("poeple").code, ErrorCode::kNotFound);
  EXPECT_THAT(refusal("poeple").message, HasSubstr("did you mean \"people\""));
  EXPECT_EQ(refusal("seen").code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refusal("seen").message, HasSubstr("is a view"));
  EXPECT_THAT(refusal("words").message, HasSubstr("is a virtual table"));
  EXPECT_THAT(refusal("words_data").message, HasSubstr("belongs to a virtual table"));
  EXPECT_THAT(refusal("sqlite_sequence").message, HasSubstr("internal"));
  EXPECT_THAT(refusal("sqlite_schema").message, HasSubstr("internal"));
  EXPECT_THAT(refusal("tallyman_job").message, HasSubstr("internal"));
  EXPECT_EQ(read("PEOPLE").resource.table, "people");
}

// Every name goes where it is meant to go, as a table, column, key and index.
TEST_F(SqliteTableTest, SurvivesHostileNames) {
  const std::vector<std::string> names = {"a\"b",
                                          "a\";--",
                                          "it's",
                                          "select",
                                          "x__startswith",
                                          "a.b",
                                          "main.t",
                                          "ünïcödé",
                                          "表",
                                          "a b",
                                          "[x]",
                                          "`x`",
                                          "?1",
                                          ":x",
                                          "a\nb",
                                          "\\",
                                          "%s",
                                          "own",
                                          "other",
                                          "parent",
                                          "child",
                                          std::string(63, 'n'),
                                          "rowid ",
                                          "1"};
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    SqliteTestBackend backend;
    const std::string q = quote_name(name);
    backend.execute("CREATE TABLE " + q + " (id INTEGER PRIMARY KEY, " + q +
                    " TEXT NOT NULL UNIQUE, up INT REFERENCES " + q + ")");
    std::string header = "id,\"";
    for (const char c : name)
      header += c == '"' ? std::string("\"\"") : std::string(1, c);
    header += "\",up\n";
    const auto run = [&](TargetJob job) {
      job.table = name;
      return run_job(backend, job, 1000, false).results;
    };
    EXPECT_THAT(run({.upload = header + "1,a,\n1,b,\n2,a,\n3,c,9\n4,d,1\n"}),
                ElementsAre("created 1", "failed DUPLICATE_VALUE id",
                            "failed DUPLICATE_VALUE " + name,
                            "failed FOREIGN_KEY_VIOLATION up", "created 4"));
    EXPECT_THAT(run({.operation = Operation::kUpsert,
                     .upload = header + "1,a,4\n7,e,9\n8,f,\n",
                     .unique_fields = {name}}),
                ElementsAre("updated 1", "failed FOREIGN_KEY_VIOLATION up", "created 8"));
    EXPECT_THAT(
        run({.operation = Operation::kReplace, .upload = header + "4,dd,\n4,a,\n"}),
        ElementsAre("updated 4", "failed DUPLICATE_VALUE " + name));
    EXPECT_THAT(run({.operation = Operation::kDelete, .upload = "id\n4\n1\n"}),
                ElementsAre("failed FOREIGN_KEY_VIOLATION id", "deleted 1"));
  }
}

}  // namespace
}  // namespace tallyman
