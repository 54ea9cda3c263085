// How the ledger names a row of a SQLite table: by its primary key, as text and back.
//
//   one integer column        the integer itself (RowIdKind::kInteger), never text
//   one other column          the value as text: ABC-1, 0.5, \x00ff; of a column without
//   a
//                             type as a JSON scalar, so that 41 and "41" stay two
//   several columns           a JSON array: ["ABC-1", 41]
//
// Threads: any.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/sqlite_table.h"
#include "target/sqlite_value.h"

namespace tallyman {

// Appends the id. REQUIRES: row_id_kind is kText; one value for each column of the
// primary key, none of them absent.
void append_row_id(const SqliteTable& table, std::span<const BoundValue> key,
                   std::string& into);

// The values of the primary key's columns that an id stands for; nothing where it is none
// of append_row_id()'s. They point into `arena` and `text`.
std::optional<std::vector<BoundValue>> parse_row_id(const SqliteTable& table,
                                                    std::string_view text,
                                                    std::deque<std::string>& arena);

// A column of the row at hand; its text is good until the next step or reset.
BoundValue stored_value(const db::SqliteStatement& row, int place);

}  // namespace tallyman
