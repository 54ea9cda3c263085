#include "target/sqlite_key_table.h"

#include "target/sqlite_sql.h"

namespace tallyman {
namespace {

const SqliteWindow& sqlite_window(const BoundWindow& window) {
  const auto* bound = dynamic_cast<const SqliteWindow*>(&window);
  CHECK(bound);
  return *bound;
}

}  // namespace

Result<std::unique_ptr<SqliteKeyTable>> SqliteKeyTable::make(
    const std::string& path, std::vector<SqliteKeyColumn> key) {
  std::vector<std::string> types;
  for (const SqliteKeyColumn& part : key) {
    types.push_back(std::string(name(part.affinity)) + " COLLATE " +
                    quote_name(part.collation));
  }
  TALLY_TRY_ASSIGN(auto connection, make_file(path, types));
  return std::unique_ptr<SqliteKeyTable>(
      new SqliteKeyTable(path, std::move(connection), std::move(key)));
}

bool SqliteKeyTable::bind_key(const BoundWindow& window, std::size_t i,
                              db::SqliteStatement& statement, int first_place) const {
  const SqliteWindow& records = sqlite_window(window);
  if (records.error(i)) return false;
  const auto values = records.values(i);
  for (const SqliteKeyColumn& part : key_) {
    const BoundValue& value = values[part.column];
    if (value.kind == BoundKind::kAbsent || value.kind == BoundKind::kNull) return false;
    bind_value(statement, first_place++, value);
  }
  return true;
}

RecordNumber SqliteKeyTable::first_record(const BoundWindow& window) const {
  return sqlite_window(window).first_record();
}

}  // namespace tallyman
