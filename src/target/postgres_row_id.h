#pragma once

#include <span>
#include <string>
#include <string_view>

#include "target/postgres_table.h"

namespace tallyman {

// Appends the id. REQUIRES: row_id_kind is kText; `key`: the text of each column of the
// primary key.
void append_row_id(const PostgresTable& table, std::span<const std::string_view> key,
                   std::string& into);

}  // namespace tallyman
