// Where a job's records may be written in sets, and into how many slices it may be cut.
//
// Pure functions of what the catalogue says. Threads: any.
#pragma once

#include <optional>
#include <string>

#include "target/postgres_write.h"
#include "target/target.h"

namespace tallyman {

// Why the job's records must be applied one by one; nothing: they may go in sets
// (postgres_job_writer.h states the condition).
std::optional<std::string> why_no_sets(const PostgresWrite& write);

// Slices may be written side by side where no record of one can meet a record of another
// in a unique key: none is touched, or one, and the slices are cut by it; and where a
// record's own writing is in nobody's hands but its own (why_in_file_order()).
Slicing slicing_of(const PostgresWrite& write);

// True where all jobs that are cut alike may write their slices side by side with slices
// of another number of other jobs: none of the records has a key but the one that the
// table's jobs meet at (the primary key; where that is made up for new rows, the first
// other unique key by name), or it has none at all.
bool meets_others_by_slice(const PostgresWrite& write);

}  // namespace tallyman
