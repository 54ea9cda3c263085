#include "target/postgres_set_checks.h"

#include <algorithm>
#include <set>

#include "target/postgres_arrays.h"
#include "target/postgres_refusal.h"

namespace tallyman {

Result<PostgresSuspects> PostgresSetChecks::find(std::span<const std::uint32_t> records) {
  if (records.empty() || write_.plan.operation == Operation::kDelete) {
    return PostgresSuspects();
  }
  Search search{.alive = {records.begin(), records.end()},
                .shape = shape_of(write_, window_, records.front()),
                .there = {},
                .found = {}};
  TALLY_TRY(find_broken_checks(search));
  for (std::size_t key = 0; key < write_.table.foreign_keys.size(); ++key) {
    TALLY_TRY(find_missing_parents(search, key));
  }
  if (write_.plan.operation == Operation::kInsert) {
    for (std::size_t key = 0; key < write_.table.keys.size(); ++key) {
      TALLY_TRY(find_duplicates(search, key));
    }
    find_repeated(search);
  }
  return std::move(search.found);
}

std::optional<std::vector<std::size_t>> PostgresSetChecks::columns_of(
    const Search& search, std::span<const std::size_t> fields) const {
  const std::vector<std::size_t>& set =
      write_.plan.operation == Operation::kInsert ||
              write_.plan.operation == Operation::kUpsert
          ? search.shape.sent
          : search.shape.written;
  std::vector<std::size_t> columns;
  for (const std::size_t place : fields) {
    const auto column = write_.column_of(place);
    if (!column || std::find(set.begin(), set.end(), *column) == set.end()) {
      return std::nullopt;
    }
    columns.push_back(*column);
  }
  return columns;
}

void PostgresSetChecks::drop_refused(Search& search) const {
  std::erase_if(search.alive, [&](std::uint32_t record) {
    return search.found.refused.contains(record);
  });
}

Result<std::optional<db::PostgresResult>> PostgresSetChecks::ask(
    const std::string& sql, const db::PostgresParams& params) {
  TALLY_TRY(connection_.exec("SAVEPOINT tallyman_check"));
  auto answer = connection_.execute_params(sql, params);
  const db::PostgresFailure failure = connection_.failure();
  if (!answer.ok() && db::is_passing(failure)) return std::move(answer).error();
  TALLY_TRY(connection_.exec(answer.ok() ? "RELEASE SAVEPOINT tallyman_check"
                                         : "ROLLBACK TO SAVEPOINT tallyman_check; "
                                           "RELEASE SAVEPOINT tallyman_check"));
  if (!answer.ok()) return std::optional<db::PostgresResult>();
  return std::optional(std::move(answer).value());
}

// One query for all of them: which is the first that is false.
Result<void> PostgresSetChecks::find_broken_checks(Search& search) {
  std::vector<const PostgresCheck*> checks;
  std::vector<std::size_t> read;
  for (const PostgresCheck& check : write_.table.checks) {
    const auto columns = columns_of(search, check.fields);
    if (check.of_domain || !columns || columns->empty()) continue;
    checks.push_back(&check);
    for (const std::size_t column : *columns) {
      if (std::find(read.begin(), read.end(), column) == read.end()) {
        read.push_back(column);
      }
    }
  }
  if (checks.empty() || search.alive.empty()) return {};

  const PostgresArrays arrays(write_, window_, read, search.alive);
  std::string named = PostgresArrays::place();
  for (const std::size_t column : read) {
    named += ", " + PostgresArrays::value(column) + "::" + write_.type(column).name +
             " AS " + write_.column(column).sql_name;
  }
  std::string first = "CASE";
  for (std::size_t i = 0; i < checks.size(); ++i) {
    first += " WHEN NOT (" + checks[i]->expression + ") THEN " + std::to_string(i);
  }
  TALLY_TRY_ASSIGN(
      const auto broken,
      ask("SELECT tallyman_at, tallyman_check FROM (SELECT tallyman_at, " + first +
              " END AS tallyman_check FROM (SELECT " + named + " FROM " + arrays.from() +
              ") AS named) AS checked WHERE tallyman_check IS NOT NULL",
          arrays.params()));
  if (!broken) return {};
  for (int row = 0; row < broken->rows(); ++row) {
    const std::uint32_t record =
        search.alive[static_cast<std::size_t>(broken->integer(row, 0))];
    search.found.refused.emplace(
        record,
        check_error(checks[static_cast<std::size_t>(broken->integer(row, 1))]->name));
  }
  drop_refused(search);
  return {};
}

Result<void> PostgresSetChecks::find_missing_parents(Search& search,
                                                     std::size_t foreign_key) {
  const PostgresForeignKey& key = write_.table.foreign_keys[foreign_key];
  if (write_.table.hidden.contains(key.parent_sql_name)) return {};
  const auto columns =
      columns_of(search, write_.table.resource.foreign_keys[foreign_key].fields);
  if (!columns || search.alive.empty()) return {};
  const PostgresArrays arrays(write_, window_, *columns, search.alive);
  std::string there;
  std::string matches;
  for (std::size_t k = 0; k < columns->size(); ++k) {
    const std::size_t column = (*columns)[k];
    const std::string value = write_.assigned(column, PostgresArrays::value(column)) +
                              "::" + key.parent_types[k];
    there += PostgresArrays::value(column) + " IS NOT NULL AND ";
    matches +=
        (k == 0 ? "parent." : " AND parent.") + key.parent_sql_columns[k] + " = " + value;
  }
  TALLY_TRY_ASSIGN(const auto orphans,
                   ask("SELECT " + PostgresArrays::place() + " FROM " + arrays.from() +
                           " WHERE " + there + "NOT EXISTS (SELECT 1 FROM " +
                           key.parent_sql_name + " AS parent WHERE " + matches + ")",
                       arrays.params()));
  if (!orphans) return {};
  for (int row = 0; row < orphans->rows(); ++row) {
    search.found.refused.emplace(
        search.alive[static_cast<std::size_t>(orphans->integer(row, 0))],
        missing_parent_error(write_, foreign_key));
  }
  drop_refused(search);
  return {};
}

Result<void> PostgresSetChecks::find_duplicates(Search& search, std::size_t key) {
  const auto columns = columns_of(search, write_.table.resource.keys[key].fields);
  const bool plain =
      write_.table.keys[key].predicate.empty() && !write_.table.keys[key].nulls_are_equal;
  if (!columns || !plain || search.alive.empty()) return {};
  if (columns->size() == 1) {
    TALLY_TRY_ASSIGN(const bool beyond, lie_beyond_all_rows(search, columns->front()));
    if (beyond) return {};
  }
  const PostgresArrays arrays(write_, window_, *columns, search.alive);
  std::string matches;
  for (const std::size_t column : *columns) {
    matches += (matches.empty() ? "t." : " AND t.") + write_.column(column).sql_name +
               " = " + write_.assigned(column, PostgresArrays::value(column));
  }
  TALLY_TRY_ASSIGN(const auto there,
                   ask("SELECT " + PostgresArrays::place() + " FROM " + arrays.from() +
                           " JOIN " + write_.table.sql_name + " AS t ON " + matches,
                       arrays.params()));
  if (!there) return {};
  for (int row = 0; row < there->rows(); ++row) {
    const std::uint32_t record =
        search.alive[static_cast<std::size_t>(there->integer(row, 0))];
    search.there.emplace(record, key);
    search.found.refused.emplace(record, duplicate_error(write_, key));
  }
  drop_refused(search);
  return {};
}

// True where the table has no row between the least and the greatest value: new keys that
// grow need not be looked up one by one.
Result<bool> PostgresSetChecks::lie_beyond_all_rows(const Search& search,
                                                    std::size_t column) {
  const std::string stored = "t." + write_.column(column).sql_name;
  const std::string from = "SELECT 1 FROM " + write_.table.sql_name + " AS t";
  const PostgresWire wire = write_.type(column).wire;
  if (wire == PostgresWire::kInt2 || wire == PostgresWire::kInt4 ||
      wire == PostgresWire::kInt8) {
    std::optional<std::int64_t> least;
    std::optional<std::int64_t> greatest;
    for (const std::uint32_t record : search.alive) {
      if (window_.state(column, record) != CellState::kValue) continue;
      const std::int64_t value = db::read_wire_integer(window_.wire(column, record));
      least = std::min(least.value_or(value), value);
      greatest = std::max(greatest.value_or(value), value);
    }
    if (!least) return true;
    db::PostgresParams bounds;
    bounds.add(*least);
    bounds.add(*greatest);
    return finds_nothing(
        from + " WHERE " + stored + " BETWEEN $1::bigint AND $2::bigint LIMIT 1", bounds);
  }
  if (wire != PostgresWire::kText) return false;
  const std::string& collation = write_.column(column).sql_collation;
  const std::size_t columns[] = {column};
  const PostgresArrays arrays(write_, window_, columns, search.alive);
  return finds_nothing(
      "WITH bounds AS MATERIALIZED (SELECT min(v) AS least, max(v) AS greatest FROM "
      "(SELECT " +
          write_.assigned(column, PostgresArrays::value(column)) +
          (collation.empty() ? "" : " COLLATE " + collation) + " AS v FROM " +
          arrays.from() + ") AS sent) " + from + ", bounds WHERE " + stored +
          " BETWEEN bounds.least AND bounds.greatest LIMIT 1",
      arrays.params());
}

Result<bool> PostgresSetChecks::finds_nothing(const std::string& sql,
                                              const db::PostgresParams& params) {
  TALLY_TRY_ASSIGN(const auto found, ask(sql, params));
  return found && found->rows() == 0;
}

bool PostgresSetChecks::append_key(std::span<const std::size_t> columns,
                                   std::uint32_t record, std::string& into) const {
  into.clear();
  window_.append_fields(columns, record, into);
  return std::ranges::all_of(columns, [&](std::size_t column) {
    return window_.state(column, record) == CellState::kValue;
  });
}

// Records that may have a value of the key in common with another: their hashes do.
std::vector<std::uint32_t> PostgresSetChecks::likely_repeated(
    const std::vector<std::uint32_t>& records,
    std::span<const std::size_t> columns) const {
  std::vector<std::pair<std::size_t, std::uint32_t>> hashes;
  hashes.reserve(records.size());
  std::string key;
  for (const std::uint32_t record : records) {
    if (append_key(columns, record, key)) {
      hashes.emplace_back(std::hash<std::string>()(key), record);
    }
  }
  std::sort(hashes.begin(), hashes.end());
  std::vector<std::uint32_t> likely;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const bool again = i > 0 && hashes[i].first == hashes[i - 1].first;
    const bool before = i + 1 < hashes.size() && hashes[i].first == hashes[i + 1].first;
    if (again || before) likely.push_back(hashes[i].second);
  }
  return likely;
}

// Of records that have a value of a unique key in common the first stands. A record whose
// value of a later key is there already stands for none, but may follow another one here.
void PostgresSetChecks::find_repeated(Search& search) {
  struct Taken {
    std::size_t key;
    std::vector<std::size_t> columns;
    std::unordered_set<std::string> values;
  };
  std::vector<std::uint32_t> records = search.alive;
  for (const auto& [record, key] : search.there) {
    if (key > 0) records.push_back(record);
  }
  std::vector<Taken> keys;
  std::set<std::uint32_t> likely;
  for (std::size_t key = 0; key < write_.table.keys.size(); ++key) {
    const PostgresKey& one = write_.table.keys[key];
    const auto columns = columns_of(search, write_.table.resource.keys[key].fields);
    if (!columns || !one.canonical || !one.predicate.empty() || one.nulls_are_equal) {
      continue;
    }
    keys.push_back({key, *columns, {}});
    for (const std::uint32_t record : likely_repeated(records, *columns)) {
      likely.insert(record);
    }
  }
  std::vector<std::string> values(keys.size());
  for (const std::uint32_t record : likely) {
    const auto there = search.there.find(record);
    const bool is_there = there != search.there.end();
    const Taken* clash = nullptr;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const bool has_key = append_key(keys[k].columns, record, values[k]);
      if (!has_key) values[k].clear();
      const bool is_first = !clash && (!is_there || keys[k].key < there->second);
      if (is_first && has_key && keys[k].values.contains(values[k])) clash = &keys[k];
    }
    if (clash) search.found.repeated.emplace(record, duplicate_error(write_, clash->key));
    if (clash || is_there) continue;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      if (!values[k].empty()) keys[k].values.insert(values[k]);
    }
  }
}

}  // namespace tallyman
