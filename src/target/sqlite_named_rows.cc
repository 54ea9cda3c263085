#include "target/sqlite_named_rows.h"

#include "base/join.h"
#include "target/sqlite_row_id.h"
#include "target/sqlite_sql.h"

namespace tallyman {
namespace {

using db::SqliteConnection;
using db::SqliteStatement;

std::string primary_column(const SqliteTable& table) {
  return quote_name(
      table.resource.fields[table.resource.primary_key()->fields.front()].name);
}

// Two texts that are one key in the table must be one here.
std::string id_definition(const SqliteTable& table) {
  if (table.row_id_kind == RowIdKind::kInteger) return "id INTEGER PRIMARY KEY";
  const bool single = table.keys.front().collations.size() == 1;
  return "id TEXT COLLATE " +
         quote_name(single ? table.keys.front().collations.front() : "BINARY") +
         " PRIMARY KEY";
}

}  // namespace

Result<std::unique_ptr<SqliteNamedRows>> SqliteNamedRows::open(
    SqliteConnection& connection, const SqliteTable& table, const RowIdSourceMaker& ids) {
  std::unique_ptr<SqliteNamedRows> rows(new SqliteNamedRows(connection, table, ids));
  TALLY_TRY(rows->look_at_ids());
  if (!rows->ascending_) TALLY_TRY(rows->sort_ids());
  return rows;
}

SqliteNamedRows::~SqliteNamedRows() {
  if (ascending_) return;
  (void)connection_.exec("DROP TABLE IF EXISTS temp.tallyman_named").ok();
}

Result<void> SqliteNamedRows::look_at_ids() {
  ascending_ = table_.row_id_kind != RowIdKind::kText;
  const RowIdSource source = ids_();
  UnitOutcomes unit;
  std::optional<std::int64_t> last;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, source(unit));
    if (!more) return {};
    counts_ += count_outcomes(unit.outcomes);
    if (table_.row_id_kind != RowIdKind::kInteger) continue;
    for (std::size_t i = 0; i < unit.size() && ascending_; ++i) {
      if (!(mask_of(unit.outcomes[i]) & kWritten)) continue;
      ascending_ = !last || unit.ids.integers[i] > *last;
      last = unit.ids.integers[i];
    }
  }
}

Result<void> SqliteNamedRows::sort_ids() {
  const bool integers = table_.row_id_kind == RowIdKind::kInteger;
  const std::string definition =
      "PRAGMA temp.cache_size = -16384; DROP TABLE IF EXISTS temp.tallyman_named; "
      "CREATE TEMP TABLE tallyman_named (" +
      id_definition(table_) + ", outcomes INTEGER)" + (integers ? "" : " WITHOUT ROWID");
  TALLY_TRY(connection_.exec(definition.c_str()));
  TALLY_TRY_ASSIGN(auto insert,
                   connection_.prepare(
                       "INSERT INTO temp.tallyman_named VALUES (?1, ?2) ON CONFLICT (id) "
                       "DO UPDATE SET outcomes = outcomes | excluded.outcomes"));
  const RowIdSource source = ids_();
  UnitOutcomes unit;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, source(unit));
    if (!more) return {};
    for (std::size_t i = 0; i < unit.size(); ++i) {
      const OutcomeMask mask = mask_of(unit.outcomes[i]);
      if (!(mask & kWritten)) continue;
      if (integers) {
        insert.bind_integer(1, unit.ids.integers[i]);
      } else {
        insert.bind_text(1, unit.ids.text(i));
      }
      insert.bind_integer(2, mask);
      TALLY_TRY(insert.run());
    }
  }
}

std::string SqliteNamedRows::select(std::span<const std::size_t> fields) const {
  std::vector<std::string> columns = {primary_column(table_)};
  for (const std::size_t field : fields) {
    columns.push_back(quote_name(table_.resource.fields[field].name));
  }
  return "SELECT " + join(columns, ", ") + " FROM " + quote_table(table_.resource.table) +
         " WHERE ";
}

Result<std::unique_ptr<SqliteNamedRows::Pass>> SqliteNamedRows::start(
    std::span<const std::size_t> fields, OutcomeMask outcomes) {
  const Key* primary = table_.resource.primary_key();
  CHECK(primary);
  std::unique_ptr<Pass> pass(new Pass(*this, outcomes));
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < primary->fields.size(); ++i) {
    terms.push_back(quote_name(table_.resource.fields[primary->fields[i]].name) +
                    " COLLATE " + quote_name(table_.keys.front().collations[i]) + " = ?" +
                    std::to_string(i + 1));
  }
  TALLY_TRY_ASSIGN(auto look_up,
                   connection_.prepare(select(fields) + join(terms, " AND ")));
  pass->look_up_.emplace(std::move(look_up));
  if (table_.row_id_kind == RowIdKind::kInteger) {
    const std::string id = primary_column(table_);
    TALLY_TRY_ASSIGN(
        auto range,
        connection_.prepare(select(fields) + id + " BETWEEN ?1 AND ?2 ORDER BY " + id));
    pass->range_.emplace(std::move(range));
  }
  if (ascending_) {
    pass->source_ = ids_();
  } else {
    TALLY_TRY_ASSIGN(auto sorted, connection_.prepare("SELECT id, outcomes FROM "
                                                      "temp.tallyman_named ORDER BY id"));
    pass->sorted_.emplace(std::move(sorted));
  }
  return pass;
}

void SqliteNamedRows::Pass::keep(NamedId id) {
  if (!(id.outcomes & wanted_)) return;
  ++named_;
  batch_.push_back(std::move(id));
}

Result<void> SqliteNamedRows::Pass::load_from_ledger() {
  while (batch_.size() < kBatch && !at_end_) {
    if (unit_at_ == unit_.size()) {
      TALLY_TRY_ASSIGN(const bool more, source_(unit_));
      unit_at_ = 0;
      at_end_ = !more;
      if (at_end_) unit_ = {};
      continue;
    }
    const OutcomeMask mask = mask_of(unit_.outcomes[unit_at_]);
    if (mask & kWritten) keep({unit_.ids.integers[unit_at_], {}, mask});
    ++unit_at_;
  }
  return {};
}

Result<void> SqliteNamedRows::Pass::load_from_table() {
  const bool integers = rows_.table_.row_id_kind == RowIdKind::kInteger;
  while (batch_.size() < kBatch && !at_end_) {
    TALLY_TRY_ASSIGN(const bool more, sorted_->step());
    at_end_ = !more;
    if (at_end_) break;
    const auto mask = static_cast<OutcomeMask>(sorted_->integer(1));
    if (integers) {
      keep({sorted_->integer(0), {}, mask});
    } else {
      keep({0, std::string(sorted_->text(0)), mask});
    }
  }
  return {};
}

// The next batch; a range where its ids lie close together.
Result<void> SqliteNamedRows::Pass::load() {
  batch_.clear();
  at_ = 0;
  in_range_ = false;
  if (rows_.ascending_) {
    TALLY_TRY(load_from_ledger());
  } else {
    TALLY_TRY(load_from_table());
  }
  if (batch_.size() < 2 || !range_) return {};
  const auto width = static_cast<std::uint64_t>(batch_.back().integer) -
                     static_cast<std::uint64_t>(batch_.front().integer);
  in_range_ = width / kSparseMax <= batch_.size();
  if (in_range_) {
    range_->reset();
    range_->bind_all(batch_.front().integer, batch_.back().integer);
  }
  return {};
}

Result<bool> SqliteNamedRows::Pass::next() {
  while (true) {
    if (at_ == batch_.size()) {
      if (at_end_) return false;
      TALLY_TRY(load());
      continue;
    }
    TALLY_TRY_ASSIGN(const bool there, in_range_ ? next_of_range() : next_by_look_up());
    if (there) return true;
  }
}

Result<bool> SqliteNamedRows::Pass::next_of_range() {
  TALLY_TRY_ASSIGN(const bool more, range_->step());
  if (!more) {
    at_ = batch_.size();
    return false;
  }
  const std::int64_t id = range_->integer(0);
  while (at_ < batch_.size() && batch_[at_].integer < id) ++at_;
  if (at_ == batch_.size() || batch_[at_].integer != id) return false;
  row_ = &*range_;
  outcomes_ = batch_[at_++].outcomes;
  return true;
}

Result<bool> SqliteNamedRows::Pass::next_by_look_up() {
  const NamedId& id = batch_[at_++];
  look_up_->reset();
  if (rows_.table_.row_id_kind == RowIdKind::kInteger) {
    look_up_->bind_integer(1, id.integer);
  } else {
    arena_.clear();
    const auto key = parse_row_id(rows_.table_, id.text, arena_);
    if (!key) return false;
    int place = 0;
    for (const BoundValue& value : *key) bind_value(*look_up_, ++place, value);
  }
  TALLY_TRY_ASSIGN(const bool found, look_up_->step());
  row_ = &*look_up_;
  outcomes_ = id.outcomes;
  return found;
}

}  // namespace tallyman
