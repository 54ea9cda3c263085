// Pieces of SQL text for SQLite: names from the catalogue, quoted, and what can be told
// of a definition from its words. Values never become SQL text; they are parameters.
//
// Threads: any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

// "a" -> "\"a\"", whatever the name holds.
std::string quote_name(std::string_view name);
// main."t"
std::string quote_table(std::string_view name);
// 'abc', for texts that the catalogue holds.
std::string quote_text(std::string_view text);
// Names are compared without ASCII case.
bool is_same_sqlite_name(std::string_view a, std::string_view b);

// The words of a definition in upper case, without names in quotes, texts and comments;
// every other sign is a word of its own. ["CREATE", "TABLE", "T", "(", "A", ...]
std::vector<std::string> sql_words(std::string_view sql);

// A column default of the catalogue (PRAGMA table_xinfo) as an expression that means the
// same elsewhere: (0), ('x'), (CURRENT_TIMESTAMP); (NULL) where there is none. There a
// bare or double-quoted word is text; in a statement it could be a column.
std::string default_expression(std::string_view default_sql);
// True where every evaluation gives the same value.
bool is_constant_default(std::string_view default_sql);

}  // namespace tallyman
