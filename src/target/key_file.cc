#include "target/key_file.h"

#include <filesystem>
#include <system_error>

#include "base/join.h"
#include "target/sqlite_sql.h"

namespace tallyman {
namespace {

using db::SqliteConnection;
using db::SqliteStatement;

std::string column_name(std::size_t i) { return "k" + std::to_string(i); }

std::string definition(const std::vector<std::string>& types) {
  std::vector<std::string> columns;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < types.size(); ++i) {
    columns.push_back(column_name(i) + " " + types[i]);
    names.push_back(column_name(i));
  }
  return "CREATE TABLE keys (" + join(columns, ", ") +
         ", records INTEGER, first INTEGER, last INTEGER, applied INTEGER, PRIMARY KEY "
         "(" +
         join(names, ", ") + ")) WITHOUT ROWID";
}

void remove_files(const std::string& path) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(path + suffix, ignored);
  }
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> KeyFile::make_file(
    const std::string& path, const std::vector<std::string>& types) {
  remove_files(path);
  TALLY_TRY_ASSIGN(
      auto connection,
      SqliteConnection::open({.path = path, .create = true, .cache_bytes = 16ULL << 20}));
  TALLY_TRY(
      connection->exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; "
                       "PRAGMA locking_mode = EXCLUSIVE"));
  TALLY_TRY(connection->exec(definition(types).c_str()));
  return connection;
}

KeyFile::~KeyFile() { remove_files(path_); }

std::string KeyFile::where_key(std::size_t first_parameter) const {
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < columns_; ++i) {
    terms.push_back(column_name(i) + " = ?" + std::to_string(first_parameter + i));
  }
  return " WHERE " + join(terms, " AND ");
}

template <class Work>
Result<void> KeyFile::in_transaction(Work&& work) {
  TALLY_TRY(connection_->exec("BEGIN"));
  if (auto done = work(); !done.ok()) {
    (void)connection_->exec("ROLLBACK").ok();
    return done;
  }
  return connection_->exec("COMMIT");
}

Result<void> KeyFile::add(const BoundWindow& window) {
  std::vector<std::string> parameters;
  for (std::size_t i = 0; i <= columns_; ++i) {
    parameters.push_back("?" + std::to_string(i + 1));
  }
  const std::string number = parameters.back();
  parameters.pop_back();
  const std::int64_t first = first_record(window).value();
  TALLY_TRY_ASSIGN(auto update,
                   connection_->prepare(
                       "UPDATE keys SET records = records + 1, first = min(first, " +
                       number + "), last = max(last, " + number + ")" + where_key(1)));
  TALLY_TRY_ASSIGN(auto insert, connection_->prepare("INSERT INTO keys VALUES (" +
                                                     join(parameters, ", ") + ", 1, " +
                                                     number + ", " + number + ", 0)"));
  return in_transaction([&]() -> Result<void> {
    for (std::size_t i = 0; i < window.size(); ++i) {
      const int place = static_cast<int>(columns_) + 1;
      if (!bind_key(window, i, update, 1)) continue;
      update.bind_integer(place, first + static_cast<std::int64_t>(i));
      TALLY_TRY(update.run());
      if (connection_->changes() != 0) continue;
      bind_key(window, i, insert, 1);
      insert.bind_integer(place, first + static_cast<std::int64_t>(i));
      TALLY_TRY(insert.run());
    }
    return {};
  });
}

Result<void> KeyFile::add_applied(const BoundWindow& window,
                                  const UnitOutcomes& outcomes) {
  TALLY_TRY_ASSIGN(
      auto update,
      connection_->prepare("UPDATE keys SET applied = max(applied, ?1)" + where_key(2)));
  return in_transaction([&]() -> Result<void> {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (!is_success(outcomes.outcomes[i])) continue;
      const std::int64_t number = outcomes.record(i).value();
      const std::int64_t place = number - first_record(window).value();
      CHECK(place >= 0 && static_cast<std::size_t>(place) < window.size());
      if (!bind_key(window, static_cast<std::size_t>(place), update, 2)) continue;
      update.bind_integer(1, number);
      TALLY_TRY(update.run());
    }
    return {};
  });
}

Result<std::vector<KeyTable::Occurrences>> KeyFile::find(const BoundWindow& window) {
  TALLY_TRY_ASSIGN(auto find,
                   connection_->prepare("SELECT records, first, last, applied FROM keys" +
                                        where_key(1)));
  std::vector<Occurrences> found(window.size());
  TALLY_TRY(in_transaction([&]() -> Result<void> {
    for (std::size_t i = 0; i < window.size(); ++i) {
      if (!bind_key(window, i, find, 1)) continue;
      TALLY_TRY_ASSIGN(const bool known, find.step());
      if (known) {
        found[i] = {static_cast<std::uint64_t>(find.integer(0)), find.integer(1),
                    find.integer(2), find.integer(3)};
      }
      find.reset();
    }
    return {};
  }));
  return found;
}

}  // namespace tallyman
