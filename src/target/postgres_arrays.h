// PostgresArrays: columns of many records as parameters, a binary array each, and what
// they are called where they stand in FROM.
//
//   PostgresArrays arrays(write, window, columns, records);
//   "... FROM " + arrays.from() + " WHERE t.id = " + arrays.value(0)
//   connection.execute_params(sql, arrays.params());
//
// from() is: (SELECT unnest($1::bigint[]) AS tallyman_0, ...) AS d, with as many rows as
// there are records; tallyman_at is the record's place in `records`. The names are
// nobody's columns.
//
// Ownership: keeps the arrays that params() points to.
// Threads:   one. Memory: a copy of the values.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "db/postgres_params.h"
#include "target/postgres_window.h"
#include "target/postgres_write.h"

namespace tallyman {

class PostgresArrays {
 public:
  PostgresArrays(const PostgresWrite& write, const PostgresWindow& window,
                 std::span<const std::size_t> columns,
                 std::span<const std::uint32_t> records);

  // More columns, not of the upload. Returns the name.
  std::string add(const PostgresType& type, const PostgresCells& wires);

  std::string from() const;
  static std::string value(std::size_t column) {
    return "d.tallyman_" + std::to_string(column);
  }
  static std::string place() { return "d.tallyman_at"; }
  const db::PostgresParams& params() const { return params_; }

 private:
  void push(const std::string& type_name, db::Oid array_oid, db::PostgresArray array,
            std::string name);

  std::deque<db::PostgresArray> arrays_;
  std::vector<std::string> parameters_;  // "$1::bigint[]"
  std::vector<std::string> names_;
  db::PostgresParams params_;
};

}  // namespace tallyman
