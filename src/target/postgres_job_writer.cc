#include "target/postgres_job_writer.h"

#include <algorithm>
#include <compare>

#include "base/check.h"
#include "db/postgres_database.h"
#include "target/duplicate_rule.h"
#include "target/postgres_acting.h"
#include "target/postgres_drawn_ids.h"
#include "target/postgres_key_table.h"
#include "target/postgres_record_writer.h"
#include "target/postgres_results.h"
#include "target/postgres_set_checks.h"
#include "target/postgres_set_writer.h"
#include "target/postgres_sets.h"

namespace tallyman {
namespace {

// How many sets are checked before they are written, after one was refused.
constexpr int kSuspicion = 8;
constexpr std::chrono::seconds kCheckTable{1};
// Occurrences of a key in a unit that go in rounds; later ones go one by one.
constexpr std::size_t kRoundsMax = 8;

// A set's rows are looked up by an index, one after the other, wherever there is one: by
// its usual costs the planner would read the whole table for each set of some size, or an
// index from its first row to the set's last. And no compiler for statements of 100 ms.
constexpr const char* kLookUpKeys =
    "; SET LOCAL random_page_cost = 0; SET LOCAL cpu_index_tuple_cost = 0"
    "; SET LOCAL cpu_operator_cost = 0; SET LOCAL enable_memoize = off"
    "; SET LOCAL jit = off";

// The number of an advisory lock: "tm" and the table, so that it is hardly anybody
// else's.
std::string turn_of(db::Oid table, std::uint32_t turn) {
  return std::to_string((std::int64_t{0x746D} << 48) | (std::int64_t{table} << 16) |
                        turn);
}

using Records = std::vector<std::uint32_t>;

}  // namespace

// One write() of a window's slice.
class PostgresJobWriter::Unit {
 public:
  Unit(PostgresJobWriter& writer, db::PostgresConnection& connection,
       const PostgresWindow& window, std::span<const std::uint32_t> slice,
       DuplicateRule duplicates)
      : writer_(writer),
        connection_(connection),
        window_(window),
        slice_(slice),
        duplicates_(std::move(duplicates)),
        results_(writer.write_, window),
        records_(connection, writer.write_, window),
        sets_(connection, writer.write_, window, writer.habits_),
        checks_(connection, writer.write_, window) {}

  Result<UnitOutcomes> write(const std::optional<std::uint64_t>& failures_max) {
    if (writer_.one_by_one_ || duplicates_.has_dependent())
      return one_by_one(failures_max);
    if (!failures_max) {
      TALLY_TRY(in_sets());
      return results_.unit(slice_);
    }
    // Which record is the last one is known at the end only.
    TALLY_TRY(connection_.exec("SAVEPOINT tallyman_unit"));
    TALLY_TRY(in_sets());
    if (results_.failed() <= *failures_max) return results_.unit(slice_);
    TALLY_TRY(connection_.exec("ROLLBACK TO SAVEPOINT tallyman_unit"));
    results_.forget();
    return one_by_one(failures_max);
  }

 private:
  // False where the record has failed before the database saw it.
  bool may_be_written(std::uint32_t i) {
    if (const RecordError* error = window_.error(i)) {
      results_.fail(i, *error);
      return false;
    }
    if (const char* reason = duplicates_.reason(i, window_.record_number(i))) {
      results_.fail(
          i,
          {RecordErrorCode::kDuplicateInUpload,
           duplicate_field_names(writer_.write_.plan, writer_.write_.resource), reason});
      return false;
    }
    return true;
  }

  // --- The general path ---------------------------------------------------------------

  Result<UnitOutcomes> one_by_one(const std::optional<std::uint64_t>& failures_max) {
    for (std::size_t at = 0; at < slice_.size(); ++at) {
      if (may_be_written(slice_[at])) TALLY_TRY(apply_one(slice_[at]));
      if (failures_max && results_.failed() > *failures_max) {
        return results_.unit(slice_.first(at + 1));
      }
    }
    return results_.unit(slice_);
  }

  Result<void> apply_one(std::uint32_t i) {
    TALLY_TRY_ASSIGN(const Outcome outcome, records_.apply(i));
    if (outcome == Outcome::kFailed) {
      results_.fail(i, records_.error());
      return {};
    }
    const std::vector<std::string_view> id(records_.id().begin(), records_.id().end());
    results_.succeed(i, outcome, id);
    duplicates_.applied(i);
    return {};
  }

  // --- The fast path ------------------------------------------------------------------

  Result<void> in_sets() {
    Records records;
    for (const std::uint32_t i : slice_) {
      if (may_be_written(i)) records.push_back(i);
    }
    if (!writer_.write_.plan.key) return apply_round(records);
    std::vector<Records> rounds;
    Records rest;
    divide(std::move(records), rounds, rest);
    for (const Records& round : rounds) TALLY_TRY(apply_round(round));
    for (const std::uint32_t i : rest) TALLY_TRY(apply_one(i));
    return {};
  }

  // The k-th occurrence of each key in round k, by key; what is left over in file order.
  void divide(Records records, std::vector<Records>& rounds, Records& rest) const {
    const auto order = [this](std::uint32_t a, std::uint32_t b) {
      const auto by_key = compare_keys(a, b);
      return by_key != 0 ? by_key < 0 : a < b;
    };
    if (!std::is_sorted(records.begin(), records.end(), order)) {
      std::sort(records.begin(), records.end(), order);
    }
    std::size_t round = 0;
    for (std::size_t at = 0; at < records.size(); ++at) {
      const std::uint32_t i = records[at];
      const bool again = at > 0 && has_key(i) && compare_keys(records[at - 1], i) == 0;
      round = again ? round + 1 : 0;
      if (round >= kRoundsMax) {
        rest.push_back(i);
        continue;
      }
      if (rounds.size() <= round) rounds.resize(round + 1);
      rounds[round].push_back(i);
    }
    std::sort(rest.begin(), rest.end());
  }

  // False where a part of it is NULL: no other record has it.
  bool has_key(std::uint32_t i) const {
    return std::ranges::all_of(writer_.write_.plan.key_columns, [&](std::size_t column) {
      return window_.state(column, i) == CellState::kValue;
    });
  }

  std::strong_ordering compare_keys(std::uint32_t a, std::uint32_t b) const {
    for (const std::size_t column : writer_.write_.plan.key_columns) {
      const auto states = window_.state(column, a) <=> window_.state(column, b);
      if (states != 0) return states;
      const auto wires = window_.wire(column, a) <=> window_.wire(column, b);
      if (wires != 0) return wires;
    }
    return std::strong_ordering::equal;
  }

  Result<void> apply_round(const Records& round) {
    if (writer_.suspicion_ == 0) {
      TALLY_TRY_ASSIGN(const bool applied, sets_.apply(round, results_));
      if (applied) return {};
      TALLY_TRY(writer_.check_table(connection_));
      writer_.suspicion_ = kSuspicion;
    }
    PostgresSuspects suspects;
    if (!window_.has_absent()) {
      TALLY_TRY_ASSIGN(suspects, checks_.find(round));
    }
    const bool clean = suspects.refused.empty() && suspects.repeated.empty();
    Records likely;
    Records undecided;  // Where the likely ones do not all succeed.
    for (const std::uint32_t i : round) {
      const auto refused = suspects.refused.find(i);
      const bool is_refused = refused != suspects.refused.end();
      const bool is_repeated = suspects.repeated.contains(i);
      if (is_refused) results_.fail(i, refused->second);
      if (!is_refused || is_repeated) undecided.push_back(i);
      if (!is_refused && !is_repeated) likely.push_back(i);
    }
    TALLY_TRY_ASSIGN(const bool applied, sets_.apply(likely, results_));
    if (applied) {
      for (const auto& [i, error] : suspects.repeated) results_.fail(i, error);
      writer_.suspicion_ = clean ? writer_.suspicion_ - 1 : kSuspicion;
      return {};
    }
    TALLY_TRY(writer_.check_table(connection_));
    writer_.suspicion_ = kSuspicion;
    return halve(undecided);
  }

  // REQUIRES: the database refused the set whole. In its order.
  Result<void> halve(std::span<const std::uint32_t> set) {
    if (set.empty()) return {};
    if (set.size() == 1) return apply_one(set.front());
    const std::size_t middle = set.size() / 2;
    for (const auto& half : {set.first(middle), set.subspan(middle)}) {
      TALLY_TRY_ASSIGN(const bool applied, sets_.apply(half, results_));
      if (!applied) TALLY_TRY(halve(half));
    }
    return {};
  }

  PostgresJobWriter& writer_;
  db::PostgresConnection& connection_;
  const PostgresWindow& window_;
  const std::span<const std::uint32_t> slice_;
  DuplicateRule duplicates_;
  PostgresResults results_;
  PostgresRecordWriter records_;
  PostgresSetWriter sets_;
  PostgresSetChecks checks_;
};

PostgresJobWriter::PostgresJobWriter(db::Database& database, PostgresWrite write,
                                     PostgresBinder binder, const WriteSpec& spec)
    : database_(database),
      write_(std::move(write)),
      binder_(std::move(binder)),
      on_duplicate_(spec.on_duplicate),
      acting_(spec.acting),
      parallel_(spec.parallel),
      in_turns_(spec.parallel || changes_rows(spec.operation)),
      by_slice_(meets_others_by_slice(write_)),
      one_by_one_(spec.general_path || why_no_sets(write_).has_value()) {}

Result<std::unique_ptr<PostgresJobWriter>> PostgresJobWriter::make(
    db::Database& database, const Resource& resource, PostgresTable table,
    const WriteSpec& spec) {
  TALLY_TRY_ASSIGN(WritePlan plan, plan_write(resource, spec));
  TALLY_TRY_ASSIGN(PostgresBinder binder, PostgresBinder::make(resource, table, plan));
  PostgresWrite write(resource, std::move(table), std::move(plan));
  TALLY_TRY(check_postgres_rights(write, spec.acting));
  return std::unique_ptr<PostgresJobWriter>(
      new PostgresJobWriter(database, std::move(write), std::move(binder), spec));
}

std::unique_ptr<BoundWindow> PostgresJobWriter::bind(Window window,
                                                     const SliceSet& slices) {
  const bool by_key = slices.of > 1 && write_.plan.duplicate_key.has_value();
  PostgresSlicing slicing{.slices = slices.of,
                          .by_key = by_key,
                          .in_turns = by_key && in_turns_,
                          .wanted = {}};
  for (const SliceNumber slice : slices.mine) {
    slicing.wanted.push_back(static_cast<std::uint32_t>(slice.value()));
  }
  auto bound = binder_.bind(std::move(window), slicing);
  if (!one_by_one_ && may_draw_ahead(write_)) draw_ahead(*bound);
  return bound;
}

void PostgresJobWriter::draw_ahead(PostgresWindow& window) const {
  auto transaction = database_.begin_write(database_.writer_wait());
  if (!transaction.ok()) return;
  db::PostgresConnection& connection = db::postgres(*transaction.value());
  if (!begin_acting(connection, acting_).ok()) return;
  auto drawn = draw_ids(connection, write_, {}, window.size());
  if (drawn.ok() && drawn.value()) window.keep_ids(std::move(*drawn.value()));
}

Slicing PostgresJobWriter::slicing() const { return slicing_of(write_); }

Result<UnitOutcomes> PostgresJobWriter::write(db::Transaction& transaction,
                                              const BoundWindow& window,
                                              SliceNumber slice,
                                              const WriteOptions& options) {
  const auto* bound = dynamic_cast<const PostgresWindow*>(&window);
  CHECK(bound);
  db::PostgresConnection& connection = db::postgres(transaction);
  if (parallel_) TALLY_TRY(take_turn(connection, bound->slices(), slice));
  TALLY_TRY(begin_acting(connection, acting_));
  TALLY_TRY_ASSIGN(auto outcomes, write_unit(connection, *bound, slice, options));
  TALLY_TRY(end_acting(connection, acting_));
  return outcomes;
}

Result<UnitOutcomes> PostgresJobWriter::write_unit(db::PostgresConnection& connection,
                                                   const PostgresWindow& window,
                                                   SliceNumber slice,
                                                   const WriteOptions& options) {
  TALLY_TRY(lock_table(connection));
  if (one_by_one_ || std::chrono::steady_clock::now() - checked_at_ >= kCheckTable) {
    TALLY_TRY(check_table(connection));
  }
  TALLY_TRY_ASSIGN(auto duplicates,
                   DuplicateRule::make(on_duplicate_, options.keys, window));
  Unit unit(*this, connection, window,
            window.slice(static_cast<std::uint32_t>(slice.value())),
            std::move(duplicates));
  return unit.write(options.failures_max);
}

Result<void> PostgresJobWriter::take_turn(db::PostgresConnection& connection,
                                          std::uint32_t slices, SliceNumber slice) {
  const std::string table = turn_of(write_.table.oid, 0);
  const bool has_key = slicing().by == Slicing::By::kKey;
  // Of more than 8 slices: each is a part of one of 8.
  const bool by_slice = by_slice_ && (!has_key || slices % kSliceTurns == 0);
  std::string sql = std::string("SELECT pg_advisory_xact_lock") +
                    (by_slice ? "_shared" : "") + "(" + table + ")";
  if (by_slice && has_key) {
    const auto turn = static_cast<std::uint32_t>(slice.value()) % kSliceTurns;
    sql += ", pg_advisory_xact_lock(" + turn_of(write_.table.oid, 1 + turn) + ")";
  }
  TALLY_TRY(connection.exec(sql));
  return {};
}

// From here on nobody can change the table; and what it promises holds statement by
// statement, not at the end of the transaction.
Result<void> PostgresJobWriter::lock_table(db::PostgresConnection& connection) {
  // One by one a user's triggers may run: they are planned as they always are.
  auto locked = connection.exec(lock_sql() + "; SET CONSTRAINTS ALL IMMEDIATE" +
                                (one_by_one_ ? "" : kLookUpKeys));
  if (locked.ok()) return {};
  if (locked.error().code == ErrorCode::kNotFound) return changed();
  // What the role may do was taken away: planned for anew, it is said which privilege.
  if (acting_.is_somebody() && connection.failure().is("42501")) return changed();
  return std::move(locked).error();
}

// LOCK TABLE asks for a privilege on the whole table. Who has some columns only takes the
// same lock by having a statement planned, which fires no trigger.
std::string PostgresJobWriter::lock_sql() const {
  const std::string& table = write_.table.sql_name;
  if (!write_.table.rights || write_.table.rights->lock) {
    return "LOCK TABLE " + table + " IN ROW EXCLUSIVE MODE";
  }
  const Operation operation = write_.plan.operation;
  if (operation == Operation::kInsert || operation == Operation::kUpsert) {
    return "EXPLAIN INSERT INTO " + table + " DEFAULT VALUES";
  }
  const std::vector<bool>& update = write_.table.rights->update;
  const auto place = static_cast<std::size_t>(
      std::find(update.begin(), update.end(), true) - update.begin());
  CHECK(place < update.size());  // check_postgres_rights() found one.
  return "EXPLAIN UPDATE " + write_.rows() + " SET " +
         write_.table.columns[place].sql_name + " = DEFAULT WHERE false";
}

Result<void> PostgresJobWriter::check_table(db::PostgresConnection& connection) {
  TALLY_TRY_ASSIGN(const std::string stamp,
                   read_postgres_stamp(connection, write_.table.oid));
  if (stamp != write_.table.stamp) return changed();
  checked_at_ = std::chrono::steady_clock::now();
  return {};
}

Error PostgresJobWriter::changed() const {
  return {ErrorCode::kConflict, "the definition of table \"" +
                                    write_.table.resource.table +
                                    "\" has changed since the job was planned"};
}

Result<std::unique_ptr<KeyTable>> PostgresJobWriter::make_key_table(
    const std::string& path) {
  if (!write_.plan.duplicate_key) {
    return Error{ErrorCode::kInvalidArgument,
                 "table \"" + write_.table.resource.table +
                     "\": no unique key has all of its fields among the columns"};
  }
  if (!write_.table.keys[*write_.plan.duplicate_key].canonical) {
    return Error{ErrorCode::kInvalidArgument,
                 "on_duplicate: values of the key " +
                     write_.table.resource.keys[*write_.plan.duplicate_key].name +
                     " may be equal without having the same bytes; leave it at "
                     "\"sequence\", or name another key by unique_fields"};
  }
  TALLY_TRY_ASSIGN(auto keys,
                   PostgresKeyTable::make(path, write_.plan.duplicate_columns));
  return std::unique_ptr<KeyTable>(std::move(keys));
}

}  // namespace tallyman
