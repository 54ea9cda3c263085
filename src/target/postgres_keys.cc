#include <map>

#include "target/postgres_catalog.h"

namespace tallyman {
namespace {

using db::PostgresResult;

// A row for each column of each unique index that holds; those of an index stand
// together: primary, whole, partial.
constexpr std::string_view kIndexes = R"(
SELECT x.relname, i.indisprimary, k.oid IS NOT NULL, NOT i.indimmediate,
       coalesce(k.condeferred, false),
       i.indnullsnotdistinct,
       pg_get_expr(i.indpred, i.indrelid), i.indkey[part.place - 1],
       CASE WHEN i.indkey[part.place - 1] = 0
            THEN pg_get_indexdef(i.indexrelid, part.place, false) END,
       coalesce(c.collisdeterministic, true), n.nspname, i.indexrelid
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = x.relnamespace
CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) AS part(place)
LEFT JOIN pg_collation c ON c.oid = i.indcollation[part.place - 1]
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
  AND k.conrelid = i.indrelid
WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indislive
ORDER BY i.indisprimary DESC, i.indpred IS NOT NULL, x.relname COLLATE "C", part.place)";
constexpr int kIndexesDefinition = 10;

// Columns that an index over expressions reads.
constexpr std::string_view kExpressionColumns = R"(
SELECT x.relname, d.refobjsubid, i.indexrelid
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid
  AND d.refobjsubid > 0
WHERE i.indrelid = $1 AND i.indisunique AND i.indexprs IS NOT NULL
GROUP BY 1, 2, 3 ORDER BY 1, 2)";

// The sequence that numbers a column: where its default is nextval of it and nothing
// else, or it is an identity; and the role may draw from it. (CASE: conditions are asked
// in any order, and the function fails for what is no sequence.)
constexpr std::string_view kSequences = R"(
SELECT a.attnum, n.nspname, s.relname, q.seqincrement
FROM pg_depend d
JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = $1 AND d.deptype = 'i' AND a.attidentity <> '' AND NOT q.seqcycle
  AND CASE WHEN s.relkind = 'S' THEN has_sequence_privilege(s.oid, 'USAGE, UPDATE') END
UNION ALL
SELECT a.attnum, n.nspname, s.relname, q.seqincrement
FROM pg_attrdef f
JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
  AND d.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_sequence q ON q.seqrelid = s.oid
WHERE f.adrelid = $1 AND NOT q.seqcycle
  AND pg_get_expr(f.adbin, f.adrelid) = format('nextval(%L::regclass)', s.oid::regclass)
  AND CASE WHEN s.relkind = 'S' THEN has_sequence_privilege(s.oid, 'USAGE, UPDATE') END)";

// The indexes of partitions that are parts of one of these.
constexpr std::string_view kPartitionIndexes = R"(
SELECT x.relname, i.indexrelid
FROM pg_index i CROSS JOIN LATERAL pg_partition_tree(i.indexrelid) AS part
JOIN pg_class x ON x.oid = part.relid
WHERE i.indrelid = $1 AND i.indisunique AND part.relid <> i.indexrelid
ORDER BY x.relname COLLATE "C")";

std::string sql_name(std::string_view schema, std::string_view name) {
  return db::postgres_quoted(schema) + "." + db::postgres_quoted(name);
}

// Of each index, by its oid.
using PartitionNames = std::map<db::Oid, std::vector<std::string>>;

struct FoundIndex {
  Key key;
  PostgresKey postgres;
  std::vector<std::string> terms;  // Empty texts for plain columns.
  db::Oid oid = 0;
  bool on_expressions = false;
};

FoundIndex start_index(const PostgresResult& rows, int row) {
  FoundIndex index;
  index.key.name = rows.text(row, 0);
  index.key.primary = rows.boolean(row, 1);
  index.postgres.sql_name = sql_name(rows.text(row, 10), rows.text(row, 0));
  index.postgres.is_constraint = rows.boolean(row, 2);
  index.postgres.deferrable = rows.boolean(row, 3);
  index.postgres.initially_deferred = rows.boolean(row, 4);
  index.postgres.nulls_are_equal = rows.boolean(row, 5);
  index.postgres.predicate = rows.text(row, 6);
  index.postgres.canonical = true;
  index.oid = static_cast<db::Oid>(rows.integer(row, 11));
  return index;
}

void add_column(const PostgresResult& rows, int row, const PostgresTable& table,
                FoundIndex& index) {
  if (rows.integer(row, 7) == 0) {
    index.on_expressions = true;
    index.terms.emplace_back(rows.text(row, 8));
    return;
  }
  const std::size_t place = place_of(table, rows.integer(row, 7));
  index.key.fields.push_back(place);
  index.terms.push_back(table.columns[place].sql_name);
  index.postgres.canonical = index.postgres.canonical && rows.boolean(row, 9) &&
                             table.columns[place].type.canonical;
}

Result<PartitionNames> read_partition_names(PostgresCatalogReader& reader,
                                            const PostgresTable& table) {
  PartitionNames names;
  if (!table.is_partitioned) return names;
  TALLY_TRY_ASSIGN(const auto rows, reader.query(kPartitionIndexes, table.oid, 0));
  for (int row = 0; row < rows.rows(); ++row) {
    names[static_cast<db::Oid>(rows.integer(row, 1))].emplace_back(rows.text(row, 0));
  }
  return names;
}

Result<void> add_expression_keys(PostgresCatalogReader& reader, PostgresTable& table,
                                 std::vector<FoundIndex> indexes) {
  TALLY_TRY_ASSIGN(const auto rows, reader.query(kExpressionColumns, table.oid, 2));
  for (FoundIndex& index : indexes) {
    PostgresExpressionKey key;
    key.name = std::move(index.key.name);
    key.sql_name = std::move(index.postgres.sql_name);
    key.partition_names = std::move(index.postgres.partition_names);
    key.terms = std::move(index.terms);
    key.predicate = std::move(index.postgres.predicate);
    for (int row = 0; row < rows.rows(); ++row) {
      if (rows.integer(row, 2) != index.oid) continue;
      key.fields.push_back(place_of(table, rows.integer(row, 1)));
    }
    table.expression_keys.push_back(std::move(key));
  }
  return {};
}

Result<void> read_sequence(PostgresCatalogReader& reader, PostgresTable& table) {
  if (table.row_id_kind != RowIdKind::kInteger) return {};
  TALLY_TRY_ASSIGN(const auto rows, reader.query(kSequences, table.oid, 0));
  const std::size_t id = table.resource.primary_key()->fields.front();
  for (int row = 0; row < rows.rows(); ++row) {
    if (rows.integer(row, 0) != table.columns[id].number) continue;
    table.sequence = PostgresSequence{sql_name(rows.text(row, 1), rows.text(row, 2)),
                                      rows.integer(row, 3)};
  }
  return {};
}

void choose_row_id(PostgresTable& table) {
  const Key* primary = table.resource.primary_key();
  if (!primary) return;
  const Field& first = table.resource.fields[primary->fields.front()];
  const bool one_integer =
      primary->fields.size() == 1 && first.type == FieldType::kInteger;
  table.row_id_kind = one_integer ? RowIdKind::kInteger : RowIdKind::kText;
}

}  // namespace

Result<void> read_postgres_keys(PostgresCatalogReader& reader, PostgresTable& table) {
  TALLY_TRY_ASSIGN(const auto rows,
                   reader.query(kIndexes, table.oid, kIndexesDefinition));
  std::vector<FoundIndex> indexes;
  for (int row = 0; row < rows.rows(); ++row) {
    if (indexes.empty() || indexes.back().oid != rows.integer(row, 11)) {
      indexes.push_back(start_index(rows, row));
    }
    add_column(rows, row, table, indexes.back());
  }
  TALLY_TRY_ASSIGN(PartitionNames names, read_partition_names(reader, table));
  std::vector<FoundIndex> on_expressions;
  for (FoundIndex& index : indexes) {
    index.postgres.partition_names = std::move(names[index.oid]);
    if (index.on_expressions) {
      on_expressions.push_back(std::move(index));
      continue;
    }
    table.resource.keys.push_back(std::move(index.key));
    table.keys.push_back(std::move(index.postgres));
  }
  TALLY_TRY(add_expression_keys(reader, table, std::move(on_expressions)));
  choose_row_id(table);
  return read_sequence(reader, table);
}

}  // namespace tallyman
