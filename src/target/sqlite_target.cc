#include "target/sqlite_target.h"

#include "target/sqlite_aggregate.h"
#include "target/sqlite_job_writer.h"
#include "target/sqlite_named_rows.h"
#include "target/sqlite_table.h"
#include "target/write_plan.h"

namespace tallyman {
namespace {

Result<SqliteTable> read_same_table(db::SqliteConnection& connection,
                                    const Resource& resource) {
  TALLY_TRY_ASSIGN(SqliteTable table, read_sqlite_table(connection, resource.table));
  if (table.resource.schema_fingerprint == resource.schema_fingerprint) return table;
  return Error{ErrorCode::kConflict,
               "table \"" + resource.table + "\" has been changed meanwhile; try again"};
}

}  // namespace

Result<void> SqliteTarget::check_acting(const ActingAs& as) {
  if (!as.is_somebody()) return {};
  return Error{ErrorCode::kInvalidArgument,
               "SQLite has no roles and no claims, so nothing can be done as " +
                   (as.role.empty() ? "somebody" : "role \"" + as.role + "\"") +
                   "; use a token without them, or a PostgreSQL database"};
}

Result<Resource> SqliteTarget::introspect(std::string_view table) {
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  TALLY_TRY_ASSIGN(SqliteTable described,
                   read_sqlite_table(db::sqlite(*snapshot), table));
  return std::move(described.resource);
}

Result<std::vector<std::string>> SqliteTarget::tables() {
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  return list_sqlite_tables(db::sqlite(*snapshot));
}

Result<std::unique_ptr<JobWriter>> SqliteTarget::make_writer(const Resource& resource,
                                                             const WriteSpec& spec) {
  TALLY_TRY(check_acting(spec.acting));
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  TALLY_TRY_ASSIGN(SqliteTable table, read_same_table(db::sqlite(*snapshot), resource));
  if (spec.operation == Operation::kInsert) {
    TALLY_TRY(check_hidden_columns(resource, table.resource));
  }
  TALLY_TRY_ASSIGN(auto writer, SqliteJobWriter::make(resource, std::move(table), spec));
  return std::unique_ptr<JobWriter>(std::move(writer));
}

Result<std::vector<AggregateResult>> SqliteTarget::aggregate(
    db::Transaction& transaction, const Resource& resource,
    std::span<const AggregateSpec> specs, const RowIdSourceMaker& ids,
    const ActingAs& acting) {
  TALLY_TRY(check_acting(acting));
  db::SqliteConnection& connection = db::sqlite(transaction);
  TALLY_TRY_ASSIGN(const SqliteTable table,
                   read_sqlite_table(connection, resource.table));
  return aggregate_sqlite(connection, table, resource, specs, ids);
}

Result<Target::Presence> SqliteTarget::count_present(db::Transaction& transaction,
                                                     const Resource& resource,
                                                     const RowIdSourceMaker& ids,
                                                     const ActingAs& acting) {
  TALLY_TRY(check_acting(acting));
  db::SqliteConnection& connection = db::sqlite(transaction);
  TALLY_TRY_ASSIGN(const SqliteTable table,
                   read_sqlite_table(connection, resource.table));
  TALLY_TRY_ASSIGN(const auto named, SqliteNamedRows::open(connection, table, ids));
  if (table.row_id_kind == RowIdKind::kNone) {
    const OutcomeCounts& counts = named->counts();
    const std::uint64_t records = counts.created + counts.updated + counts.unchanged;
    return Presence{records, records};
  }
  TALLY_TRY_ASSIGN(const auto pass, named->start({}, kWritten));
  Presence presence;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, pass->next());
    if (!more) break;
    ++presence.present;
  }
  presence.named = pass->named();
  return presence;
}

}  // namespace tallyman
