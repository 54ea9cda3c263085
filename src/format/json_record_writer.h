// A record as one line of JSON, whatever it came in as.
//
//   append_json_record(out, columns, batch.record(i));   // {"id":1,"name":"x"}
//
// Text becomes a JSON string, NULL null; numbers, true, false, objects and arrays are
// written with their own digits and letters (a line end between their tokens as a space).
// Absent fields are left out.
//
// Threads: free functions.
#pragma once

#include <span>
#include <string>

#include "model/record_batch.h"

namespace tallyman {

// One value. REQUIRES: cell.kind is not kAbsent.
void append_json_value(std::string& out, const Cell& cell);

// REQUIRES: columns.size() == cells.size().
void append_json_record(std::string& out, std::span<const std::string> columns,
                        std::span<const Cell> cells);

}  // namespace tallyman
