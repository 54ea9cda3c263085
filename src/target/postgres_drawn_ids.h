// DrawnIds: values for columns of the primary key that records do not bring, made by the
// database before they are written: so each record's id is known without being asked for.
//
//   TALLY_TRY_ASSIGN(const auto drawn, draw_ids(connection, write, shape.sent, 10'000));
//   if (!drawn) ... the database refused, or cannot tell before
//   drawn->front().wires.wire(17)
//
// Values of a sequence are never given twice, whatever becomes of the transaction that
// took them: they may be drawn in one, and used in another.
//
// Threads: any; the values are plain. Memory: 12 bytes an integer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "target/postgres_window.h"
#include "target/postgres_write.h"

namespace tallyman {

// `sent`: columns of the upload that the records have. Nothing where the database makes a
// value only as it writes the row, or said no.
Result<std::optional<std::vector<DrawnIds>>> draw_ids(db::PostgresConnection& connection,
                                                      const PostgresWrite& write,
                                                      std::span<const std::size_t> sent,
                                                      std::size_t count);

// True where no record of the job brings its id, and all are taken from a sequence.
bool may_draw_ahead(const PostgresWrite& write);

// Those of some of the records.
std::vector<DrawnIds> ids_of(std::span<const DrawnIds> drawn,
                             std::span<const std::uint32_t> records);

}  // namespace tallyman
