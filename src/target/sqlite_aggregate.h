// Aggregates over the rows of a job in a SQLite table.
//
// All built-in ones share one pass over the rows, reading only the columns they need;
// each function of the embedding program has a pass of its own.
//
// What SQLite stores as REAL in a decimal column is read back rounded to the declared
// scale (to 15 significant digits where none is declared).
//
// Errors: of the database. What is wrong with one aggregate is its own result.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "target/sqlite_table.h"
#include "target/target.h"

namespace tallyman {

Result<std::vector<AggregateResult>> aggregate_sqlite(
    db::SqliteConnection& connection, const SqliteTable& table, const Resource& resource,
    std::span<const AggregateSpec> specs, const RowIdSourceMaker& ids);

}  // namespace tallyman
