#include "store/postgres_aggregate_store.h"

#include <algorithm>
#include <map>
#include <optional>

#include "store/postgres_job_rows.h"
#include "store/postgres_work.h"

namespace tallyman {
namespace {

using db::PostgresConnection;
using Aggregates = std::vector<StoredAggregate>;
using Requests = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kSelect =
    "SELECT sequence, job, name, definition, done, value, error, as_of "
    "FROM tallyman.aggregate WHERE ";

Aggregates read_aggregates(const db::PostgresResult& rows) {
  Aggregates aggregates;
  for (int row = 0; row < rows.rows(); ++row) {
    StoredAggregate aggregate{.job = JobNumber(rows.integer(row, 1)),
                              .name = std::string(rows.text(row, 2)),
                              .definition = std::string(rows.text(row, 3)),
                              .done = rows.boolean(row, 4),
                              .value = std::string(rows.text(row, 5)),
                              .error = std::string(rows.text(row, 6)),
                              .as_of = std::nullopt,
                              .sequence = rows.integer(row, 0)};
    if (!rows.is_null(row, 7)) aggregate.as_of = from_micros(rows.integer(row, 7));
    aggregates.push_back(std::move(aggregate));
  }
  return aggregates;
}

Result<Aggregates> find_in(PostgresConnection& connection, JobNumber job) {
  TALLY_TRY_ASSIGN(const auto rows,
                   connection.execute(std::string(kSelect) + "job = $1 ORDER BY sequence",
                                      job.value()));
  return read_aggregates(rows);
}

// True where each request is the last one of its name: asking again changes nothing.
bool already_last(const Aggregates& stored, const Requests& requests) {
  std::map<std::string_view, std::string_view> last;
  for (const StoredAggregate& each : stored) last[each.name] = each.definition;
  return std::all_of(requests.begin(), requests.end(), [&](const auto& request) {
    const auto found = last.find(request.first);
    return found != last.end() && found->second == request.second;
  });
}

}  // namespace

Result<void> PostgresAggregateStore::request(JobNumber job, const Requests& requests) {
  TALLY_TRY_ASSIGN(const Aggregates stored, find(job));
  if (already_last(stored, requests)) return {};
  return postgres_write(database_, [&](PostgresConnection& connection) -> Result<void> {
    // Locked: two that ask for the same names in another order would wait for each other.
    TALLY_TRY(lock_job(connection, job));
    for (const auto& [name, definition] : requests) {
      // A definition that comes back is the last one again, with the answer it has.
      TALLY_TRY(connection.execute(
          "INSERT INTO tallyman.aggregate (job, name, definition, done, value, error) "
          "VALUES ($1, $2, $3, false, '', '') ON CONFLICT (job, name, definition) "
          "DO UPDATE SET sequence = excluded.sequence",
          job.value(), storable_text(name), storable_text(definition)));
    }
    return postgres_notify(connection);
  });
}

Result<Aggregates> PostgresAggregateStore::find(JobNumber job) {
  return postgres_read(database_, [&](PostgresConnection& connection) {
    return find_in(connection, job);
  });
}

Result<Aggregates> PostgresAggregateStore::next_pending() {
  return postgres_read(
      database_, [&](PostgresConnection& connection) -> Result<Aggregates> {
        TALLY_TRY_ASSIGN(
            const auto rows,
            connection.exec(std::string(kSelect) +
                            "NOT done AND job = (SELECT job FROM tallyman.aggregate "
                            "WHERE NOT done ORDER BY sequence LIMIT 1) "
                            "ORDER BY sequence"));
        return read_aggregates(rows);
      });
}

Result<void> PostgresAggregateStore::answer(db::Transaction& transaction,
                                            const StoredAggregate& aggregate) {
  auto& connection = db::postgres(transaction);
  std::optional<std::int64_t> as_of;
  if (aggregate.as_of) as_of = to_micros(*aggregate.as_of);
  TALLY_TRY(connection.execute(
      "INSERT INTO tallyman.aggregate (job, name, definition, done, value, error, as_of) "
      "VALUES ($1, $2, $3, true, $4, $5, $6) ON CONFLICT (job, name, definition) "
      "DO UPDATE SET done = true, value = excluded.value, error = excluded.error, "
      "as_of = excluded.as_of",
      aggregate.job.value(), storable_text(aggregate.name),
      storable_text(aggregate.definition), storable_text(aggregate.value),
      storable_text(aggregate.error), as_of));
  return postgres_notify(connection);
}

}  // namespace tallyman
