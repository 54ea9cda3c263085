// PostgresWrite: what a job writes into a PostgreSQL table, and the pieces of SQL for it.
//
// Values stand in statements under a name that the caller gives: "$3" where one record is
// written, "d.tallyman_3" where many are (the upload's column 3, as PostgresArrays calls
// it).
//
// A plain value; immutable once made. Threads: any.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/resource.h"
#include "target/postgres_table.h"
#include "target/postgres_window.h"
#include "target/write_plan.h"

namespace tallyman {

// What a value is called in a statement.
using ValueName = std::function<std::string(std::size_t column)>;

struct PostgresWrite {
  Resource resource;
  PostgresTable table;
  WritePlan plan;
  // Of each column of the upload: its place in table.resource.fields.
  std::vector<std::size_t> places;
  // Fields that a replace sets to their default where a record lacks them (in
  // table.resource.fields): all that may be written, but for those of the keys.
  std::vector<std::size_t> replaceable;
  // Of the primary key, in table.resource.fields; empty: rows have no name.
  std::vector<std::size_t> id_fields;

  PostgresWrite(Resource the_resource, PostgresTable the_table, WritePlan the_plan);

  const Field& field(std::size_t column) const {
    return table.resource.fields[places[column]];
  }
  const PostgresColumn& column(std::size_t column) const {
    return table.columns[places[column]];
  }
  const PostgresType& type(std::size_t column) const { return this->column(column).type; }
  std::optional<std::size_t> column_of(std::size_t table_field) const;
  // The table in UPDATE, DELETE and FROM: without the rows of tables that inherit from
  // it.
  std::string rows() const;
  // The fields of the job's key: "a, b". REQUIRES: a keyed operation.
  std::string key_names() const;
  std::string field_names(std::span<const std::size_t> table_fields) const;

  // "\"a\", \"b\"": of columns of the upload.
  std::string names(std::span<const std::size_t> columns) const;
  // The value as it is assigned to its column: cast where it went as text.
  std::string assigned(std::size_t column, const std::string& value) const;
  // t."a" = value AND ...: the row that has the job's key. With the key's predicate where
  // it is partial.
  std::string has_key(const ValueName& value) const;
  // True where each of the columns already holds the value, image by image.
  std::string is_same(std::span<const std::size_t> columns, const ValueName& value) const;
  // "a" = value, ...
  std::string assignments(std::span<const std::size_t> columns,
                          const ValueName& value) const;
  // t."id", ...: the primary key's columns, for a binary result, as append_row_id() takes
  // them; "NULL" where rows have no name.
  std::string ids() const;

 private:
  std::string image(std::size_t column, const std::string& value) const;
};

// True where every evaluation of a default gives the same value.
bool is_constant_postgres_default(std::string_view default_sql);

}  // namespace tallyman
