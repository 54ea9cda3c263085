#include <algorithm>
#include <map>

#include "model/limits.h"
#include "target/postgres_catalog.h"

namespace tallyman {
namespace {

using db::PostgresResult;

// Every column with the type below all of its type's domains. A function that a default
// calls is told by the expression's tree: those of the system leave no dependency.
constexpr std::string_view kColumns = R"(
WITH RECURSIVE layer AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier, a.attnotnull AS not_null,
         NULL::pg_node_tree COLLATE "C" AS default_tree,
         NULL::text COLLATE "C" AS default_text
  FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT l.attnum, t.typbasetype, t.typtypmod, l.not_null OR t.typnotnull,
         coalesce(l.default_tree, t.typdefaultbin), coalesce(l.default_text, t.typdefault)
  FROM layer l JOIN pg_type t ON t.oid = l.type WHERE t.typtype = 'd')
SELECT a.attname, format_type(a.atttypid, a.atttypmod), l.not_null, a.attidentity,
       a.attgenerated,
       coalesce(pg_get_expr(d.adbin, d.adrelid), l.default_text) AS default_text,
       n.nspname, t.typname, t.typtype, l.modifier,
       coalesce(c.collisdeterministic, true),
       EXISTS (SELECT FROM regexp_matches(coalesce(d.adbin, l.default_tree)::text,
                                          ':(?:op)?funcid (\d+)', 'g') AS called(oids)
               JOIN pg_proc f ON f.oid = oids[1]::oid
               WHERE f.provolatile = 'v' AND f.proname NOT IN (
                 'nextval', 'clock_timestamp', 'timeofday', 'random', 'random_normal',
                 'gen_random_uuid', 'gen_random_bytes', 'uuidv4', 'uuidv7',
                 'uuid_generate_v1', 'uuid_generate_v1mc', 'uuid_generate_v4')),
       CASE WHEN a.attcollation <> t.typcollation THEN
         quote_ident(cn.nspname) || '.' || quote_ident(c.collname) END,
       a.attnum, a.atttypid, t.oid, t.typarray
FROM pg_attribute a
JOIN layer l ON l.attnum = a.attnum
JOIN pg_type t ON t.oid = l.type AND t.typtype <> 'd'
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_collation c ON c.oid = a.attcollation
LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 ORDER BY a.attnum)";
constexpr int kColumnsDefinition = 13;

constexpr std::string_view kLabels = R"(
WITH RECURSIVE layer AS (
  SELECT a.atttypid AS type FROM pg_attribute a
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT t.typbasetype FROM layer l JOIN pg_type t ON t.oid = l.type WHERE t.typtype = 'd')
SELECT e.enumlabel, e.enumtypid FROM layer l JOIN pg_enum e ON e.enumtypid = l.type
JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
ORDER BY n.nspname, t.typname, e.enumsortorder)";

using Labels = std::map<db::Oid, std::vector<std::string>>;

Result<Labels> read_labels(PostgresCatalogReader& reader, const PostgresTable& table) {
  TALLY_TRY_ASSIGN(const auto rows, reader.query(kLabels, table.oid, 1));
  Labels labels;
  for (int row = 0; row < rows.rows(); ++row) {
    labels[static_cast<db::Oid>(rows.integer(row, 1))].emplace_back(rows.text(row, 0));
  }
  return labels;
}

PostgresTypeFacts type_facts(const PostgresResult& rows, int row, const Labels& labels) {
  PostgresTypeFacts facts;
  facts.schema = rows.text(row, 6);
  facts.name = rows.text(row, 7);
  facts.kind = rows.text(row, 8).front();
  facts.modifier = static_cast<std::int32_t>(rows.integer(row, 9));
  facts.deterministic_collation = rows.boolean(row, 10);
  facts.oid = static_cast<db::Oid>(rows.integer(row, 15));
  facts.array_oid = static_cast<db::Oid>(rows.integer(row, 16));
  const auto known = labels.find(facts.oid);
  if (known != labels.end()) facts.labels = known->second;
  return facts;
}

PostgresColumn make_column(const PostgresResult& rows, int row, const Labels& labels) {
  PostgresColumn column;
  column.type = describe_postgres_type(type_facts(rows, row, labels));
  column.type.oid = static_cast<db::Oid>(rows.integer(row, 14));
  column.type.is_domain = rows.integer(row, 14) != rows.integer(row, 15);
  column.sql_name = db::postgres_quoted(rows.text(row, 0));
  column.number = static_cast<std::int16_t>(rows.integer(row, 13));
  column.sql_collation = rows.text(row, 12);
  column.identity_always = rows.text(row, 3) == "a";
  column.default_has_effects = rows.boolean(row, 11);
  return column;
}

Field make_field(const PostgresResult& rows, int row, const PostgresColumn& column) {
  const bool is_identity = !rows.text(row, 3).empty();
  const bool is_computed = !rows.text(row, 4).empty();
  Field field;
  field.name = rows.text(row, 0);
  field.declared_type = rows.text(row, 1);
  field.nullable = !rows.boolean(row, 2);
  field.generated = is_computed || column.identity_always;
  field.has_default = is_identity || (!is_computed && !rows.is_null(row, 5));
  if (!is_computed) field.default_sql = rows.text(row, 5);
  field.type = column.type.field_type;
  field.precision = column.type.precision;
  field.scale = column.type.scale;
  field.max_length = column.type.max_length;
  return field;
}

}  // namespace

Result<void> read_postgres_columns(PostgresCatalogReader& reader, PostgresTable& table) {
  TALLY_TRY_ASSIGN(const Labels labels, read_labels(reader, table));
  TALLY_TRY_ASSIGN(const auto rows,
                   reader.query(kColumns, table.oid, kColumnsDefinition));
  if (static_cast<std::size_t>(rows.rows()) > limits::kFieldsMax) {
    return Error{ErrorCode::kInvalidArgument,
                 "table " + table.sql_name + " has " + std::to_string(rows.rows()) +
                     " columns; the limit is " + std::to_string(limits::kFieldsMax)};
  }
  for (int row = 0; row < rows.rows(); ++row) {
    table.columns.push_back(make_column(rows, row, labels));
    table.resource.fields.push_back(make_field(rows, row, table.columns.back()));
  }
  return {};
}

}  // namespace tallyman
