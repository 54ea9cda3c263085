#include "target/postgres_target.h"

#include "db/postgres_database.h"
#include "target/postgres_acting.h"
#include "target/postgres_aggregate.h"
#include "target/postgres_job_writer.h"
#include "target/postgres_table.h"
#include "target/write_plan.h"

namespace tallyman {

std::shared_ptr<const PostgresTable> PostgresTarget::known(std::string_view table,
                                                           std::optional<Instant> since) {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(table);
  if (found == tables_.end() || (since && found->second.read_at < *since)) return nullptr;
  return found->second.table;
}

void PostgresTarget::remember(std::string_view table,
                              std::shared_ptr<const PostgresTable> described) {
  const std::lock_guard lock(mutex_);
  tables_.insert_or_assign(std::string(table),
                           Known{std::move(described), std::chrono::steady_clock::now()});
}

PostgresTarget::Described PostgresTarget::describe(std::string_view table) {
  if (auto fresh = known(table, std::chrono::steady_clock::now() - kFresh)) return fresh;
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  return describe(*snapshot, table);
}

PostgresTarget::Described PostgresTarget::describe(db::Transaction& transaction,
                                                   std::string_view table) {
  if (auto fresh = known(table, std::chrono::steady_clock::now() - kFresh)) return fresh;
  return look_at(db::postgres(transaction), table);
}

PostgresTarget::Described PostgresTarget::look_at(db::PostgresConnection& connection,
                                                  std::string_view table) {
  std::shared_ptr<const PostgresTable> described = known(table, std::nullopt);
  if (described) {
    TALLY_TRY_ASSIGN(const std::string stamp,
                     read_postgres_stamp(connection, described->oid));
    if (stamp != described->stamp) described = nullptr;
  }
  if (!described) {
    TALLY_TRY_ASSIGN(PostgresTable read, read_postgres_table(connection, table));
    described = std::make_shared<const PostgresTable>(std::move(read));
  }
  remember(table, described);
  return described;
}

// What the role may do is asked each time: a role is changed without a trace in the
// table.
Result<PostgresTable> PostgresTarget::describe_for(const ActingAs& as,
                                                   const PostgresTable& table) {
  PostgresTable theirs = table;
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  db::PostgresConnection& connection = db::postgres(*snapshot);
  TALLY_TRY(begin_acting(connection, as));
  TALLY_TRY(read_postgres_rights(connection, theirs));
  return theirs;
}

Result<void> PostgresTarget::check_acting(const ActingAs& as) {
  TALLY_TRY(check_acting_as(as));
  if (!as.is_somebody()) return {};
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  return begin_acting(db::postgres(*snapshot), as);
}

Result<Resource> PostgresTarget::introspect(std::string_view table) {
  // As it is now: who plans by what was fresh a moment ago finds the table changed.
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  TALLY_TRY_ASSIGN(const auto described, look_at(db::postgres(*snapshot), table));
  return described->resource;
}

Result<std::vector<std::string>> PostgresTarget::tables() {
  TALLY_TRY_ASSIGN(const auto snapshot, database_.begin_read());
  return list_postgres_tables(db::postgres(*snapshot));
}

Result<std::unique_ptr<JobWriter>> PostgresTarget::make_writer(const Resource& resource,
                                                               const WriteSpec& spec) {
  TALLY_TRY_ASSIGN(const auto table, describe(resource.table));
  if (table->resource.schema_fingerprint != resource.schema_fingerprint) {
    return Error{ErrorCode::kConflict, "table \"" + resource.table +
                                           "\" has been changed meanwhile; try again"};
  }
  if (spec.operation == Operation::kInsert) {
    TALLY_TRY(check_hidden_columns(resource, table->resource));
  }
  if (spec.acting.is_somebody()) {
    TALLY_TRY_ASSIGN(PostgresTable theirs, describe_for(spec.acting, *table));
    TALLY_TRY_ASSIGN(auto writer, PostgresJobWriter::make(database_, resource,
                                                          std::move(theirs), spec));
    return std::unique_ptr<JobWriter>(std::move(writer));
  }
  TALLY_TRY_ASSIGN(auto writer,
                   PostgresJobWriter::make(database_, resource, *table, spec));
  return std::unique_ptr<JobWriter>(std::move(writer));
}

Result<std::vector<AggregateResult>> PostgresTarget::aggregate(
    db::Transaction& transaction, const Resource& resource,
    std::span<const AggregateSpec> specs, const RowIdSourceMaker& ids,
    const ActingAs& acting) {
  TALLY_TRY_ASSIGN(const auto table, describe(transaction, resource.table));
  return aggregate_postgres(db::postgres(transaction), *table, resource, specs, ids,
                            acting);
}

Result<Target::Presence> PostgresTarget::count_present(db::Transaction& transaction,
                                                       const Resource& resource,
                                                       const RowIdSourceMaker& ids,
                                                       const ActingAs& acting) {
  TALLY_TRY_ASSIGN(const auto table, describe(transaction, resource.table));
  return count_present_postgres(db::postgres(transaction), *table, ids, acting);
}

}  // namespace tallyman
