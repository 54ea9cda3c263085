#include <algorithm>

#include "base/check.h"
#include "target/postgres_catalog.h"
#include "target/postgres_table.h"

namespace tallyman {
namespace {

bool is_on(const PostgresTrigger& trigger, PostgresAction action) {
  switch (action) {
    case PostgresAction::kInsert: return trigger.on_insert;
    case PostgresAction::kUpdate: return trigger.on_update;
    case PostgresAction::kDelete: return trigger.on_delete;
  }
  CHECK(false);
}

// Every row of the catalogue that has a say, by the transaction that wrote it: whoever
// changes one writes it anew.
constexpr std::string_view kStampRows = R"(
type AS (
  SELECT a.atttypid AS oid FROM pg_attribute a
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT t.typbasetype FROM type JOIN pg_type t ON t.oid = type.oid WHERE t.typtype = 'd')
SELECT md5(string_agg(row, ',' ORDER BY row COLLATE "C")) FROM (
SELECT 'r' || c.oid || ':' || c.xmin::text AS row FROM pg_class c JOIN tree ON relid = c.oid
UNION ALL
SELECT 'a' || a.attnum || ':' || a.xmin::text FROM pg_attribute a
WHERE a.attrelid = $1::oid AND a.attnum > 0
UNION ALL
SELECT 'd' || d.oid || ':' || d.xmin::text FROM pg_attrdef d WHERE d.adrelid = $1::oid
UNION ALL
SELECT 'i' || i.indexrelid || ':' || i.xmin::text FROM pg_index i
JOIN tree ON relid = i.indrelid
UNION ALL
SELECT 'k' || k.oid || ':' || k.xmin::text FROM pg_constraint k
WHERE k.conrelid IN (SELECT relid FROM tree) OR k.confrelid = $1::oid
   OR k.contypid IN (SELECT oid FROM type)
UNION ALL
SELECT 'g' || g.oid || ':' || g.xmin::text FROM pg_trigger g
WHERE NOT g.tgisinternal AND (g.tgrelid IN (SELECT relid FROM tree) OR
                              g.tgrelid IN (SELECT relid FROM follower))
UNION ALL
SELECT 'w' || w.oid || ':' || w.xmin::text FROM pg_rewrite w WHERE w.ev_class = $1::oid
UNION ALL
SELECT 'p' || p.oid || ':' || p.xmin::text FROM pg_policy p WHERE p.polrelid = $1::oid
UNION ALL
SELECT 'h' || h.inhrelid || ':' || h.xmin::text FROM pg_inherits h
JOIN tree ON relid = h.inhparent
UNION ALL
SELECT 'e' || e.oid || ':' || e.xmin::text FROM pg_enum e JOIN type ON type.oid = e.enumtypid
UNION ALL
SELECT 't' || t.oid || ':' || t.xmin::text FROM pg_type t JOIN type ON type.oid = t.oid
UNION ALL
SELECT 's' || q.seqrelid || ':' || q.xmin::text FROM pg_depend d
JOIN pg_sequence q ON q.seqrelid = d.objid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = $1::oid) AS rows WHERE EXISTS (
    SELECT FROM pg_class WHERE oid = $1::oid))";

}  // namespace

Result<std::string> read_postgres_stamp(db::PostgresConnection& connection,
                                        db::Oid table) {
  std::string sql = "WITH RECURSIVE tree AS ";
  sql += kPostgresTree;
  sql += ", follower AS ";
  sql += kPostgresFollowers;
  sql += ",";
  sql += kStampRows;
  TALLY_TRY_ASSIGN(const auto stamp, connection.execute(sql, table));
  return std::string(stamp.text(0, 0));
}

std::optional<std::string> why_one_by_one(const PostgresTable& table,
                                          PostgresAction action) {
  for (const PostgresTrigger& trigger : table.triggers) {
    if (is_on(trigger, action)) {
      return "table " + table.sql_name + " has the trigger " + trigger.name;
    }
  }
  return why_in_file_order(table, action);
}

std::optional<std::string> why_in_file_order(const PostgresTable& table,
                                             PostgresAction action) {
  const std::string subject = "table " + table.sql_name + " ";
  for (const PostgresTrigger& trigger : table.triggers) {
    if (trigger.before && is_on(trigger, action)) {
      return subject + "has the trigger " + trigger.name;
    }
  }
  if (table.has_rules) return subject + "has rules";
  if (table.row_security_active) return subject + "is under row-level security";
  if (table.has_children) return subject + "has tables that inherit from it";
  const auto refers_to_itself =
      std::any_of(table.foreign_keys.begin(), table.foreign_keys.end(),
                  [](const PostgresForeignKey& key) { return key.to_itself; });
  if (refers_to_itself) return subject + "has a foreign key to itself";
  if (action == PostgresAction::kInsert) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (!table.columns[i].default_has_effects) continue;
      return "the default of column " + table.resource.fields[i].name +
             " calls a function that could have effects";
    }
    return std::nullopt;
  }
  if (table.follows_to_itself) {
    return subject +
           "is changed again by what follows its changes (ON DELETE, ON UPDATE)";
  }
  if (table.follows_to_triggers) {
    return subject + "is followed (ON DELETE, ON UPDATE) by tables with triggers";
  }
  if (action == PostgresAction::kUpdate && !table.exclusions.empty()) {
    return subject + "has the exclusion constraint " + table.exclusions.front();
  }
  return std::nullopt;
}

std::optional<std::string> why_no_copy(const PostgresTable& table) {
  const std::string subject = "table " + table.sql_name + " ";
  if (table.row_security) return subject + "has row-level security";
  if (table.has_rules) return subject + "has rules";
  return std::nullopt;
}

}  // namespace tallyman
