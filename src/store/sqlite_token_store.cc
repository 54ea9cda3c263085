#include "store/sqlite_token_store.h"

#include <utility>

#include "store/ledger_codec.h"
#include "store/sqlite_work.h"
#include "store/token_secret.h"

namespace tallyman {
namespace {

using db::SqliteConnection;

// Of "SELECT name, owner, scopes, created_at, expires_at, acting".
Result<Token> read_token(const db::SqliteStatement& row) {
  Token token{.name = std::string(row.text(0)),
              .owner = std::string(row.text(1)),
              .scopes = {},
              .created_at = from_micros(row.integer(3)),
              .expires_at = std::nullopt};
  TALLY_TRY_ASSIGN(token.scopes, decode_texts(row.blob(2)));
  if (!row.is_null(4)) token.expires_at = from_micros(row.integer(4));
  TALLY_TRY_ASSIGN(token.acting, acting_as_from_json(row.text(5)));
  return token;
}

}  // namespace

Result<std::string> SqliteTokenStore::create(const Token& token) {
  if (token.name.empty() || token.owner.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a token needs a name and an owner"};
  }
  TALLY_TRY(check_acting_as(token.acting));
  const std::string secret = new_token_secret(random_);
  const TokenHash hash = hash_of_secret(secret);
  return write_in(database_, [&](SqliteConnection& connection) -> Result<std::string> {
    TALLY_TRY_ASSIGN(
        auto insert,
        connection.prepare("INSERT INTO tallyman_token (name, hash, owner, scopes, "
                           "created_at, expires_at, acting) VALUES (?1, ?2, ?3, ?4, ?5, "
                           "?6, ?7) "
                           "ON CONFLICT (name) DO NOTHING"));
    std::optional<std::int64_t> expires_at;
    if (token.expires_at) expires_at = to_micros(*token.expires_at);
    insert.bind_all(token.name, std::span(hash), token.owner, encode_texts(token.scopes),
                    to_micros(clock_.now()), expires_at, to_json(token.acting));
    TALLY_TRY(insert.run());
    if (connection.changes() == 1) return secret;
    return Error{ErrorCode::kConflict, "there is a token named " + token.name +
                                           " already; revoke it or take another name"};
  });
}

Result<std::optional<Token>> SqliteTokenStore::find(std::string_view secret) {
  using Found = std::optional<Token>;
  if (!is_token_secret(secret)) return Found();
  const TokenHash hash = hash_of_secret(secret);
  return read_in(database_, [&](SqliteConnection& connection) -> Result<Found> {
    TALLY_TRY_ASSIGN(auto select,
                     connection.prepare("SELECT name, owner, scopes, created_at, "
                                        "expires_at, acting, hash FROM tallyman_token "
                                        "WHERE hash = ?1"));
    select.bind_all(std::span(hash));
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) return Found();
    if (!is_same_hash(hash, select.blob(6))) return Found();
    TALLY_TRY_ASSIGN(Token token, read_token(select));
    if (token.expires_at && *token.expires_at <= clock_.now()) return Found();
    return Found(std::move(token));
  });
}

Result<std::vector<Token>> SqliteTokenStore::list() {
  using Tokens = std::vector<Token>;
  return read_in(database_, [&](SqliteConnection& connection) -> Result<Tokens> {
    TALLY_TRY_ASSIGN(auto select,
                     connection.prepare("SELECT name, owner, scopes, created_at, "
                                        "expires_at, acting FROM tallyman_token "
                                        "ORDER BY name"));
    Tokens tokens;
    while (true) {
      TALLY_TRY_ASSIGN(const bool has_row, select.step());
      if (!has_row) return tokens;
      TALLY_TRY_ASSIGN(Token token, read_token(select));
      tokens.push_back(std::move(token));
    }
  });
}

Result<void> SqliteTokenStore::revoke(std::string_view name) {
  return write_in(database_, [&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(auto remove,
                     connection.prepare("DELETE FROM tallyman_token WHERE name = ?1"));
    remove.bind_all(name);
    TALLY_TRY(remove.run());
    if (connection.changes() == 1) return {};
    return Error{ErrorCode::kNotFound, "there is no token named " + std::string(name)};
  });
}

}  // namespace tallyman
