#include "target/postgres_named_rows.h"

#include <functional>
#include <numeric>

#include "target/postgres_row_id.h"

namespace tallyman {
namespace {

using db::append_wire16;
using db::append_wire32;
using db::append_wire64;

constexpr std::string_view kRanges = "pg_temp.tallyman_named_ranges";
constexpr std::string_view kIds = "pg_temp.tallyman_named_ids";
constexpr std::string_view kDistinct = "pg_temp.tallyman_named_distinct";
constexpr std::string_view kTexts = "pg_temp.tallyman_named_texts";

// So many ranges are listed.
constexpr std::size_t kListedMax = 64;
// Of a larger count the server may look for so many ids here and so many there at once.
constexpr std::uint64_t kCountedTogether = 100'000;
// Shorter ones cost less as ids.
constexpr std::uint64_t kRangeMin = 8;
// To look through all rows of such a stretch costs what some of them cost one by one.
constexpr std::uint64_t kStretchMax = 1024;
constexpr std::uint64_t kStretchNamedMin = 128;
constexpr std::size_t kTextBytesMax = 1U << 20;
constexpr std::size_t kCopyBytes = 64U << 10;

void append_int8(std::int64_t value, std::string& into) {
  append_wire32(into, 8);
  append_wire64(into, static_cast<std::uint64_t>(value));
}

void append_outcomes(OutcomeMask outcomes, std::string& into) {
  append_wire32(into, 2);
  append_wire16(into, outcomes);
}

using Ranges = std::span<const NamedRange>;

void append_range(const NamedRange& range, std::string& into) {
  append_wire16(into, 4);
  append_int8(range.first, into);
  append_int8(range.last, into);
  append_outcomes(range.outcomes, into);
  append_wire32(into, 0xFFFF'FFFF);
}

// As one range with a byte for each id.
void append_stretch(Ranges near, std::string& into) {
  std::string each(NamedRange{near.front().first, near.back().last}.size(), '\0');
  for (const NamedRange& range : near) {
    each.replace(static_cast<std::size_t>(range.first - near.front().first), range.size(),
                 range.size(), static_cast<char>(range.outcomes));
  }
  append_wire16(into, 4);
  append_int8(near.front().first, into);
  append_int8(near.back().last, into);
  append_outcomes(0, into);
  append_wire32(into, static_cast<std::uint32_t>(each.size()));
  into += each;
}

void append_ids(const NamedRange& range, std::string& into) {
  for (std::uint64_t i = 0; i < range.size(); ++i) {
    append_wire16(into, 2);
    append_int8(range.first + static_cast<std::int64_t>(i), into);
    append_outcomes(range.outcomes, into);
  }
}

// The first of them, and what lies close to it.
Ranges stretch_of(Ranges ranges) {
  std::size_t count = 1;
  while (count < ranges.size() &&
         NamedRange{ranges.front().first, ranges[count].last}.size() - 1 < kStretchMax) {
    ++count;
  }
  return ranges.first(count);
}

std::string byte_of(const std::string& id) {
  return "pg_catalog.get_byte(n.each, (" + id + " - n.first)::int4)::int2";
}

// Of an id between n.first and n.last: is it named, and what became of it?
std::string is_named(const std::string& id) {
  return "(n.each IS NULL OR " + byte_of(id) + " <> 0)";
}
std::string outcomes_of(const std::string& id) {
  return "CASE WHEN n.each IS NULL THEN n.outcomes ELSE " + byte_of(id) + " END";
}

std::string key_column(std::size_t i) { return "k" + std::to_string(i); }

// INT64_MIN cannot be written as a number with a sign.
std::string postgres_integer(std::int64_t value) {
  return "'" + std::to_string(value) + "'::int8";
}

std::string listed(std::size_t columns, std::string_view after = {}) {
  std::string list;
  for (std::size_t i = 0; i < columns; ++i) {
    list += key_column(i);
    list += after;
    list += ", ";
  }
  return list;
}

}  // namespace

Result<std::unique_ptr<PostgresNamedRows>> PostgresNamedRows::open(
    db::PostgresConnection& connection, const PostgresTable& table,
    const RowIdSourceMaker& ids, Of of) {
  std::unique_ptr<PostgresNamedRows> rows(new PostgresNamedRows(connection, table, of));
  const RowIdSource source = ids();
  if (table.row_id_kind == RowIdKind::kText) {
    TALLY_TRY(rows->read_texts(source));
  } else {
    TALLY_TRY(rows->read_integers(source));
  }
  TALLY_TRY(rows->finish());
  return rows;
}

PostgresNamedRows::~PostgresNamedRows() {
  if (!made_) return;
  for (const std::string_view name : {kRanges, kIds, kDistinct, kTexts}) {
    // Where this fails the transaction has failed, and takes them with it.
    (void)connection_.exec("DROP TABLE IF EXISTS " + std::string(name)).ok();
  }
}

Result<void> PostgresNamedRows::make_table(std::string_view name,
                                           std::string_view definition) {
  made_ = true;
  const std::string plain(name.substr(name.find('.') + 1));
  TALLY_TRY(connection_.exec("DROP TABLE IF EXISTS " + std::string(name)));
  auto made =
      connection_.exec("CREATE TEMP TABLE " + plain + " " + std::string(definition));
  if (made.ok()) return {};
  if (!connection_.failure().is("42501")) return std::move(made).error();
  return Error{ErrorCode::kInvalidArgument,
               "aggregates need temporary tables, which the role may not make; GRANT "
               "TEMPORARY ON DATABASE to it"};
}

Result<void> PostgresNamedRows::copy(std::string_view name, std::string_view rows) {
  TALLY_TRY_ASSIGN(auto copying, connection_.copy_in("COPY " + std::string(name) +
                                                     " FROM STDIN (FORMAT binary)"));
  TALLY_TRY(copying.write(db::kCopyHeader));
  while (!rows.empty()) {
    const std::string_view part = rows.substr(0, kCopyBytes);
    TALLY_TRY(copying.write(part));
    rows.remove_prefix(part.size());
  }
  TALLY_TRY(copying.write(db::kCopyTrailer));
  TALLY_TRY(copying.finish());
  return {};
}

// --- Integers -------------------------------------------------------------------------

Result<void> PostgresNamedRows::read_integers(const RowIdSource& source) {
  NamedRanges ranges;
  UnitOutcomes unit;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, source(unit));
    if (!more) break;
    counts_ += count_outcomes(unit.outcomes);
    if (table_.row_id_kind != RowIdKind::kInteger) continue;
    for (std::size_t i = 0; i < unit.size(); ++i) {
      const OutcomeMask mask = mask_of(unit.outcomes[i]);
      if (!(mask & kWritten)) continue;
      ranges.add(unit.ids.integers[i], of_ == Of::kPresence ? kWritten : mask);
    }
    if (ranges.size() >= NamedRanges::kHeldMax) TALLY_TRY(put_ranges(ranges.take()));
  }
  std::vector<NamedRange> rest = ranges.take();
  if (!made_ && rest.size() <= kListedMax) {
    list_ranges(std::move(rest));
    return {};
  }
  TALLY_TRY(put_ranges(std::move(rest)));
  if (may_overlap_) return make_distinct();
  return {};
}

void PostgresNamedRows::list_ranges(std::vector<NamedRange> ranges) {
  listed_ = std::move(ranges);
  if (listed_.empty()) return;
  for (const NamedRange& range : listed_) named_ += range.size();
  first_ = listed_.front().first;
  last_ = listed_.back().last;
}

Result<void> PostgresNamedRows::put_ranges(std::vector<NamedRange> ranges) {
  if (ranges.empty()) return {};
  if (!made_) {
    TALLY_TRY(make_table(kRanges,
                         "(first int8, last int8, outcomes int2, each bytea) "
                         "ON COMMIT DROP"));
    TALLY_TRY(make_table(kIds, "(k0 int8, outcomes int2) ON COMMIT DROP"));
  }
  if (last_ && ranges.front().first <= *last_) may_overlap_ = true;
  last_ = std::max(last_.value_or(ranges.back().last), ranges.back().last);
  first_ = std::min(first_.value_or(ranges.front().first), ranges.front().first);

  std::string as_ranges;
  std::string as_ids;
  const auto flush = [&](std::size_t bytes_max) -> Result<void> {
    if (as_ranges.size() > bytes_max) {
      has_ranges_ = true;
      TALLY_TRY(copy(kRanges, as_ranges));
      as_ranges.clear();
    }
    if (as_ids.size() > bytes_max) {
      has_ids_ = true;
      TALLY_TRY(copy(kIds, as_ids));
      as_ids.clear();
    }
    return {};
  };
  for (Ranges rest = ranges; !rest.empty();) {
    const Ranges near = stretch_of(rest);
    rest = rest.subspan(near.size());
    const std::uint64_t named =
        std::transform_reduce(near.begin(), near.end(), std::uint64_t{0}, std::plus<>(),
                              std::mem_fn(&NamedRange::size));
    named_ += named;
    if (near.size() > 1 && named >= kStretchNamedMin) {
      append_stretch(near, as_ranges);
    } else {
      for (const NamedRange& range : near) {
        range.size() >= kRangeMin ? append_range(range, as_ranges)
                                  : append_ids(range, as_ids);
      }
    }
    TALLY_TRY(flush(kTextBytesMax));
  }
  return flush(0);
}

// An id that several sets name is one row.
Result<void> PostgresNamedRows::make_distinct() {
  const std::string ids(kIds);
  TALLY_TRY(make_table(kDistinct,
                       "ON COMMIT DROP AS SELECT k0, bit_or(outcomes) AS outcomes FROM ("
                       "SELECT k0, outcomes FROM " +
                           ids + " UNION ALL SELECT id, " + outcomes_of("id") + " FROM " +
                           std::string(kRanges) +
                           " AS n, generate_series(n.first, n.last) AS id WHERE " +
                           is_named("id") + ") AS every GROUP BY k0"));
  TALLY_TRY(connection_.exec("DROP TABLE " + ids + "; ALTER TABLE " +
                             std::string(kDistinct) + " RENAME TO tallyman_named_ids"));
  has_ranges_ = false;
  has_ids_ = true;
  TALLY_TRY_ASSIGN(const auto count, connection_.exec("SELECT count(*) FROM " + ids));
  named_ = static_cast<std::uint64_t>(count.integer(0, 0));
  return {};
}

// --- Other keys -----------------------------------------------------------------------

Result<void> PostgresNamedRows::read_texts(const RowIdSource& source) {
  std::string rows;
  UnitOutcomes unit;
  const std::size_t columns = table_.resource.primary_key()->fields.size();
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, source(unit));
    if (!more) break;
    counts_ += count_outcomes(unit.outcomes);
    for (std::size_t i = 0; i < unit.size(); ++i) {
      const OutcomeMask mask = mask_of(unit.outcomes[i]);
      if (!(mask & kWritten)) continue;
      const auto key = parse_row_id(table_, unit.ids.text(i));
      if (!key) {
        return Error{ErrorCode::kInternal, "an id of the ledger is none of table \"" +
                                               table_.resource.table + "\""};
      }
      append_wire16(rows, static_cast<std::uint16_t>(columns + 1));
      for (const std::string& text : *key) {
        append_wire32(rows, static_cast<std::uint32_t>(text.size()));
        rows += text;
      }
      append_outcomes(mask, rows);
      if (rows.size() > kTextBytesMax) TALLY_TRY(put_texts(rows));
    }
  }
  TALLY_TRY(put_texts(rows));
  if (!made_) return {};
  return type_texts();
}

Result<void> PostgresNamedRows::put_texts(std::string& rows) {
  if (rows.empty()) return {};
  if (!made_) {
    const std::size_t columns = table_.resource.primary_key()->fields.size();
    TALLY_TRY(make_table(
        kTexts, "(" + listed(columns, " text") + "outcomes int2) ON COMMIT DROP"));
  }
  TALLY_TRY(copy(kTexts, rows));
  rows.clear();
  return {};
}

// Two texts that are one key in the table are one row.
Result<void> PostgresNamedRows::type_texts() {
  const std::vector<std::size_t>& fields = table_.resource.primary_key()->fields;
  std::string columns;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const PostgresColumn& column = table_.columns[fields[i]];
    columns += "(" + key_column(i) + "::" + column.type.name + ")";
    if (!column.sql_collation.empty()) columns += " COLLATE " + column.sql_collation;
    columns += " AS " + key_column(i) + ", ";
  }
  std::string places;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    places += (i == 0 ? "" : ", ") + std::to_string(i + 1);
  }
  TALLY_TRY(make_table(kIds, "ON COMMIT DROP AS SELECT " + columns +
                                 "bit_or(outcomes) AS outcomes FROM " +
                                 std::string(kTexts) + " GROUP BY " + places));
  has_ids_ = true;
  TALLY_TRY_ASSIGN(const auto count,
                   connection_.exec("SELECT count(*) FROM " + std::string(kIds)));
  named_ = static_cast<std::uint64_t>(count.integer(0, 0));
  return {};
}

// The planner must know how many there are.
Result<void> PostgresNamedRows::finish() {
  if (has_ranges_) TALLY_TRY(connection_.exec("ANALYZE " + std::string(kRanges)));
  if (has_ids_) TALLY_TRY(connection_.exec("ANALYZE " + std::string(kIds)));
  return {};
}

Result<void> PostgresNamedRows::show_to(const std::string& role) {
  if (role.empty()) return {};
  for (const auto& [has, name] :
       {std::pair(has_ranges_, kRanges), std::pair(has_ids_, kIds)}) {
    if (!has) continue;
    TALLY_TRY(connection_.exec("GRANT SELECT ON " + std::string(name) + " TO " +
                               db::postgres_quoted(role)));
  }
  return {};
}

// As n, with what a table of ranges has.
std::string PostgresNamedRows::ranges_sql() const {
  if (listed_.empty()) return std::string(kRanges) + " AS n";
  std::string rows;
  for (const NamedRange& range : listed_) {
    rows += (rows.empty() ? "(" : ", (") + postgres_integer(range.first) + ", " +
            postgres_integer(range.last) + ", " + std::to_string(range.outcomes) +
            "::int2, NULL::bytea)";
  }
  return "(VALUES " + rows + ") AS n (first, last, outcomes, each)";
}

std::string PostgresNamedRows::table_sql() const {
  return std::string(table_.has_children ? "ONLY " : "") + table_.sql_name + " AS t";
}

std::string PostgresNamedRows::first_key() const {
  const std::vector<std::size_t>& key = table_.resource.primary_key()->fields;
  return "t." + table_.columns[key.front()].sql_name;
}

std::string PostgresNamedRows::count_sql() const {
  CHECK(any());
  if (listed_.empty() || named_ <= kCountedTogether) {
    return "SELECT count(*) FROM (" + rows_sql({}) + ") AS r";
  }
  const std::uint64_t together = std::max(kCountedTogether, named_ / kListedMax + 1);
  std::string parts;
  for (const NamedRange& range : listed_) {
    for (std::uint64_t done = 0; done < range.size(); done += together) {
      const std::uint64_t size = std::min(range.size() - done, together);
      const auto first = range.first + static_cast<std::int64_t>(done);
      parts += (parts.empty() ? "" : " UNION ALL ") +
               ("SELECT count(*) AS counted FROM " + table_sql()) + " WHERE " +
               first_key() + " BETWEEN " + postgres_integer(first) + " AND " +
               postgres_integer(first + static_cast<std::int64_t>(size - 1));
    }
  }
  return "SELECT sum(counted)::int8 FROM (" + parts + ") AS part";
}

std::string PostgresNamedRows::rows_sql(std::span<const std::size_t> fields,
                                        bool with_key) const {
  CHECK(any());
  const std::vector<std::size_t>& key = table_.resource.primary_key()->fields;
  std::string select = "SELECT ";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    select += postgres_read_term(table_.columns[fields[i]], "t") + " AS c" +
              std::to_string(i) + ", ";
  }
  std::string match;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string& column = table_.columns[key[i]].sql_name;
    if (with_key) select += "t." + column + " AS " + key_column(i) + ", ";
    match += (i == 0 ? "t." : " AND t.") + column + " = n." + key_column(i);
  }
  const std::string rows = table_sql() + " JOIN ";
  const std::string id = first_key();
  // The planner does not see for itself that a part of a large table is enough.
  if (first_) {
    match += " AND " + id + " BETWEEN " + postgres_integer(*first_) + " AND " +
             postgres_integer(*last_);
  }
  std::string sql;
  if (has_ranges_ || !listed_.empty()) {
    sql = select + outcomes_of(id) + " AS outcomes FROM " + rows + ranges_sql() + " ON " +
          id + " BETWEEN n.first AND n.last AND " + is_named(id);
  }
  if (has_ranges_ && has_ids_) sql += " UNION ALL ";
  if (has_ids_) {
    sql += select + "n.outcomes FROM " + rows + std::string(kIds) + " AS n ON " + match;
  }
  return sql;
}

}  // namespace tallyman
