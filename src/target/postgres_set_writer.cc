#include "target/postgres_set_writer.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "target/postgres_arrays.h"
#include "target/postgres_drawn_ids.h"

namespace tallyman {
namespace {

constexpr std::size_t kCopyChunkBytes = 64 << 10;

std::vector<std::string_view> id_of(const db::PostgresResult& rows, int row, int first) {
  std::vector<std::string_view> id;
  for (int column = first; column < rows.columns(); ++column) {
    id.push_back(rows.text(row, column));
  }
  return id;
}

std::size_t place_of(const db::PostgresResult& rows, int row) {
  return db::read_wire32(rows.text(row, 0));
}

// The table shows what was sent, as it was sent.
bool is_kept_as_sent(const PostgresType& type) {
  return !type.needs_cast() && !type.is_padded;
}

}  // namespace

Result<bool> PostgresSetWriter::apply(std::span<const std::uint32_t> records,
                                      PostgresResults& results) {
  if (records.empty()) return true;
  TALLY_TRY(connection_.exec("SAVEPOINT tallyman_set"));
  TALLY_TRY_ASSIGN(const bool applied, apply_groups(records, results));
  TALLY_TRY(connection_.exec(applied ? "RELEASE SAVEPOINT tallyman_set"
                                     : "ROLLBACK TO SAVEPOINT tallyman_set; "
                                       "RELEASE SAVEPOINT tallyman_set"));
  return applied;
}

Result<bool> PostgresSetWriter::apply_groups(std::span<const std::uint32_t> records,
                                             PostgresResults& results) {
  for (const Group& group : groups_of(records)) {
    Result<bool> applied = false;
    switch (write_.plan.operation) {
      case Operation::kInsert: applied = insert(group, group.records, results); break;
      case Operation::kUpsert:
      case Operation::kUpdate:
      case Operation::kReplace: applied = change(group, results); break;
      case Operation::kDelete: applied = remove(group, results); break;
    }
    if (!applied.ok() || !applied.value()) return applied;
  }
  return true;
}

std::vector<PostgresSetWriter::Group> PostgresSetWriter::groups_of(
    std::span<const std::uint32_t> records) const {
  std::vector<Group> groups;
  if (!window_.has_absent()) {
    groups.push_back(
        {shape_of(write_, window_, records.front()), {records.begin(), records.end()}});
    return groups;
  }
  std::unordered_map<std::string, std::size_t> known;
  std::string name;
  for (const std::uint32_t i : records) {
    name.clear();
    append_shape_name(window_, i, name);
    const auto [found, is_new] = known.try_emplace(name, groups.size());
    if (is_new) groups.push_back({shape_of(write_, window_, i), {}});
    groups[found->second].records.push_back(i);
  }
  return groups;
}

Result<std::optional<db::PostgresResult>> PostgresSetWriter::ask(
    const std::string& sql, const db::PostgresParams& params) {
  auto answer = connection_.execute_params(sql, params, true);
  if (answer.ok()) return std::optional(std::move(answer).value());
  if (db::is_passing(connection_.failure())) return std::move(answer).error();
  return std::optional<db::PostgresResult>();
}

// --- Update, replace, upsert ----------------------------------------------------------

Result<bool> PostgresSetWriter::change(const Group& group, PostgresResults& results) {
  const std::vector<std::uint32_t>& records = group.records;
  std::vector<std::uint8_t> found(records.size());
  const std::vector<std::size_t> columns = group.shape.written_and_key(write_.plan);
  const auto take = [&](const db::PostgresResult& rows, Outcome outcome) {
    for (int row = 0; row < rows.rows(); ++row) {
      const auto at = place_of(rows, row);
      found[at] = 1;
      results.succeed(records[at], outcome, id_of(rows, row, 1));
    }
  };
  const std::string& table = write_.table.sql_name;
  const std::string place_and_id = PostgresArrays::place() + ", " + write_.ids();

  if (!group.shape.written.empty() || !group.shape.defaults.empty()) {
    const PostgresArrays arrays(write_, window_, columns, records);
    TALLY_TRY_ASSIGN(
        const auto updated,
        ask("UPDATE " + table + " AS t SET " +
                assignments_of(write_, group.shape, PostgresArrays::value) + " FROM " +
                arrays.from() + " WHERE " + write_.has_key(PostgresArrays::value) +
                " AND NOT (" + sameness_of(write_, group.shape, PostgresArrays::value) +
                ") RETURNING " + place_and_id,
            arrays.params()));
    if (!updated) return false;
    take(*updated, Outcome::kUpdated);
  }

  std::vector<std::uint32_t> rest;  // Places in `records`.
  for (std::uint32_t at = 0; at < records.size(); ++at) {
    if (!found[at]) rest.push_back(at);
  }
  if (rest.empty()) return true;

  // What was not written is what was sent already, or is not there.
  std::vector<std::uint32_t> rest_records;
  for (const std::uint32_t at : rest) rest_records.push_back(records[at]);
  const bool may_insert = write_.plan.operation == Operation::kUpsert;
  if (may_insert && habits_.rest_is_new) {
    TALLY_TRY_ASSIGN(const bool inserted, try_insert(group, rest_records, results));
    if (inserted) return true;
  }
  {
    const PostgresArrays arrays(write_, window_, write_.plan.key_columns, rest_records);
    TALLY_TRY_ASSIGN(const auto there,
                     ask("SELECT " + place_and_id + " FROM " + arrays.from() + " JOIN " +
                             table + " AS t ON " + write_.has_key(PostgresArrays::value),
                         arrays.params()));
    if (!there) return false;
    for (int row = 0; row < there->rows(); ++row) {
      const std::uint32_t at = rest[place_of(*there, row)];
      found[at] = 1;
      results.succeed(records[at], Outcome::kUnchanged, id_of(*there, row, 1));
    }
  }
  std::vector<std::uint32_t> missing;
  for (const std::uint32_t at : rest) {
    if (!found[at]) missing.push_back(records[at]);
  }
  habits_.rest_is_new = missing.size() == rest.size();
  if (missing.empty()) return true;
  if (may_insert) {
    std::sort(missing.begin(), missing.end());  // Ids in file order.
    return insert(group, missing, results);
  }
  for (const std::uint32_t i : missing) {
    results.fail(i,
                 {RecordErrorCode::kNotFound, write_.key_names(), "no row has this key"});
  }
  return true;
}

// False, and nothing was done, where one of them is there already.
Result<bool> PostgresSetWriter::try_insert(const Group& group,
                                           std::vector<std::uint32_t> records,
                                           PostgresResults& results) {
  std::sort(records.begin(), records.end());  // Ids in file order.
  TALLY_TRY(connection_.exec("SAVEPOINT tallyman_new"));
  TALLY_TRY_ASSIGN(const bool inserted, insert(group, records, results));
  TALLY_TRY(connection_.exec(inserted ? "RELEASE SAVEPOINT tallyman_new"
                                      : "ROLLBACK TO SAVEPOINT tallyman_new; "
                                        "RELEASE SAVEPOINT tallyman_new"));
  return inserted;
}

// --- Delete ---------------------------------------------------------------------------

Result<bool> PostgresSetWriter::remove(const Group& group, PostgresResults& results) {
  std::vector<std::uint8_t> found(group.records.size());
  const auto take = [&](std::size_t at, std::span<const std::string_view> id) {
    found[at] = 1;
    results.succeed(group.records[at], Outcome::kDeleted, id);
  };
  TALLY_TRY_ASSIGN(const bool removed, key_is_integer_id() ? remove_by_id(group, take)
                                                           : remove_by_key(group, take));
  if (!removed) return false;
  for (std::size_t at = 0; at < found.size(); ++at) {
    if (found[at]) continue;
    results.fail(group.records[at],
                 {RecordErrorCode::kNotFound, write_.key_names(), "no row has this key"});
  }
  return true;
}

Result<bool> PostgresSetWriter::remove_by_key(const Group& group, const TakeRow& take) {
  const PostgresArrays arrays(write_, window_, write_.plan.key_columns, group.records);
  TALLY_TRY_ASSIGN(
      const auto removed,
      ask("DELETE FROM " + write_.table.sql_name + " AS t USING " + arrays.from() +
              " WHERE " + write_.has_key(PostgresArrays::value) + " RETURNING " +
              PostgresArrays::place() + ", " + write_.ids(),
          arrays.params()));
  if (!removed) return false;
  for (int row = 0; row < removed->rows(); ++row) {
    take(place_of(*removed, row), id_of(*removed, row, 1));
  }
  return true;
}

bool PostgresSetWriter::key_is_integer_id() const {
  return write_.table.row_id_kind == RowIdKind::kInteger &&
         write_.plan.key_columns.size() == 1 &&
         write_.places[write_.plan.key_columns.front()] == write_.id_fields.front();
}

// Without a join; whose row it was is told by the id, as the records are sorted by it.
Result<bool> PostgresSetWriter::remove_by_id(const Group& group, const TakeRow& take) {
  const std::size_t key = write_.plan.key_columns.front();
  const PostgresType& type = write_.type(key);
  db::PostgresArray ids(type.wire_oid);
  std::vector<std::size_t> named;  // Places in the group: without those of no key.
  for (std::size_t at = 0; at < group.records.size(); ++at) {
    if (window_.state(key, group.records[at]) != CellState::kValue) continue;
    ids.add(window_.wire(key, group.records[at]));
    named.push_back(at);
  }
  db::PostgresParams params;
  params.add_view(type.wire_array_oid, ids.wire());
  TALLY_TRY_ASSIGN(const auto removed,
                   ask("DELETE FROM " + write_.table.sql_name + " AS t WHERE t." +
                           write_.column(key).sql_name + " = ANY ($1::" + type.wire_name +
                           "[]) RETURNING " + write_.ids(),
                       params));
  if (!removed) return false;
  for (int row = 0; row < removed->rows(); ++row) {
    const std::string_view id[] = {removed->text(row, 0)};
    const auto wire_at = [&](std::size_t at) {
      return window_.wire(key, group.records[at]);
    };
    const auto at = std::ranges::lower_bound(named, id[0], std::less<>(), wire_at);
    CHECK(at != named.end() && wire_at(*at) == id[0]);
    take(*at, id);
  }
  return true;
}

// --- Insert ---------------------------------------------------------------------------

Result<bool> PostgresSetWriter::insert(const Group& group,
                                       std::span<const std::uint32_t> records,
                                       PostgresResults& results) {
  if (group.shape.missing) {
    for (const std::uint32_t i : records) {
      results.fail(i, {RecordErrorCode::kRequiredFieldMissing, group.shape.missing->name,
                       "is required in a new row"});
    }
    return true;
  }
  std::optional<std::vector<DrawnIds>> drawn = ids_of(window_.ids(), records);
  if (drawn->empty()) {
    TALLY_TRY_ASSIGN(drawn,
                     draw_ids(connection_, write_, group.shape.sent, records.size()));
  }
  if (!drawn) return false;
  const bool all_in_binary =
      std::none_of(group.shape.sent.begin(), group.shape.sent.end(),
                   [&](std::size_t column) { return write_.type(column).needs_cast(); });
  const bool by_copy = all_in_binary && !why_no_copy(write_.table);
  TALLY_TRY_ASSIGN(const bool inserted,
                   by_copy ? copy(group.shape, records, *drawn)
                           : insert_from_arrays(group.shape, records, *drawn));
  if (!inserted) return false;
  return take_inserted_ids(records, *drawn, results);
}

Result<bool> PostgresSetWriter::copy(const PostgresShape& shape,
                                     std::span<const std::uint32_t> records,
                                     const std::vector<DrawnIds>& drawn) {
  std::string names = write_.names(shape.sent);
  for (const DrawnIds& one : drawn) {
    names += (names.empty() ? "" : ", ") + write_.table.columns[one.place].sql_name;
  }
  auto begun = connection_.copy_in("COPY " + write_.table.sql_name + " (" + names +
                                   ") FROM STDIN (FORMAT binary)");
  if (!begun.ok()) {
    if (db::is_passing(connection_.failure())) return std::move(begun).error();
    return false;
  }
  db::PostgresCopyIn into = std::move(begun).value();
  std::string chunk(db::kCopyHeader);
  chunk.reserve(kCopyChunkBytes + (4 << 10));
  const auto fields = static_cast<std::uint16_t>(shape.sent.size() + drawn.size());
  bool sent = true;
  for (std::size_t at = 0; at < records.size() && sent; ++at) {
    db::append_wire16(chunk, fields);
    window_.append_fields(shape.sent, records[at], chunk);
    for (const DrawnIds& one : drawn) {
      const std::string_view wire = one.wires.wire(at);
      db::append_wire32(chunk, static_cast<std::uint32_t>(wire.size()));
      chunk += wire;
    }
    if (chunk.size() < kCopyChunkBytes) continue;
    sent = into.write(chunk).ok();
    chunk.clear();
  }
  chunk += db::kCopyTrailer;
  if (sent) (void)into.write(chunk).ok();
  auto rows = into.finish();
  if (rows.ok()) {
    // Fewer: a trigger that is new let some pass by.
    return rows.value() == static_cast<std::int64_t>(records.size());
  }
  if (db::is_passing(connection_.failure())) return std::move(rows).error();
  return false;
}

Result<bool> PostgresSetWriter::insert_from_arrays(const PostgresShape& shape,
                                                   std::span<const std::uint32_t> records,
                                                   const std::vector<DrawnIds>& drawn) {
  PostgresArrays arrays(write_, window_, shape.sent, records);
  std::string names = write_.names(shape.sent);
  std::string values;
  for (const std::size_t column : shape.sent) {
    values += (values.empty() ? "" : ", ") +
              write_.assigned(column, PostgresArrays::value(column));
  }
  for (const DrawnIds& one : drawn) {
    const PostgresColumn& column = write_.table.columns[one.place];
    names += (names.empty() ? "" : ", ") + column.sql_name;
    values += (values.empty() ? "" : ", ") + arrays.add(column.type, one.wires);
  }
  const bool overriding =
      std::any_of(drawn.begin(), drawn.end(), [&](const DrawnIds& one) {
        return write_.table.columns[one.place].identity_always;
      });
  if (names.empty()) return false;  // Defaults alone: one by one.
  TALLY_TRY_ASSIGN(
      const auto inserted,
      ask("INSERT INTO " + write_.table.sql_name + " (" + names + ")" +
              (overriding ? " OVERRIDING SYSTEM VALUE" : "") + " SELECT " + values +
              " FROM " + arrays.from() + " ORDER BY " + PostgresArrays::place(),
          arrays.params()));
  return inserted && inserted->affected() == static_cast<std::int64_t>(records.size());
}

Result<bool> PostgresSetWriter::take_inserted_ids(std::span<const std::uint32_t> records,
                                                  const std::vector<DrawnIds>& drawn,
                                                  PostgresResults& results) {
  // Of each column of the key: its values where they were drawn or must be asked for.
  std::vector<PostgresCells> made(write_.id_fields.size());
  std::vector<std::size_t> columns(write_.id_fields.size());
  for (std::size_t k = 0; k < made.size(); ++k) {
    const auto found = std::find_if(drawn.begin(), drawn.end(), [&](const DrawnIds& one) {
      return one.place == write_.id_fields[k];
    });
    if (found != drawn.end()) {
      made[k] = found->wires;
      continue;
    }
    columns[k] = write_.column_of(write_.id_fields[k]).value();
    if (is_kept_as_sent(write_.type(columns[k]))) continue;
    TALLY_TRY_ASSIGN(auto texts, texts_of(columns[k], records));
    if (!texts) return false;
    made[k] = std::move(*texts);
  }
  std::vector<std::string_view> id(made.size());
  for (std::size_t at = 0; at < records.size(); ++at) {
    for (std::size_t k = 0; k < made.size(); ++k) {
      id[k] =
          made[k].size() == 0 ? window_.wire(columns[k], records[at]) : made[k].wire(at);
    }
    results.succeed(records[at], Outcome::kCreated, id);
  }
  return true;
}

// A column's values as the table will show them.
Result<std::optional<PostgresCells>> PostgresSetWriter::texts_of(
    std::size_t column, std::span<const std::uint32_t> records) {
  const std::size_t columns[] = {column};
  const PostgresArrays arrays(write_, window_, columns, records);
  TALLY_TRY_ASSIGN(
      const auto rows,
      ask("SELECT (" + PostgresArrays::value(column) + "::" + write_.type(column).name +
              "::" + write_.field(column).declared_type + ")::text FROM " +
              arrays.from() + " ORDER BY " + PostgresArrays::place(),
          arrays.params()));
  if (!rows) return std::optional<PostgresCells>();
  PostgresCells texts;
  for (int row = 0; row < rows->rows(); ++row) texts.add(rows->text(row, 0));
  return std::optional(std::move(texts));
}

}  // namespace tallyman
