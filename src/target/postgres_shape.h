// PostgresShape: which fields a record has, and what that means for its statements. The
// records of a CSV window all have one; those of JSON may have several.
//
// Plain values. Threads: any.
#pragma once

#include <cstddef>
#include <vector>

#include "target/postgres_window.h"
#include "target/postgres_write.h"

namespace tallyman {

struct PostgresShape {
  std::vector<std::size_t> sent;     // Columns of the upload.
  std::vector<std::size_t> written;  // Columns set in a row that is there.
  std::vector<std::size_t>
      defaults;                    // Table fields that a replace sets to their default.
  const Field* missing = nullptr;  // Required for an insert and not there.

  // The columns that are written and those of the key.
  std::vector<std::size_t> written_and_key(const WritePlan& plan) const;
};

PostgresShape shape_of(const PostgresWrite& write, const PostgresWindow& window,
                       std::size_t i);

// Equal for records of one shape.
void append_shape_name(const PostgresWindow& window, std::size_t i, std::string& into);

// SET ... of a row that is there, and whether it already is what the record would make
// it.
std::string assignments_of(const PostgresWrite& write, const PostgresShape& shape,
                           const ValueName& value);
std::string sameness_of(const PostgresWrite& write, const PostgresShape& shape,
                        const ValueName& value);

}  // namespace tallyman
