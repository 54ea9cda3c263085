// JobRows: the rows of a job, one after the other, for an aggregate function of your own.
//
//   app.resource("transactions").aggregate("largest", [](tallyman::JobRows& rows) {
//     std::int64_t count = 0;
//     while (rows.next()) ++count;
//     return tallyman::Json::integer(count);
//   });
//
// The rows are the distinct rows that the job's created, updated and unchanged records
// name, in one snapshot. Never more than one row is in memory.
//
// Threads: one; the function that it is given to.
// Errors:  a lost database ends the rows early (next() is false) and the aggregate is
//          reported as failed, whatever the function returns.
#pragma once

#include <string_view>

#include "tallyman/value.h"

namespace tallyman {

class JobRows {
 public:
  virtual ~JobRows() = default;

  // Goes to the next row; false when there is none.
  virtual bool next() = 0;

  // The value of a field of the present row; lives until the next next().
  // Throws std::out_of_range where the resource has no such field.
  virtual Value value(std::string_view field) const = 0;
};

}  // namespace tallyman
