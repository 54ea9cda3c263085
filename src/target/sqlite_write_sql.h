// SqliteWrite: what a job writes into a SQLite table, and the statements for it.
//
// Parameters are ?1, ?2 ... in the order that each function says. A row that was found is
// named by its rowid, or, where that has no name, by the primary key, or by the job's
// key.
//
// A plain value; immutable once made.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/resource.h"
#include "target/sqlite_table.h"
#include "target/write_plan.h"

namespace tallyman {

struct SqliteWrite {
  Resource resource;
  SqliteTable table;
  WritePlan plan;
  // Of each column of the upload: its place in table.resource.fields.
  std::vector<std::size_t> places;
  // Fields that a replace sets to their default where a record lacks them (in
  // table.resource.fields): all that may be written, but for those of the keys.
  std::vector<std::size_t> replaceable;

  SqliteWrite(Resource the_resource, SqliteTable the_table, WritePlan the_plan);

  const Field& field(std::size_t column) const {
    return table.resource.fields[places[column]];
  }
  std::optional<std::size_t> column_of(std::size_t table_field) const;
  // "name" COLLATE "x", as the i-th column of a key is compared.
  std::string key_column(std::size_t key, std::size_t i) const;
  // The fields of the job's key: "a, b". REQUIRES: a keyed operation.
  std::string key_names() const;
  // The columns of the primary key that ids are made of, where they are not the rowid.
  std::vector<std::size_t> id_fields() const;

  // ?1 ... the columns. Gives the id_fields() back where `returning`.
  std::string insert(std::span<const std::size_t> columns, bool returning) const;

  // ?1 ... the key. Gives, in this order: the rowid (where it has a name), the
  // id_fields(), the fields to compare, and for each of `defaults` 1 where it has its
  // default and else 0.
  std::string find(std::span<const std::size_t> compared,
                   std::span<const std::size_t> defaults) const;

  // ?1 ... the columns, then the row's name. `defaults`: table fields set to their
  // default.
  std::string update(std::span<const std::size_t> columns,
                     std::span<const std::size_t> defaults) const;

  // The same, of a row in which at least one of the columns is another.
  std::string update_if_changed(std::span<const std::size_t> columns) const;

  // ?1 ... the row's name.
  std::string remove() const;

  // ?1 ... the row's name. A row where it is there.
  std::string look() const;

  // How rows that were found are named.
  enum class Locator { kRowid, kPrimaryKey, kJobKey };
  Locator locator() const;

 private:
  std::string conflict_clause() const;
  std::string where_row(std::size_t first_parameter) const;
  std::string where_key(std::size_t key, std::size_t first_parameter) const;
};

}  // namespace tallyman
