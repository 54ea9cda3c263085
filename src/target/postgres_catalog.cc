#include "target/postgres_catalog.h"

#include <algorithm>

namespace tallyman {

Result<std::unique_ptr<PostgresCatalogReader>> PostgresCatalogReader::make(
    db::PostgresConnection& connection) {
  std::unique_ptr<PostgresCatalogReader> reader(new PostgresCatalogReader(connection));
  TALLY_TRY_ASSIGN(const auto path,
                   connection.exec("SELECT current_setting('search_path')"));
  TALLY_TRY(connection.exec("SELECT set_config('search_path', 'pg_catalog', true)"));
  reader->search_path_ = path.text(0, 0);
  return reader;
}

PostgresCatalogReader::~PostgresCatalogReader() {
  // Where this fails the transaction has failed, and takes the setting with it.
  (void)connection_.execute("SELECT set_config('search_path', $1, true)", search_path_)
      .ok();
}

Result<db::PostgresResult> PostgresCatalogReader::query(std::string_view sql,
                                                        db::Oid table, int definition) {
  TALLY_TRY_ASSIGN(auto rows, connection_.execute(sql, table));
  CHECK(definition <= rows.columns());
  hash_.update(std::to_string(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    for (int column = 0; column < definition; ++column) {
      const std::string_view text = rows.text(row, column);
      hash_.update(rows.is_null(row, column) ? "N" : std::to_string(text.size()) + ":");
      hash_.update(text);
    }
  }
  return rows;
}

std::size_t place_of(const PostgresTable& table, std::int64_t column_number) {
  const auto found = std::find_if(
      table.columns.begin(), table.columns.end(),
      [&](const PostgresColumn& column) { return column.number == column_number; });
  CHECK(found != table.columns.end());
  return static_cast<std::size_t>(found - table.columns.begin());
}

}  // namespace tallyman
