#include "store/postgres_token_store.h"

#include <utility>

#include "store/ledger_codec.h"
#include "store/postgres_work.h"
#include "store/token_secret.h"

namespace tallyman {
namespace {

using db::PostgresConnection;

// Of "SELECT name, owner, scopes, created_at, expires_at, acting".
Result<Token> read_token(const db::PostgresResult& rows, int row) {
  Token token{.name = std::string(rows.text(row, 0)),
              .owner = std::string(rows.text(row, 1)),
              .scopes = {},
              .created_at = from_micros(rows.integer(row, 3)),
              .expires_at = std::nullopt};
  TALLY_TRY_ASSIGN(token.scopes, decode_texts(rows.bytes(row, 2)));
  if (!rows.is_null(row, 4)) token.expires_at = from_micros(rows.integer(row, 4));
  TALLY_TRY_ASSIGN(token.acting, acting_as_from_json(rows.text(row, 5)));
  return token;
}

}  // namespace

Result<std::string> PostgresTokenStore::create(const Token& token) {
  if (token.name.empty() || token.owner.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a token needs a name and an owner"};
  }
  TALLY_TRY(check_acting_as(token.acting));
  const std::string secret = new_token_secret(random_);
  using Secret = Result<std::string>;
  return postgres_write(database_, [&](PostgresConnection& connection) -> Secret {
    std::optional<std::int64_t> expires_at;
    if (token.expires_at) expires_at = to_micros(*token.expires_at);
    TALLY_TRY_ASSIGN(
        const auto inserted,
        connection.execute(
            "INSERT INTO tallyman.token (name, hash, owner, scopes, "
            "created_at, expires_at, acting) VALUES ($1, $2, $3, $4, $5, $6, "
            "$7) "
            "ON CONFLICT (name) DO NOTHING",
            token.name, hash_of_secret(secret), token.owner, encode_texts(token.scopes),
            to_micros(clock_.now()), expires_at, to_json(token.acting)));
    if (inserted.affected() == 1) return secret;
    return Error{ErrorCode::kConflict, "there is a token named " + token.name +
                                           " already; revoke it or take another name"};
  });
}

Result<std::optional<Token>> PostgresTokenStore::find(std::string_view secret) {
  using Found = std::optional<Token>;
  if (!is_token_secret(secret)) return Found();
  const TokenHash hash = hash_of_secret(secret);
  return postgres_read(database_, [&](PostgresConnection& connection) -> Result<Found> {
    TALLY_TRY_ASSIGN(
        const auto rows,
        connection.execute("SELECT name, owner, scopes, created_at, expires_at, acting, "
                           "hash FROM tallyman.token WHERE hash = $1",
                           hash));
    if (rows.rows() == 0 || !is_same_hash(hash, rows.bytes(0, 6))) return Found();
    TALLY_TRY_ASSIGN(Token token, read_token(rows, 0));
    if (token.expires_at && *token.expires_at <= clock_.now()) return Found();
    return Found(std::move(token));
  });
}

Result<std::vector<Token>> PostgresTokenStore::list() {
  using Tokens = std::vector<Token>;
  return postgres_read(database_, [&](PostgresConnection& connection) -> Result<Tokens> {
    TALLY_TRY_ASSIGN(
        const auto rows,
        connection.exec(
            "SELECT name, owner, scopes, created_at, "
            "expires_at, acting FROM tallyman.token ORDER BY name COLLATE \"C\""));
    Tokens tokens;
    for (int row = 0; row < rows.rows(); ++row) {
      TALLY_TRY_ASSIGN(Token token, read_token(rows, row));
      tokens.push_back(std::move(token));
    }
    return tokens;
  });
}

Result<void> PostgresTokenStore::revoke(std::string_view name) {
  return postgres_write(database_, [&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(
        const auto removed,
        connection.execute("DELETE FROM tallyman.token WHERE name = $1", name));
    if (removed.affected() == 1) return {};
    return Error{ErrorCode::kNotFound, "there is no token named " + std::string(name)};
  });
}

}  // namespace tallyman
