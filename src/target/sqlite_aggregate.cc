#include "target/sqlite_aggregate.h"

#include <algorithm>
#include <exception>
#include <unordered_set>

#include "target/aggregate_accumulator.h"
#include "target/aggregate_plan.h"
#include "target/sqlite_job_rows.h"
#include "target/sqlite_named_rows.h"

namespace tallyman {
namespace {

using db::SqliteConnection;

// Distinct values in memory up to a limit, and past it in a temporary table.
class SqliteDistinctValues final : public DistinctValues {
 public:
  explicit SqliteDistinctValues(SqliteConnection& connection) : connection_(connection) {}

  ~SqliteDistinctValues() override {
    if (!insert_) return;
    insert_.reset();
    (void)connection_.exec("DROP TABLE IF EXISTS temp.tallyman_distinct").ok();
  }

  Result<bool> add(std::uint64_t set, std::string_view value) override {
    key_.assign(reinterpret_cast<const char*>(&set), sizeof set);
    key_ += value;
    if (known_.contains(key_)) return false;
    if (bytes_ + key_.size() <= kMemoryBytesMax) {
      bytes_ += key_.size() + kEntryBytes;
      known_.insert(key_);
      return true;
    }
    if (!insert_) TALLY_TRY(make_table());
    insert_->bind_blob(1,
                       {reinterpret_cast<const std::uint8_t*>(key_.data()), key_.size()});
    TALLY_TRY(insert_->run());
    return connection_.changes() != 0;
  }

 private:
  static constexpr std::size_t kMemoryBytesMax = 32U << 20;
  static constexpr std::size_t kEntryBytes =
      64;  // What a set's entry costs beside its text.

  Result<void> make_table() {
    TALLY_TRY(connection_.exec(
        "PRAGMA temp.cache_size = -16384; DROP TABLE IF EXISTS temp.tallyman_distinct; "
        "CREATE TEMP TABLE tallyman_distinct (value BLOB PRIMARY KEY) WITHOUT ROWID"));
    TALLY_TRY_ASSIGN(auto insert,
                     connection_.prepare("INSERT OR IGNORE INTO temp.tallyman_distinct "
                                         "VALUES (?1)"));
    insert_.emplace(std::move(insert));
    return {};
  }

  SqliteConnection& connection_;
  std::unordered_set<std::string> known_;
  std::size_t bytes_ = 0;
  std::optional<db::SqliteStatement> insert_;
  std::string key_;
};

// One set of values for each group of each aggregate.
constexpr std::uint64_t kSetsOfOne = 1ULL << 32;

class Aggregation {
 public:
  Aggregation(SqliteConnection& connection, const SqliteTable& table,
              const Resource& resource, SqliteNamedRows& named)
      : table_(table), resource_(resource), named_(named), distinct_(connection) {}

  Result<std::vector<AggregateResult>> run(std::span<const AggregateSpec> specs) {
    TALLY_TRY_ASSIGN(
        results_,
        begin_aggregates(
            specs, resource_, table_.resource, table_.row_id_kind, named_.counts(),
            [this](const AggregateSpec& spec) { return call(spec); },
            [this](std::size_t i, const AggregateSpec& spec) { add_member(i, spec); }));
    TALLY_TRY(pass());
    for (Member& member : members_) results_[member.result] = member.accumulator.finish();
    return std::move(results_);
  }

 private:
  struct Member {
    std::size_t result;
    OutcomeMask outcomes;
    int value = -1;           // Place in fields_; none for count.
    std::vector<int> groups;  // Places in fields_.
    AggregateAccumulator accumulator;
  };

  int field_of_pass(const std::string& name) {
    const std::size_t place = table_.resource.field_place(name).value();
    const auto found = std::find(fields_.begin(), fields_.end(), place);
    if (found != fields_.end()) return static_cast<int>(found - fields_.begin());
    fields_.push_back(place);
    return static_cast<int>(fields_.size()) - 1;
  }

  void add_member(std::size_t result, const AggregateSpec& spec) {
    const OutcomeMask outcomes = wanted_outcomes(spec);
    Member member{result,
                  outcomes,
                  -1,
                  {},
                  AggregateAccumulator(spec, resource_, distinct_, result * kSetsOfOne)};
    if (!spec.field.empty()) member.value = field_of_pass(spec.field);
    for (const std::string& group : spec.group_by) {
      member.groups.push_back(field_of_pass(group));
    }
    member.accumulator.add_count(
        count_records(named_.counts(), outcomes & mask_of(Outcome::kDeleted)));
    wanted_ |= outcomes;
    members_.push_back(std::move(member));
  }

  Result<void> pass() {
    if (members_.empty()) return {};
    TALLY_TRY_ASSIGN(const auto rows, named_.start(fields_, wanted_));
    std::vector<RowValue> values(fields_.size());
    std::vector<const RowValue*> groups;
    const RowValue nothing;
    while (true) {
      TALLY_TRY_ASSIGN(const bool more, rows->next());
      if (!more) return {};
      for (std::size_t i = 0; i < fields_.size(); ++i) {
        values[i] = read_row_value(rows->row(), rows->place(i),
                                   table_.resource.fields[fields_[i]]);
      }
      for (Member& member : members_) {
        if (!(rows->outcomes() & member.outcomes)) continue;
        groups.clear();
        for (const int group : member.groups) {
          groups.push_back(&values[static_cast<std::size_t>(group)]);
        }
        const RowValue& value =
            member.value < 0 ? nothing : values[static_cast<std::size_t>(member.value)];
        TALLY_TRY(member.accumulator.add(value, groups));
      }
    }
  }

  // A function of the embedding program.
  Result<AggregateResult> call(const AggregateSpec& spec) {
    AggregateResult result{spec.name, {}, {}};
    const auto named = resource_.aggregates.find(spec.function);
    if (named == resource_.aggregates.end()) {
      result.error = "no aggregate function \"" + spec.function + "\"";
      return result;
    }
    std::vector<std::size_t> places;
    std::vector<Field> fields;
    for (const Field& field : resource_.fields) {
      const auto place = table_.resource.field_place(field.name);
      if (!place) continue;
      places.push_back(*place);
      fields.push_back(table_.resource.fields[*place]);
    }
    TALLY_TRY_ASSIGN(auto rows, named_.start(places, wanted_outcomes(spec)));
    SqliteJobRows job_rows(std::move(rows), std::move(fields));
    try {
      result.value = named->second.function(job_rows).dump();
    } catch (const std::exception& thrown) {
      result.error = "the function \"" + spec.function + "\" failed: " + thrown.what();
    } catch (...) {
      result.error = "the function \"" + spec.function + "\" failed";
    }
    if (job_rows.error()) return *job_rows.error();
    if (!result.error.empty()) result.value.clear();
    return result;
  }

  const SqliteTable& table_;
  const Resource& resource_;
  SqliteNamedRows& named_;
  SqliteDistinctValues distinct_;
  std::vector<AggregateResult> results_;
  std::vector<Member> members_;
  std::vector<std::size_t> fields_;  // Of the pass: places in the table.
  OutcomeMask wanted_ = 0;
};

}  // namespace

Result<std::vector<AggregateResult>> aggregate_sqlite(
    SqliteConnection& connection, const SqliteTable& table, const Resource& resource,
    std::span<const AggregateSpec> specs, const RowIdSourceMaker& ids) {
  TALLY_TRY_ASSIGN(const auto named, SqliteNamedRows::open(connection, table, ids));
  Aggregation aggregation(connection, table, resource, *named);
  return aggregation.run(specs);
}

}  // namespace tallyman
