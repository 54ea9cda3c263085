// Aggregates over the rows of a job in a PostgreSQL table.
//
// What SQL computes exactly is computed there, one statement for all aggregates that are
// grouped alike: counts, sums of integers and numerics (numeric throughout), least and
// greatest values, distinct values. Sums of floats, which must be correctly rounded
// whatever the order, are added up here from a cursor; so are the groups' averages
// (rounded as on every database). Each function of the embedding program has a pass of
// its own, in the key's order.
//
// Texts are grouped, ordered and told apart by their bytes, whatever their collation.
//
// Errors: of the database. What is wrong with one aggregate is its own result.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "target/postgres_table.h"
#include "target/target.h"

namespace tallyman {

// REQUIRES: the connection is in a transaction with one snapshot.
Result<std::vector<AggregateResult>> aggregate_postgres(
    db::PostgresConnection& connection, const PostgresTable& table,
    const Resource& resource, std::span<const AggregateSpec> specs,
    const RowIdSourceMaker& ids, const ActingAs& acting);

Result<Target::Presence> count_present_postgres(db::PostgresConnection& connection,
                                                const PostgresTable& table,
                                                const RowIdSourceMaker& ids,
                                                const ActingAs& acting);

}  // namespace tallyman
