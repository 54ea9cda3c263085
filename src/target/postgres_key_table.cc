#include "target/postgres_key_table.h"

#include "base/check.h"

namespace tallyman {
namespace {

const PostgresWindow& postgres_window(const BoundWindow& window) {
  const auto* bound = dynamic_cast<const PostgresWindow*>(&window);
  CHECK(bound);
  return *bound;
}

}  // namespace

Result<std::unique_ptr<PostgresKeyTable>> PostgresKeyTable::make(
    const std::string& path, std::vector<std::size_t> key) {
  TALLY_TRY_ASSIGN(auto connection,
                   make_file(path, std::vector<std::string>(key.size(), "BLOB")));
  return std::unique_ptr<PostgresKeyTable>(
      new PostgresKeyTable(path, std::move(connection), std::move(key)));
}

bool PostgresKeyTable::bind_key(const BoundWindow& window, std::size_t i,
                                db::SqliteStatement& statement, int first_place) const {
  const PostgresWindow& records = postgres_window(window);
  if (records.error(i)) return false;
  for (const std::size_t column : key_) {
    if (records.state(column, i) != CellState::kValue) return false;
    const std::string_view wire = records.wire(column, i);
    statement.bind_blob(
        first_place++, {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()});
  }
  return true;
}

RecordNumber PostgresKeyTable::first_record(const BoundWindow& window) const {
  return postgres_window(window).first_record();
}

}  // namespace tallyman
