#include "target/postgres_target.h"

#include "target/postgres_aggregate.h"

namespace tallyman {

Result<Resource> PostgresTarget::introspect(std::string_view table) {
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  TALLY_TRY_ASSIGN(PostgresTable described,
                   read_postgres_table(db::postgres(*snapshot), table));
  return std::move(described.resource);
}

Result<std::vector<std::string>> PostgresTarget::tables() {
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  return list_postgres_tables(db::postgres(*snapshot));
}

Result<PostgresTable> PostgresTarget::read_same_table(const Resource& resource) {
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  TALLY_TRY_ASSIGN(PostgresTable table,
                   read_postgres_table(db::postgres(*snapshot), resource.table));
  if (table.resource.schema_fingerprint == resource.schema_fingerprint) return table;
  return Error{ErrorCode::kConflict,
               "table \"" + resource.table + "\" has been changed meanwhile; try again"};
}

Result<std::vector<AggregateResult>> PostgresTarget::aggregate(
    db::Transaction& transaction, const Resource& resource,
    std::span<const AggregateSpec> specs, const RowIdSourceMaker& ids) {
  db::PostgresConnection& connection = db::postgres(transaction);
  TALLY_TRY_ASSIGN(const PostgresTable table,
                   read_postgres_table(connection, resource.table));
  return aggregate_postgres(connection, table, resource, specs, ids);
}

Result<Target::Presence> PostgresTarget::count_present(db::Transaction& transaction,
                                                       const Resource& resource,
                                                       const RowIdSourceMaker& ids) {
  db::PostgresConnection& connection = db::postgres(transaction);
  TALLY_TRY_ASSIGN(const PostgresTable table,
                   read_postgres_table(connection, resource.table));
  return count_present_postgres(connection, table, ids);
}

}  // namespace tallyman
