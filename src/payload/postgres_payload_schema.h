// The tables of PostgresPayloadStore, in schema `tallyman`: made, and brought to this
// version.
//
//   payload         a row for each job: its state (payload_state.h; null until the first
//                   checkpoint) and the number of the writer that may change it
//   payload_chunk   its bytes, by the place of the first (payload_chunk.h)
//   payload_place   one row: where the uploads lie (postgres_payload_place.h)
//   payload_piece   its index: entries (payload_state.h), by the number of the first
//
// What a crash leaves past the state does not count; the next writer removes it.
//
// Safe to run by any number of processes at once, and twice; changes nothing, and needs
// no right to, where the tables are of this version.
//
// Errors: kInvalidArgument  the tables are of a newer version, or the role may not make
//                           them
#pragma once

#include "base/result.h"
#include "db/database.h"

namespace tallyman {

Result<void> prepare_postgres_payload_schema(db::Database& database);

}  // namespace tallyman
