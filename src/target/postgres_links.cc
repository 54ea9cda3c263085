#include <algorithm>

#include "base/check.h"
#include "target/postgres_catalog.h"

namespace tallyman {
namespace {

using db::PostgresResult;

// A row for each column that a CHECK reads (one without columns has one row too).
constexpr std::string_view kChecks = R"(
WITH RECURSIVE layer AS (
  SELECT a.attnum, a.atttypid AS type FROM pg_attribute a
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT l.attnum, t.typbasetype FROM layer l JOIN pg_type t ON t.oid = l.type
  WHERE t.typtype = 'd')
SELECT k.conname, pg_get_expr(k.conbin, k.conrelid), false AS of_domain, c.attnum
FROM pg_constraint k LEFT JOIN LATERAL unnest(k.conkey) AS c(attnum) ON true
WHERE k.contype = 'c' AND k.conrelid = $1
UNION ALL
SELECT k.conname, pg_get_expr(k.conbin, 0), true, l.attnum
FROM layer l JOIN pg_constraint k ON k.contype = 'c' AND k.contypid = l.type
ORDER BY 1, 3, 4)";

// A row for each column of each foreign key. What partitions inherit is left out.
constexpr std::string_view kForeignKeys = R"(
SELECT k.conname, pair.child, pn.nspname, p.relname, pa.attname, tn.nspname, pt.typname,
       k.confmatchtype = 'f', k.condeferrable, k.condeferred, k.oid, k.confrelid,
       coalesce(pg_partition_root(k.confrelid), k.confrelid) =
         coalesce(pg_partition_root(k.conrelid), k.conrelid)
FROM pg_constraint k
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair(child, parent, place)
JOIN pg_class p ON p.oid = k.confrelid
JOIN pg_namespace pn ON pn.oid = p.relnamespace
JOIN pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = pair.parent
JOIN pg_type pt ON pt.oid = pa.atttypid
JOIN pg_namespace tn ON tn.oid = pt.typnamespace
WHERE k.contype = 'f' AND k.conrelid = $1
  AND NOT EXISTS (SELECT FROM pg_constraint whole
                  WHERE whole.oid = k.conparentid AND whole.conrelid = k.conrelid)
ORDER BY k.conname, k.oid, pair.place)";
constexpr int kForeignKeysDefinition = 10;

constexpr std::string_view kReferences = R"(
SELECT k.conname, cn.nspname, c.relname, ca.attname, pair.parent, k.confdeltype,
       k.confupdtype, k.condeferrable, k.condeferred, k.oid,
       coalesce(pg_partition_root(k.confrelid), k.confrelid) =
         coalesce(pg_partition_root(k.conrelid), k.conrelid)
FROM pg_constraint k
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair(child, parent, place)
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = pair.child
WHERE k.contype = 'f' AND k.confrelid = $1
  AND NOT EXISTS (SELECT FROM pg_constraint whole
                  WHERE whole.oid = k.conparentid AND whole.confrelid = k.confrelid)
ORDER BY cn.nspname, c.relname, k.conname, k.oid, pair.place)";
constexpr int kReferencesDefinition = 9;

constexpr std::string_view kTriggerIsOn =
    "NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')";

// Bits of tgtype: 1 each row, 2 before, 4 insert, 8 delete, 16 update, 64 instead.
constexpr std::string_view kTriggers =
    "SELECT g.tgname, g.tgtype FROM pg_trigger g WHERE g.tgrelid IN ";

constexpr std::string_view kExclusions =
    "SELECT conname FROM pg_constraint WHERE contype = 'x' AND conrelid = $1 ORDER BY 1";

PostgresFollow follow_of(std::string_view letter) {
  switch (letter.front()) {
    case 'a': return PostgresFollow::kNoAction;
    case 'r': return PostgresFollow::kRestrict;
    case 'c': return PostgresFollow::kCascade;
    case 'n': return PostgresFollow::kSetNull;
    case 'd': return PostgresFollow::kSetDefault;
    default: CHECK(false);
  }
}

std::string sql_name(std::string_view schema, std::string_view name) {
  return db::postgres_quoted(schema) + "." + db::postgres_quoted(name);
}

Result<void> read_checks(PostgresCatalogReader& reader, PostgresTable& table) {
  TALLY_TRY_ASSIGN(const auto rows, reader.query(kChecks, table.oid, 4));
  for (int row = 0; row < rows.rows(); ++row) {
    const bool of_domain = rows.boolean(row, 2);
    const bool is_next = table.checks.empty() || of_domain ||
                         table.checks.back().of_domain ||
                         table.checks.back().name != rows.text(row, 0);
    if (is_next) {
      table.checks.push_back({std::string(rows.text(row, 0)),
                              std::string(rows.text(row, 1)),
                              {},
                              of_domain});
    }
    // A whole-row reference has the number 0.
    if (rows.integer(row, 3) <= 0) continue;
    table.checks.back().fields.push_back(place_of(table, rows.integer(row, 3)));
  }
  return {};
}

Result<void> read_foreign_keys(PostgresCatalogReader& reader, PostgresTable& table) {
  TALLY_TRY_ASSIGN(const auto rows,
                   reader.query(kForeignKeys, table.oid, kForeignKeysDefinition));
  for (int row = 0; row < rows.rows(); ++row) {
    if (row == 0 || rows.integer(row, 10) != rows.integer(row - 1, 10)) {
      table.resource.foreign_keys.push_back({std::string(rows.text(row, 0)), {}, {}, {}});
      table.resource.foreign_keys.back().parent_table = rows.text(row, 3);
      PostgresForeignKey& key = table.foreign_keys.emplace_back();
      key.parent_oid = static_cast<db::Oid>(rows.integer(row, 11));
      key.parent_sql_name = sql_name(rows.text(row, 2), rows.text(row, 3));
      key.match_full = rows.boolean(row, 7);
      key.deferrable = rows.boolean(row, 8);
      key.initially_deferred = rows.boolean(row, 9);
      key.to_itself = rows.boolean(row, 12);
    }
    ForeignKey& key = table.resource.foreign_keys.back();
    key.fields.push_back(place_of(table, rows.integer(row, 1)));
    key.parent_fields.emplace_back(rows.text(row, 4));
    table.foreign_keys.back().parent_sql_columns.push_back(
        db::postgres_quoted(rows.text(row, 4)));
    table.foreign_keys.back().parent_types.push_back(
        sql_name(rows.text(row, 5), rows.text(row, 6)));
  }
  return {};
}

Result<void> read_references(PostgresCatalogReader& reader, PostgresTable& table) {
  TALLY_TRY_ASSIGN(const auto rows,
                   reader.query(kReferences, table.oid, kReferencesDefinition));
  for (int row = 0; row < rows.rows(); ++row) {
    if (row == 0 || rows.integer(row, 9) != rows.integer(row - 1, 9)) {
      PostgresReference& reference = table.references.emplace_back();
      reference.name = rows.text(row, 0);
      reference.child_sql_name = sql_name(rows.text(row, 1), rows.text(row, 2));
      reference.on_delete = follow_of(rows.text(row, 5));
      reference.on_update = follow_of(rows.text(row, 6));
      reference.deferrable = rows.boolean(row, 7);
      reference.initially_deferred = rows.boolean(row, 8);
      reference.from_itself = rows.boolean(row, 10);
    }
    PostgresReference& reference = table.references.back();
    reference.child_sql_columns.push_back(db::postgres_quoted(rows.text(row, 3)));
    reference.fields.push_back(place_of(table, rows.integer(row, 4)));
  }
  return {};
}

Result<void> read_triggers(PostgresCatalogReader& reader, PostgresTable& table) {
  std::string sql(kTriggers);
  sql += kPostgresTree;
  sql += " AND ";
  sql += kTriggerIsOn;
  sql += " ORDER BY 1, 2";
  TALLY_TRY_ASSIGN(const auto rows, reader.query(sql, table.oid, 2));
  for (int row = 0; row < rows.rows(); ++row) {
    const std::int64_t bits = rows.integer(row, 1);
    PostgresTrigger trigger;
    trigger.name = rows.text(row, 0);
    trigger.each_row = bits & 1;
    trigger.before = bits & 2;
    trigger.on_insert = bits & 4;
    trigger.on_delete = bits & 8;
    trigger.on_update = bits & 16;
    const auto is_same = [&](const PostgresTrigger& other) {  // Of another partition.
      return other.name == trigger.name && other.each_row == trigger.each_row &&
             other.before == trigger.before && other.on_insert == trigger.on_insert &&
             other.on_delete == trigger.on_delete && other.on_update == trigger.on_update;
    };
    if (!table.triggers.empty() && is_same(table.triggers.back())) continue;
    table.triggers.push_back(std::move(trigger));
  }
  return {};
}

Result<void> read_followers(PostgresCatalogReader& reader, PostgresTable& table) {
  if (table.references.empty()) return {};
  std::string sql = "WITH tree AS ";
  sql += kPostgresTree;
  sql += ", follower AS ";
  sql += kPostgresFollowers;
  sql +=
      " SELECT EXISTS (SELECT FROM follower WHERE relid IN (SELECT relid FROM tree)), "
      "EXISTS (SELECT FROM follower JOIN pg_trigger g ON g.tgrelid = follower.relid "
      "WHERE ";
  sql += kTriggerIsOn;
  sql += ")";
  TALLY_TRY_ASSIGN(const auto rows, reader.query(sql, table.oid, 2));
  table.follows_to_itself = rows.boolean(0, 0);
  table.follows_to_triggers = rows.boolean(0, 1);
  return {};
}

}  // namespace

Result<void> read_postgres_links(PostgresCatalogReader& reader, PostgresTable& table) {
  TALLY_TRY(read_checks(reader, table));
  TALLY_TRY_ASSIGN(const auto exclusions, reader.query(kExclusions, table.oid, 1));
  for (int row = 0; row < exclusions.rows(); ++row) {
    table.exclusions.emplace_back(exclusions.text(row, 0));
  }
  TALLY_TRY(read_foreign_keys(reader, table));
  TALLY_TRY(read_references(reader, table));
  TALLY_TRY(read_triggers(reader, table));
  return read_followers(reader, table);
}

}  // namespace tallyman
