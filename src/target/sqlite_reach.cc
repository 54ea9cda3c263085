#include "target/sqlite_reach.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/content_hash.h"
#include "base/join.h"
#include "target/sqlite_sql.h"

namespace tallyman {
namespace {

using db::SqliteConnection;

// --- Foreign keys ---------------------------------------------------------------------

bool acts(std::string_view action) {
  return action != "NO ACTION" && action != "RESTRICT";
}

Result<std::vector<std::string>> primary_key_columns(SqliteConnection& connection,
                                                     const std::string& table) {
  TALLY_TRY_ASSIGN(auto columns,
                   connection.prepare("SELECT name FROM pragma_table_info(?1, 'main') "
                                      "WHERE pk > 0 ORDER BY pk"));
  columns.bind_all(table);
  std::vector<std::string> names;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, columns.step());
    if (!more) return names;
    names.emplace_back(columns.text(0));
  }
}

struct FoundForeignKey {
  std::string parent;
  std::vector<std::string> columns;
  std::vector<std::string> parent_columns;
  bool acts_on_update = false;
  bool acts_on_delete = false;
};

Result<std::vector<FoundForeignKey>> read_foreign_key_list(SqliteConnection& connection,
                                                           const std::string& table) {
  TALLY_TRY_ASSIGN(
      auto rows,
      connection.prepare("SELECT id, \"table\", \"from\", \"to\", on_update, on_delete "
                         "FROM pragma_foreign_key_list(?1, 'main') ORDER BY id, seq"));
  rows.bind_all(table);
  std::map<std::int64_t, FoundForeignKey> found;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, rows.step());
    if (!more) break;
    FoundForeignKey& key = found[rows.integer(0)];
    key.parent = rows.text(1);
    key.columns.emplace_back(rows.text(2));
    if (!rows.is_null(3)) key.parent_columns.emplace_back(rows.text(3));
    key.acts_on_update = acts(rows.text(4));
    key.acts_on_delete = acts(rows.text(5));
  }
  std::vector<FoundForeignKey> keys;
  for (auto& [id, key] : found) {
    if (key.parent_columns.empty()) {
      TALLY_TRY_ASSIGN(key.parent_columns, primary_key_columns(connection, key.parent));
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

std::optional<std::size_t> place_of(const SqliteTable& table, std::string_view column) {
  for (std::size_t i = 0; i < table.resource.fields.size(); ++i) {
    if (is_same_sqlite_name(table.resource.fields[i].name, column)) return i;
  }
  return std::nullopt;
}

Result<void> read_foreign_keys(SqliteConnection& connection, SqliteTable& table) {
  TALLY_TRY_ASSIGN(const auto found,
                   read_foreign_key_list(connection, table.resource.table));
  for (const FoundForeignKey& key : found) {
    ForeignKey foreign_key;
    for (const std::string& column : key.columns) {
      if (const auto place = place_of(table, column))
        foreign_key.fields.push_back(*place);
    }
    foreign_key.name = "foreign key (" + join(key.columns, ", ") + ")";
    foreign_key.parent_table = key.parent;
    foreign_key.parent_fields = key.parent_columns;
    table.resource.foreign_keys.push_back(std::move(foreign_key));
  }
  std::stable_sort(table.resource.foreign_keys.begin(), table.resource.foreign_keys.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  return {};
}

// --- What a statement sets off --------------------------------------------------------

struct Definition {
  std::vector<std::string> words;  // Of the table.
  bool has_triggers = false;
  std::string text;  // Of the table, its indexes and triggers.

  bool has_deferred_keys() const {
    return std::find(words.begin(), words.end(), "DEFERRED") != words.end();
  }
};

Result<Definition> read_definition(SqliteConnection& connection, std::string_view table) {
  TALLY_TRY_ASSIGN(auto rows,
                   connection.prepare("SELECT type, sql FROM sqlite_schema "
                                      "WHERE tbl_name = ?1 COLLATE NOCASE "
                                      "AND sql IS NOT NULL ORDER BY type, name"));
  rows.bind_all(table);
  Definition definition;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return definition;
    if (rows.text(0) == "table") definition.words = sql_words(rows.text(1));
    if (rows.text(0) == "trigger") definition.has_triggers = true;
    definition.text.append(rows.text(1)).append("\n");
  }
}

Result<std::vector<std::pair<std::string, FoundForeignKey>>> read_all_foreign_keys(
    SqliteConnection& connection) {
  TALLY_TRY_ASSIGN(auto tables,
                   connection.prepare("SELECT name FROM pragma_table_list "
                                      "WHERE schema = 'main' AND type = 'table' "
                                      "ORDER BY name"));
  std::vector<std::pair<std::string, FoundForeignKey>> all;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, tables.step());
    if (!more) return all;
    const std::string child(tables.text(0));
    TALLY_TRY_ASSIGN(auto keys, read_foreign_key_list(connection, child));
    for (FoundForeignKey& key : keys) all.emplace_back(child, std::move(key));
  }
}

// Does a change of the table's rows set off nothing but what is final at its end?
Result<bool> change_is_simple(
    SqliteConnection& connection, const std::string& table,
    const std::vector<std::pair<std::string, FoundForeignKey>>& foreign_keys) {
  std::set<std::string> seen;
  std::vector<std::string> pending = {table};
  while (!pending.empty()) {
    const std::string changed = std::move(pending.back());
    pending.pop_back();
    if (!seen.insert(changed).second) continue;
    TALLY_TRY_ASSIGN(const Definition definition, read_definition(connection, changed));
    if (definition.has_triggers || definition.has_deferred_keys()) return false;
    for (const auto& [child, key] : foreign_keys) {
      if (!is_same_sqlite_name(key.parent, changed)) continue;
      if (key.acts_on_delete || key.acts_on_update) {
        pending.push_back(child);
      } else {
        TALLY_TRY_ASSIGN(const Definition watcher, read_definition(connection, child));
        if (watcher.has_deferred_keys()) return false;
      }
    }
  }
  return true;
}

}  // namespace

Result<void> read_sqlite_reach(SqliteConnection& connection, SqliteTable& table) {
  TALLY_TRY(read_foreign_keys(connection, table));
  TALLY_TRY_ASSIGN(const Definition definition,
                   read_definition(connection, table.resource.table));
  for (std::size_t i = 0; i + 1 < definition.words.size(); ++i) {
    if (definition.words[i] == "ON" && definition.words[i + 1] == "CONFLICT") {
      table.has_conflict_clauses = true;
    }
  }
  table.has_triggers = definition.has_triggers;
  ContentHash hash;
  hash.update(definition.text);
  table.resource.schema_fingerprint = hash.finish();

  TALLY_TRY_ASSIGN(const auto all, read_all_foreign_keys(connection));
  for (const auto& [child, key] : all) {
    if (!is_same_sqlite_name(key.parent, table.resource.table)) continue;
    table.references.push_back(
        {child, key.columns, key.parent_columns, key.acts_on_delete, key.acts_on_update});
  }
  table.insert_is_simple = !definition.has_triggers && !definition.has_deferred_keys();
  TALLY_TRY_ASSIGN(table.change_is_simple,
                   change_is_simple(connection, table.resource.table, all));
  return {};
}

}  // namespace tallyman
