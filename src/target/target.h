// Target: the user's tables. Reads what they are, and writes units of records into them.
//
//   TALLY_TRY_ASSIGN(Table table, target.introspect("transactions"));
//   TALLY_TRY_ASSIGN(auto writer, target.make_writer(resource, spec));
//   auto bound = writer->bind(window, slices);               // no database: any thread
//   TALLY_TRY_ASSIGN(auto outcomes, writer->write(transaction, *bound, slice, options));
//
// The oracle: outcomes and rows are those of applying the records one at a time, in file
// order, each in its own savepoint. The general path is that; each faster path states its
// condition. One code per record, the first that applies: what could not be read, binding
// errors, NOT NULL, CHECK (by name), foreign keys, then unique keys (by name).
//
// Implementations: SqliteTarget. All pass target/target_conformance.h.
//
// Threads: Target: any. A writer's bind() may run in one thread while its write() runs in
//          another; each of them in one thread at a time.
// Errors:  kNotFound         no such table
//          kInvalidArgument  a view, no key, an unknown field: names it and the nearest
//          kUnavailable      try the unit again
//          kConflict         the table's definition is not what the plan was made for
//          kForbidden        the role that a job acts as is not to be had
//                            (ROLE_NOT_AVAILABLE), or lacks a privilege
//                            (ROLE_NOT_ALLOWED): names it and the next step
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "model/acting_as.h"
#include "model/aggregate.h"
#include "model/job.h"
#include "model/record_batch.h"
#include "model/resource.h"
#include "model/unit.h"

namespace tallyman {

// Records that stand one after the other in one batch.
struct WindowPart {
  std::shared_ptr<const RecordBatch> batch;
  std::size_t begin = 0;  // Records [begin, end) of the batch.
  std::size_t end = 0;
};

// A contiguous run of records that is bound and written together.
struct Window {
  WindowNumber number{0};
  RecordNumber first_record{1};
  std::vector<WindowPart> parts;  // In file order.
  std::size_t record_count = 0;
  std::uint64_t bytes = 0;  // Of its records' text and cells.
};

// Slices by the key in which neighbouring keys take turns, where rows are changed or jobs
// are parallel: such a job has a multiple of them.
inline constexpr std::uint32_t kSliceTurns = 8;

// How a job's records may be shared out among slices that are written side by side.
struct Slicing {
  enum class By : std::uint8_t {
    kNothing,  // All in one, in file order.
    kPlace,    // A window's records in contiguous parts: no two of them can conflict.
    kKey,      // By the key: all records of a key are in one slice.
  };
  By by = By::kNothing;
  // What the records of a slice are told by: as long as it is the same, a job that was
  // cut into slices may go on.
  std::string signature;
  std::string reason;  // kNothing, for people: why; empty where no table could be better.
};

// Some of the slices that a job's windows are cut into.
struct SliceSet {
  std::uint32_t of = 1;                              // How many slices there are.
  std::vector<SliceNumber> mine = {SliceNumber(0)};  // Ascending.
};

// A window's records in the form that the database takes them; opaque. Keeps the text of
// the batches alive, not their cells.
class BoundWindow {
 public:
  virtual ~BoundWindow() = default;
  virtual std::size_t size() const = 0;  // Records, of the slices it was bound for.
  virtual std::size_t failed_binding()
      const = 0;  // Records that already have their error.
};

// Which keys occur more than once in an upload, and what became of them: on disk, so that
// it may be as large as the upload. For on_duplicate other than kSequence, and for retry.
class KeyTable {
 public:
  virtual ~KeyTable() = default;

  // Windows are bound whole here: a job with a key table has one slice.
  //
  // Notes the keys of a window's records (of those that could be bound).
  virtual Result<void> add(const BoundWindow& window) = 0;

  // Notes which of a window's records took effect (after their unit was committed, or
  // when a job is resumed from its ledger). REQUIRES: add() was called for the window.
  virtual Result<void> add_applied(const BoundWindow& window,
                                   const UnitOutcomes& outcomes) = 0;

  struct Occurrences {
    std::uint64_t count =
        0;  // 0: the record has no key (it could not be bound, or NULL).
    std::int64_t first_record = 0;
    std::int64_t last_record = 0;
    std::int64_t last_applied_record = 0;  // 0: none.
  };
  // One for each record of the window.
  virtual Result<std::vector<Occurrences>> find(const BoundWindow& window) = 0;
};

// What a job's records mean for the table.
struct WriteSpec {
  Operation operation = Operation::kInsert;
  // Names of the batches' columns, in their order.
  std::vector<std::string> columns;
  // JSON: the columns are all of the resource's fields (read-only ones too), and a record
  // may lack some (kAbsent). Else (CSV) every record has every column, and the columns
  // are judged by make_writer().
  bool sparse = false;
  std::vector<std::string> unique_fields;  // Empty: the primary key.
  std::optional<std::vector<std::string>> update_fields;
  OnDuplicate on_duplicate = OnDuplicate::kSequence;
  bool general_path = false;  // Never take a faster path.
  ActingAs acting;            // As whom records are written.
  // Other jobs may write the table at the same time. Units that could meet at a key take
  // turns, so each is as if it were alone.
  bool parallel = false;
};

struct WriteOptions {
  // The unit ends with the record that is the (failures_max + 1)th failed one.
  std::optional<std::uint64_t> failures_max;
  KeyTable* keys = nullptr;  // For on_duplicate other than kSequence.
};

class JobWriter {
 public:
  virtual ~JobWriter() = default;

  // Records that fail get their error here; of each the first of: what the reader found;
  // in the columns' order, a field that may not be written, type, range, length, choices,
  // pattern, validators; what is required (the key, and of an insert or replace all that
  // has no default); NULL where none may be.
  virtual std::unique_ptr<BoundWindow> bind(Window window, const SliceSet& slices) = 0;

  // Into how many slices the job may be cut.
  virtual Slicing slicing() const = 0;

  // Writes a window's records of one slice; nothing is committed. An upsert, update or
  // replace looks its row up: a row that already is what was sent is unchanged, and not
  // written. The result has an outcome for each of its records in order, or for fewer
  // where failures_max was passed (then the last one is the one that passed it). kLost
  // where a trigger rolled the whole transaction back: roll back and call write() again
  // in a new one; the writer remembers the record and fails it. REQUIRES: the window was
  // bound for the slice.
  virtual Result<UnitOutcomes> write(db::Transaction& transaction,
                                     const BoundWindow& window, SliceNumber slice,
                                     const WriteOptions& options) = 0;

  // A new, empty table in the file `path` (made anew).
  virtual Result<std::unique_ptr<KeyTable>> make_key_table(const std::string& path) = 0;
};

// Gives the ids of a job's rows, a unit after the other; false at the end.
using RowIdSource = std::function<Result<bool>(UnitOutcomes& into)>;
// Starts over from the first unit at each call.
using RowIdSourceMaker = std::function<RowIdSource()>;

struct AggregateResult {
  std::string name;
  std::string value;  // JSON; empty where it failed.
  std::string error;  // Why it failed; else empty.
};

class Target {
 public:
  virtual ~Target() = default;

  // kForbidden where nobody can act as that here; kInvalidArgument where the database has
  // no roles (SQLite) and `as` is somebody.
  virtual Result<void> check_acting(const ActingAs& as) = 0;

  // The table as the database describes it, as a resource without rules: name = table, no
  // operations, no aggregates.
  virtual Result<Resource> introspect(std::string_view table) = 0;

  // Tables that can be exposed, by name.
  virtual Result<std::vector<std::string>> tables() = 0;

  // Judges the columns: unknown, duplicate, read-only, missing ones (the key's, and for
  // insert the required) are kInvalidArgument (names the column and the nearest name).
  // Where they are sparse nothing is missing or read-only here: each record is judged by
  // what it has.
  virtual Result<std::unique_ptr<JobWriter>> make_writer(const Resource& resource,
                                                         const WriteSpec& spec) = 0;

  // All of the aggregates in the one snapshot `transaction`, over the distinct rows that
  // the ledger names, read as `acting`. One that fails leaves the others standing. After
  // an error the transaction is to be rolled back.
  virtual Result<std::vector<AggregateResult>> aggregate(
      db::Transaction& transaction, const Resource& resource,
      std::span<const AggregateSpec> specs, const RowIdSourceMaker& ids,
      const ActingAs& acting) = 0;

  // How many of the rows that created, updated and unchanged records name are there, and
  // how many distinct ones are named: equal, or the job is not verified.
  struct Presence {
    std::uint64_t named = 0;
    std::uint64_t present = 0;
  };
  virtual Result<Presence> count_present(db::Transaction& transaction,
                                         const Resource& resource,
                                         const RowIdSourceMaker& ids,
                                         const ActingAs& acting) = 0;
};

}  // namespace tallyman
