// SqliteRecordWriter: applies the records of one window, one after the other.
//
//   SqliteRecordWriter records(connection, write, window, {.direct = fast});
//   TALLY_TRY_ASSIGN(const Outcome outcome, records.apply(i));
//   if (outcome == Outcome::kFailed) records.refusal() or records.error()
//
// A keyed record is looked up first, so that a row that already is what was sent is not
// written, and no trigger fires for it. Where its key is the rowid, a delete, and an
// update whose statement leaves a row alone that is the same already, do not look first.
//
// Ownership: borrows everything; must die before the transaction ends.
// Threads:   one.
// Memory:    the prepared statements of at most kStatementSetsMax sets of fields.
// Errors:    what is no record's fault: busy, disk full, I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "model/outcome.h"
#include "target/sqlite_window.h"
#include "target/sqlite_write_sql.h"

namespace tallyman {

// What SQLite said when it refused a statement because of the record.
struct SqliteRefusal {
  enum class Statement : std::uint8_t { kInsert, kUpdate, kDelete };
  Statement statement = Statement::kInsert;
  int code = 0;      // Extended.
  std::string text;  // SQLite's words; they name tables and columns.
};

class SqliteRecordWriter {
 public:
  struct Options {
    // Delete and update by rowid without looking. REQUIRES: the key is the INTEGER
    // PRIMARY KEY, and nothing can swallow a statement.
    bool direct = false;
  };

  SqliteRecordWriter(db::SqliteConnection& connection, const SqliteWrite& write,
                     const SqliteWindow& window, Options options);

  Result<Outcome> apply(std::size_t i);

  // After kFailed: the database refused it, or `error()` is why.
  const std::optional<SqliteRefusal>& refusal() const { return refusal_; }
  const RecordError& error() const { return error_; }

  // After a success: is the row there (of a delete: still there)? A trigger may have
  // undone what the statement did.
  Result<bool> row_is_there();

  // Says of the record that a trigger swallowed it.
  Outcome not_applied();

  // The row's id after a success, by the table's row_id_kind.
  std::int64_t id_integer() const { return id_integer_; }
  std::string_view id_text() const { return id_text_; }

 private:
  static constexpr std::size_t kStatementSetsMax = 64;

  // The statements for records that have the same fields.
  struct Statements {
    std::vector<std::size_t> inserted;  // Columns.
    std::vector<std::size_t> written;   // Columns set in a row that is there.
    std::vector<std::size_t>
        defaults;                    // Table fields that a replace sets to their default.
    const Field* missing = nullptr;  // Required for an insert and not there.
    bool returning = false;
    std::optional<db::SqliteStatement> insert;
    std::optional<db::SqliteStatement> find;
    std::optional<db::SqliteStatement> update;
    std::optional<db::SqliteStatement> update_if_changed;
  };
  enum class Step : std::uint8_t { kRow, kDone, kRefused };

  Statements& statements_for(std::span<const BoundValue> values);
  void describe(std::span<const BoundValue> values, Statements& statements) const;
  bool is_sent(std::span<const BoundValue> values, std::size_t column) const;
  Result<void> prepare(std::optional<db::SqliteStatement>& statement,
                       const std::string& sql);
  Result<Step> step(db::SqliteStatement& statement, SqliteRefusal::Statement kind);

  Result<Outcome> insert(Statements& statements, std::span<const BoundValue> values);
  Result<Outcome> change(Statements& statements, std::span<const BoundValue> values);
  Result<Outcome> update(Statements& statements, std::span<const BoundValue> values);
  // Nothing: the row is not there or is the same already; change() tells which.
  Result<std::optional<Outcome>> update_directly(Statements& statements,
                                                 std::span<const BoundValue> values);
  Result<Outcome> remove(Statements& statements, std::span<const BoundValue> values);
  Result<Outcome> remove_directly(std::span<const BoundValue> values);
  Outcome fail(RecordErrorCode code, std::string field, std::string message);
  bool is_same(const Statements& statements, std::span<const BoundValue> values) const;
  void bind_row(db::SqliteStatement& statement, const Statements& statements, int place,
                std::span<const BoundValue> values) const;
  void take_id_of_insert(std::span<const BoundValue> values);
  void take_id_of_match(const Statements& statements, std::span<const BoundValue> values,
                        bool overlaid);
  void take_id(std::span<const BoundValue> key);

  db::SqliteConnection& connection_;
  const SqliteWrite& write_;
  const SqliteWindow& window_;
  const Options options_;
  const std::vector<std::size_t> id_fields_;
  // Places in the answer of SqliteWrite::find.
  const int ids_begin_;
  const int compared_begin_;
  // A NULL for the INTEGER PRIMARY KEY is one field less in a row that is there.
  const bool null_rowid_differs_;

  std::unordered_map<std::string, std::unique_ptr<Statements>> sets_;  // By signature.
  std::string signature_;
  std::string last_signature_;
  Statements* last_ = nullptr;
  std::optional<db::SqliteStatement> remove_;
  std::optional<db::SqliteStatement> look_;

  std::optional<SqliteRefusal> refusal_;
  RecordError error_{};
  std::int64_t rowid_ = 0;           // Where it has a name.
  bool last_was_unchanged_ = false;  // Then the next one may well be, too.
  std::int64_t id_integer_ = 0;
  std::string id_text_;
  std::vector<BoundValue> key_;
};

}  // namespace tallyman
