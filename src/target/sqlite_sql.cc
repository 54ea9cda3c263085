#include "target/sqlite_sql.h"

#include <algorithm>
#include <array>

namespace tallyman {
namespace {

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return upper(c); });
  return result;
}

std::string quote(std::string_view text, char mark) {
  std::string quoted(1, mark);
  for (const char c : text) {
    if (c == mark) quoted += mark;
    quoted += c;
  }
  return quoted + mark;
}

// The size of the comment or quoted thing at the front; 0 where there is none.
std::size_t skipped_size(std::string_view sql) {
  const auto until = [&](std::string_view end, std::size_t from) {
    const std::size_t at = sql.find(end, from);
    return at == std::string_view::npos ? sql.size() : at + end.size();
  };
  if (sql.starts_with("--")) return until("\n", 2);
  if (sql.starts_with("/*")) return until("*/", 2);
  switch (sql.front()) {
    case '\'':
    case '"':
    case '`': return until(sql.substr(0, 1), 1);  // A doubled quote is two of them.
    case '[': return until("]", 1);
    default: return 0;
  }
}

bool is_bare_word(std::string_view text) {
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(), is_word_byte);
}

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  const std::string word = upper(text);
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 3> kConstants = {"NULL", "TRUE", "FALSE"};
constexpr std::array<std::string_view, 3> kClocks = {"CURRENT_TIME", "CURRENT_DATE",
                                                     "CURRENT_TIMESTAMP"};

// One name in quotes, and nothing behind it.
bool is_quoted_name(std::string_view text) {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '`')) return false;
  std::size_t at = 1;
  while (at < text.size() &&
         (text[at] != text.front() ||
          text.substr(at).starts_with(std::string(2, text.front())))) {
    at += text[at] == text.front() ? 2 : 1;
  }
  return at + 1 == text.size();
}

}  // namespace

std::string quote_name(std::string_view name) { return quote(name, '"'); }
std::string quote_table(std::string_view name) { return "main." + quote_name(name); }
std::string quote_text(std::string_view text) { return quote(text, '\''); }

bool is_same_sqlite_name(std::string_view a, std::string_view b) {
  return upper(a) == upper(b);
}

std::vector<std::string> sql_words(std::string_view sql) {
  std::vector<std::string> words;
  while (!sql.empty()) {
    std::size_t size = skipped_size(sql);
    if (size == 0) {
      while (size < sql.size() && is_word_byte(sql[size])) ++size;
      const bool space = size == 0 && std::string_view(" \t\r\n\f\v").find(sql.front()) !=
                                          std::string_view::npos;
      size = std::max<std::size_t>(size, 1);
      if (!space) words.push_back(upper(sql.substr(0, size)));
    }
    sql.remove_prefix(size);
  }
  return words;
}

std::string default_expression(std::string_view default_sql) {
  if (default_sql.empty()) return "(NULL)";
  if (is_quoted_name(default_sql)) {
    const char mark = default_sql.front();
    std::string text;
    for (std::size_t i = 1; i + 1 < default_sql.size(); ++i) {
      text += default_sql[i];
      if (default_sql[i] == mark) ++i;
    }
    return "(" + quote_text(text) + ")";
  }
  if (is_bare_word(default_sql) && !is_one_of(default_sql, kConstants) &&
      !is_one_of(default_sql, kClocks)) {
    return "(" + quote_text(default_sql) + ")";
  }
  // On a line of its own end: the catalogue's text may end with a comment.
  return "(" + std::string(default_sql) + "\n)";
}

bool is_constant_default(std::string_view default_sql) {
  const std::vector<std::string> words = sql_words(default_sql);
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    const bool digits = word.front() >= '0' && word.front() <= '9';
    const bool sign =
        word == "-" || word == "+" || word == "." || word == "(" || word == ")";
    const bool blob = word == "X";
    return digits || sign || blob || is_one_of(word, kConstants) ||
           (words.size() == 1 && !is_one_of(word, kClocks));
  });
}

}  // namespace tallyman
