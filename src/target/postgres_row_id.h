// How the ledger names a row of a PostgreSQL table: by its primary key, as text and back.
//
//   one integer column   the integer itself (RowIdKind::kInteger), never text
//   one other column     the value as text: ABC-1, 0.5, 2024-01-31T10:30:00Z, \x00ff
//   several columns      a JSON array: ["ABC-1", 41], with integers, decimals, floats and
//                        booleans as they are
//
// Texts are those of append_wire_text(); equal keys of a canonical type have equal ids.
// Of a type that is cast (PostgresWire::kCast) an id must be made of what the server says
// (RETURNING postgres_read_term()), as what was sent may be written otherwise.
//
// Threads: any.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/postgres_table.h"

namespace tallyman {

// SQL that gives a column in the form in which PostgresWindow holds it, when a result is
// asked for in binary: `alias`.column, as text where the type needs a cast (or pads).
std::string postgres_read_term(const PostgresColumn& column, std::string_view alias);

// Appends the id. REQUIRES: row_id_kind is kText; the wire form of each column of the
// primary key, in the key's order, none of them NULL.
void append_row_id(const PostgresTable& table, std::span<const std::string_view> key,
                   std::string& into);

// Of each column of the primary key a text that cast to its type (PostgresType::name) is
// the value; nothing where the id is none of append_row_id()'s.
std::optional<std::vector<std::string>> parse_row_id(const PostgresTable& table,
                                                     std::string_view id);

}  // namespace tallyman
