#include "target/postgres_arrays.h"

namespace tallyman {

PostgresArrays::PostgresArrays(const PostgresWrite& write, const PostgresWindow& window,
                               std::span<const std::size_t> columns,
                               std::span<const std::uint32_t> records) {
  db::PostgresArray places(db::kInt4Oid);
  std::string wire;
  for (std::uint32_t i = 0; i < records.size(); ++i) {
    wire.clear();
    db::append_wire32(wire, i);
    places.add(wire);
  }
  push("pg_catalog.int4", db::kInt4ArrayOid, std::move(places), "tallyman_at");
  for (const std::size_t column : columns) {
    const PostgresType& type = write.type(column);
    db::PostgresArray array(type.wire_oid);
    for (const std::uint32_t record : records) {
      if (window.state(column, record) == CellState::kValue) {
        array.add(window.wire(column, record));
      } else {
        array.add_null();
      }
    }
    push(type.wire_name, type.wire_array_oid, std::move(array),
         "tallyman_" + std::to_string(column));
  }
}

std::string PostgresArrays::add(const PostgresType& type, const PostgresCells& wires) {
  db::PostgresArray array(type.wire_oid);
  for (std::size_t i = 0; i < wires.size(); ++i) array.add(wires.wire(i));
  const std::string name = "tallyman_x" + std::to_string(names_.size());
  push(type.wire_name, type.wire_array_oid, std::move(array), name);
  return "d." + name;
}

void PostgresArrays::push(const std::string& type_name, db::Oid array_oid,
                          db::PostgresArray array, std::string name) {
  arrays_.push_back(std::move(array));
  params_.add_view(array_oid, arrays_.back().wire());
  parameters_.push_back("$" + std::to_string(params_.size()) + "::" + type_name + "[]");
  names_.push_back(std::move(name));
}

// Not FROM unnest($1, $2): that puts each array into a table first, and took nearly three
// times as long.
std::string PostgresArrays::from() const {
  std::string columns;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    columns += (i == 0 ? "" : ", ") + ("pg_catalog.unnest(" + parameters_[i] + ") AS ") +
               names_[i];
  }
  return "(SELECT " + columns + ") AS d";
}

}  // namespace tallyman
