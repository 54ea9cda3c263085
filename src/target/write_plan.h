// WritePlan: what a job's columns mean for the resource: the header judged, names turned
// into places. The same for every database.
//
//   TALLY_TRY_ASSIGN(const WritePlan plan, plan_write(resource, spec));
//   resource.fields[plan.fields[column]]
//
// A plain value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/resource.h"
#include "target/target.h"

namespace tallyman {

struct WritePlan {
  Operation operation = Operation::kInsert;
  // WriteSpec::sparse: what a record must not have or lack is judged record by record.
  bool records_may_lack_fields = false;
  std::vector<std::size_t> fields;  // Of each column: its place in Resource::fields.
  std::vector<bool> bound;  // Of each column: is it looked at? (Delete: the key is.)
  std::vector<bool>
      written_on_match;  // Of each column: is it set in a row that is there?

  // Keyed operations: the key that rows are found by, in Resource::keys, and its columns
  // in the order of Key::fields.
  std::optional<std::size_t> key;
  std::vector<std::size_t> key_columns;

  // What makes two records of an upload the same for on_duplicate; nothing: no such key.
  std::optional<std::size_t> duplicate_key;
  std::vector<std::size_t> duplicate_columns;

  bool is_key_column(std::size_t column) const;
};

// Where the columns of an upload lie in the table, which may have more fields than the
// resource shows.
struct WrittenFields {
  std::vector<std::size_t> places;  // Of each column: in the table's fields.
  // Fields that a replace sets to their default where a record lacks them: all that may
  // be written, but for those of the keys.
  std::vector<std::size_t> replaceable;
};
WrittenFields written_fields(const WritePlan& plan, const Resource& resource,
                             const Resource& table);

// The fields of duplicate_columns: "a, b".
std::string duplicate_field_names(const WritePlan& plan, const Resource& resource);

// Errors (kInvalidArgument): an unknown column (with the nearest name), one that occurs
// twice or is read-only; a missing one (of the key; of an insert or replace what is
// required); unique_fields that are no key; update_fields that are no columns; no key for
// on_duplicate.
Result<WritePlan> plan_write(const Resource& resource, const WriteSpec& spec);

// kInvalidArgument where the table has a column that an insert must give and that the
// resource does not show.
Result<void> check_hidden_columns(const Resource& resource, const Resource& table);

}  // namespace tallyman
