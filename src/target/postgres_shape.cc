#include "target/postgres_shape.h"

#include <algorithm>

namespace tallyman {

std::vector<std::size_t> PostgresShape::written_and_key(const WritePlan& plan) const {
  std::vector<std::size_t> all = written;
  for (const std::size_t key : plan.key_columns) {
    if (std::find(all.begin(), all.end(), key) == all.end()) all.push_back(key);
  }
  return all;
}

PostgresShape shape_of(const PostgresWrite& write, const PostgresWindow& window,
                       std::size_t i) {
  const std::vector<Field>& fields = write.table.resource.fields;
  PostgresShape shape;
  std::vector<bool> there(fields.size());
  for (std::size_t column = 0; column < window.columns(); ++column) {
    if (window.state(column, i) == CellState::kAbsent) continue;
    there[write.places[column]] = true;
    shape.sent.push_back(column);
    if (write.plan.written_on_match[column]) shape.written.push_back(column);
  }
  for (const std::size_t place : write.replaceable) {
    if (!there[place]) shape.defaults.push_back(place);
  }
  for (std::size_t place = 0; place < fields.size(); ++place) {
    if (!there[place] && fields[place].required()) {
      shape.missing = &fields[place];
      break;
    }
  }
  return shape;
}

void append_shape_name(const PostgresWindow& window, std::size_t i, std::string& into) {
  for (std::size_t column = 0; column < window.columns(); ++column) {
    into += window.state(column, i) == CellState::kAbsent ? '0' : '1';
  }
}

std::string assignments_of(const PostgresWrite& write, const PostgresShape& shape,
                           const ValueName& value) {
  std::string text = write.assignments(shape.written, value);
  for (const std::size_t place : shape.defaults) {
    text +=
        (text.empty() ? "" : ", ") + write.table.columns[place].sql_name + " = DEFAULT";
  }
  return text;
}

std::string sameness_of(const PostgresWrite& write, const PostgresShape& shape,
                        const ValueName& value) {
  std::string text = write.is_same(shape.written, value);
  for (const std::size_t place : shape.defaults) {
    const PostgresColumn& column = write.table.columns[place];
    const std::string& default_sql = write.table.resource.fields[place].default_sql;
    if (!is_constant_postgres_default(default_sql)) {
      text += " AND false";
    } else if (default_sql.empty()) {
      text += " AND t." + column.sql_name + " IS NULL";
    } else {
      text += " AND pg_catalog.record_image_eq(ROW(t." + column.sql_name +
              "::" + column.type.name + "), ROW((" + default_sql +
              ")::" + column.type.name + "))";
    }
  }
  return text;
}

}  // namespace tallyman
