#include "store/sqlite_aggregate_store.h"

#include <algorithm>
#include <map>

#include "store/sqlite_job_rows.h"
#include "store/sqlite_work.h"

namespace tallyman {
namespace {

using db::SqliteConnection;
using Aggregates = std::vector<StoredAggregate>;
using Requests = std::vector<std::pair<std::string, std::string>>;

Result<Aggregates> read_aggregates(SqliteConnection& connection, std::string_view where,
                                   std::optional<JobNumber> job) {
  TALLY_TRY_ASSIGN(
      auto select,
      connection.prepare("SELECT sequence, job, name, definition, done, value, "
                         "error, as_of FROM tallyman_aggregate WHERE " +
                         std::string(where) + " ORDER BY sequence"));
  if (job) select.bind_all(job->value());
  Aggregates aggregates;
  while (true) {
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) return aggregates;
    StoredAggregate aggregate{.job = JobNumber(select.integer(1)),
                              .name = std::string(select.text(2)),
                              .definition = std::string(select.text(3)),
                              .done = select.integer(4) != 0,
                              .value = std::string(select.text(5)),
                              .error = std::string(select.text(6)),
                              .as_of = std::nullopt,
                              .sequence = select.integer(0)};
    if (!select.is_null(7)) aggregate.as_of = from_micros(select.integer(7));
    aggregates.push_back(std::move(aggregate));
  }
}

// True where each request is the last one of its name: asking again changes nothing.
Result<bool> already_last(SqliteConnection& connection, JobNumber job,
                          const Requests& requests) {
  TALLY_TRY_ASSIGN(const Aggregates stored, read_aggregates(connection, "job = ?1", job));
  std::map<std::string_view, std::string_view> last;
  for (const StoredAggregate& each : stored) last[each.name] = each.definition;
  return std::all_of(requests.begin(), requests.end(), [&](const auto& request) {
    const auto found = last.find(request.first);
    return found != last.end() && found->second == request.second;
  });
}

}  // namespace

Result<void> SqliteAggregateStore::request(JobNumber job, const Requests& requests) {
  TALLY_TRY_ASSIGN(const bool nothing_new,
                   read_in(database_, [&](SqliteConnection& connection) {
                     return already_last(connection, job, requests);
                   }));
  if (nothing_new) return {};
  return write_in(database_, [&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY(find_job(connection, job));
    // A definition that comes back is the last one again, with the answer it has.
    TALLY_TRY_ASSIGN(
        auto insert,
        connection.prepare("INSERT INTO tallyman_aggregate (job, name, definition, done, "
                           "value, error) VALUES (?1, ?2, ?3, 0, '', '') "
                           "ON CONFLICT (job, name, definition) DO UPDATE SET sequence = "
                           "(SELECT max(sequence) + 1 FROM tallyman_aggregate)"));
    for (const auto& [name, definition] : requests) {
      insert.bind_all(job.value(), name, definition);
      TALLY_TRY(insert.run());
    }
    return {};
  });
}

Result<Aggregates> SqliteAggregateStore::find(JobNumber job) {
  return read_in(database_, [&](SqliteConnection& connection) {
    return read_aggregates(connection, "job = ?1", job);
  });
}

Result<Aggregates> SqliteAggregateStore::next_pending() {
  return read_in(database_, [&](SqliteConnection& connection) {
    return read_aggregates(connection,
                           "done = 0 AND job = (SELECT job FROM tallyman_aggregate WHERE "
                           "done = 0 ORDER BY sequence LIMIT 1)",
                           std::nullopt);
  });
}

Result<void> SqliteAggregateStore::answer(db::Transaction& transaction,
                                          const StoredAggregate& aggregate) {
  TALLY_TRY_ASSIGN(
      auto insert,
      db::sqlite(transaction)
          .prepare(
              "INSERT INTO tallyman_aggregate (job, name, definition, done, value, "
              "error, as_of) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6) "
              "ON CONFLICT (job, name, definition) DO UPDATE SET done = 1, "
              "value = excluded.value, error = excluded.error, as_of = excluded.as_of"));
  std::optional<std::int64_t> as_of;
  if (aggregate.as_of) as_of = to_micros(*aggregate.as_of);
  insert.bind_all(aggregate.job.value(), aggregate.name, aggregate.definition,
                  aggregate.value, aggregate.error, as_of);
  return insert.run();
}

}  // namespace tallyman
