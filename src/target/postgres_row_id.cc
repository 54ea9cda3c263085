#include "target/postgres_row_id.h"

#include "base/json_writer.h"

namespace tallyman {

void append_row_id(const PostgresTable& table, std::span<const std::string_view> key,
                   std::string& into) {
  if (key.size() == 1) {
    into += key.front();
    return;
  }
  JsonWriter json(into);
  json.begin_array();
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::size_t field = table.resource.primary_key()->fields[i];
    if (table.columns[field].type.field_type == FieldType::kInteger) {
      json.raw(key[i]);
    } else {
      json.text(key[i]);
    }
  }
  json.end_array();
}

}  // namespace tallyman
