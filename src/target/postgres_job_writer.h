// PostgresJobWriter: writes a job's windows into a PostgreSQL table.
//
// The general path (PostgresRecordWriter) applies one record after the other, each in a
// savepoint. It is right for every table.
//
// The fast path (PostgresSetWriter) applies many records by a few statements. It is the
// same where a statement over many rows ends as one statement for each of them in file
// order would: no user's trigger, rule or row-level security takes part, no foreign key
// leads from the table to itself, no default has effects of its own; and for an operation
// by key: the key's equality is that of its bytes, and nothing that is written belongs to
// another unique key. Records of one key go in rounds, the k-th of each in round k. Where
// a set is refused, set-based checks find the bad records; what they do not find is
// looked for in smaller and smaller sets, in file order, down to single records on the
// general path.
//
// Keys are sorted within a statement, so that two writers lock rows in one order.
//
// Ids that a sequence gives are drawn when a window is bound, in file order, while
// another is being written; a record that fails uses one up, too.
//
// That the table is what the job was planned for is asked at the first unit, then once a
// second, whenever a set was refused, and at every unit of the general path.
//
// Units of parallel jobs take turns (advisory locks, to the end of the transaction):
// those that are cut by the key that the table's jobs meet at exclude one another slice
// by slice, all others one at a time. So a unit meets no key that another unit has in
// hand, and none waits for another in a circle.
//
// A job that acts as somebody is planned with the rights of that role, and every unit's
// statements run as it, from the lock on the table to the last check of what is deferred.
//
// Ownership: the database must outlive it.
// Threads: bind() in one, the rest in another.
// Errors:  kConflict     the table has changed since the job was planned
//          kUnavailable  try the unit again
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "model/unit.h"
#include "target/postgres_set_writer.h"
#include "target/postgres_window.h"
#include "target/postgres_write.h"
#include "target/target.h"

namespace tallyman {

class PostgresJobWriter final : public JobWriter {
 public:
  // REQUIRES: the resource is the table's.
  static Result<std::unique_ptr<PostgresJobWriter>> make(db::Database& database,
                                                         const Resource& resource,
                                                         PostgresTable table,
                                                         const WriteSpec& spec);

  std::unique_ptr<BoundWindow> bind(Window window, const SliceSet& slices) override;
  Slicing slicing() const override;
  Result<UnitOutcomes> write(db::Transaction& transaction, const BoundWindow& window,
                             SliceNumber slice, const WriteOptions& options) override;
  Result<std::unique_ptr<KeyTable>> make_key_table(const std::string& path) override;

 private:
  class Unit;

  PostgresJobWriter(db::Database& database, PostgresWrite write, PostgresBinder binder,
                    const WriteSpec& spec);
  // Where that fails write() draws them, or says what is wrong.
  void draw_ahead(PostgresWindow& window) const;
  Result<UnitOutcomes> write_unit(db::PostgresConnection& connection,
                                  const PostgresWindow& window, SliceNumber slice,
                                  const WriteOptions& options);
  // Waits until no unit of another job that this one could meet is being written.
  Result<void> take_turn(db::PostgresConnection& connection, std::uint32_t slices,
                         SliceNumber slice);
  // Locks the table against changes of its definition.
  Result<void> lock_table(db::PostgresConnection& connection);
  std::string lock_sql() const;
  Result<void> check_table(db::PostgresConnection& connection);
  Error changed() const;

  db::Database& database_;
  const PostgresWrite write_;
  const PostgresBinder binder_;
  const OnDuplicate on_duplicate_;
  const ActingAs acting_;
  const bool parallel_;
  const bool in_turns_;    // How its slices are cut, if by the key.
  const bool by_slice_;    // Of a parallel job: it meets others slice by slice.
  const bool one_by_one_;  // The general path alone.
  std::chrono::steady_clock::time_point checked_at_{};
  PostgresSetWriter::Habits habits_;
  // Sets that are still to be checked before they are written, since one was refused.
  int suspicion_ = 0;
};

}  // namespace tallyman
