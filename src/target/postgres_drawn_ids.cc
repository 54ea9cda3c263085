#include "target/postgres_drawn_ids.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "db/postgres_params.h"

namespace tallyman {
namespace {

// So many values are made by a row: a row for each took the server half as long again.
constexpr std::size_t kValuesOfARow = 16;

// SQL of a query of as many rows as the parameter says. Counted as they are made, where
// FROM would first put all the numbers into a table.
std::string rows_of(const std::string& value, const std::string& parameter) {
  return "SELECT " + value + " FROM (SELECT pg_catalog.generate_series(1, " + parameter +
         "::bigint)) AS each";
}

bool is_sent(const PostgresWrite& write, std::size_t place,
             std::span<const std::size_t> sent) {
  const auto column = write.column_of(place);
  return column && std::ranges::find(sent, *column) != sent.end();
}

bool is_fed_by_sequence(const PostgresWrite& write) {
  return write.table.sequence && write.id_fields.size() == 1;
}

// SQL that makes a value of a column of the key; empty: there is none.
std::string source_of(const PostgresWrite& write, std::size_t place) {
  if (is_fed_by_sequence(write)) {
    return "pg_catalog.nextval(" + db::postgres_literal(write.table.sequence->sql_name) +
           ")";
  }
  return write.table.resource.fields[place].default_sql;
}

}  // namespace

Result<std::optional<std::vector<DrawnIds>>> draw_ids(db::PostgresConnection& connection,
                                                      const PostgresWrite& write,
                                                      std::span<const std::size_t> sent,
                                                      std::size_t count) {
  std::vector<DrawnIds> all;
  for (const std::size_t place : write.id_fields) {
    if (is_sent(write, place, sent)) continue;
    const std::string source = source_of(write, place);
    const PostgresType& type = write.table.columns[place].type;
    if (source.empty() || type.needs_cast())
      return std::optional<std::vector<DrawnIds>>();
    db::PostgresParams params;
    params.add(count / kValuesOfARow);
    params.add(count % kValuesOfARow);
    const std::string value = "(" + source + ")::" + type.name;
    std::string values = value;
    for (std::size_t i = 1; i < kValuesOfARow; ++i) values += ", " + value;
    const auto rows = connection.execute_params(
        "SELECT ARRAY (" + rows_of("ARRAY[" + values + "]", "$1") + "), ARRAY (" +
            rows_of(value, "$2") + ")",
        params, true);
    if (!rows.ok()) {
      if (db::is_passing(connection.failure())) return rows.error();
      return std::optional<std::vector<DrawnIds>>();
    }
    DrawnIds drawn{.place = place, .wires = {}};
    drawn.wires.reserve(count);
    for (const int column : {0, 1}) {
      const std::string_view array = rows.value().text(0, column);
      if (db::has_null_element(array)) return std::optional<std::vector<DrawnIds>>();
      db::for_each_element(array, [&](std::string_view wire) { drawn.wires.add(wire); });
    }
    CHECK(drawn.wires.size() == count);
    all.push_back(std::move(drawn));
  }
  return std::optional(std::move(all));
}

bool may_draw_ahead(const PostgresWrite& write) {
  return write.plan.operation == Operation::kInsert && is_fed_by_sequence(write) &&
         !write.column_of(write.id_fields.front());
}

std::vector<DrawnIds> ids_of(std::span<const DrawnIds> drawn,
                             std::span<const std::uint32_t> records) {
  std::vector<DrawnIds> some;
  for (const DrawnIds& all : drawn) {
    DrawnIds& these = some.emplace_back(DrawnIds{.place = all.place, .wires = {}});
    these.wires.reserve(records.size());
    for (const std::uint32_t i : records) these.wires.add(all.wires.wire(i));
  }
  return some;
}

}  // namespace tallyman
