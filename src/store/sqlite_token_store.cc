#include "store/sqlite_token_store.h"

#include <sodium.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "store/ledger_codec.h"
#include "store/sqlite_work.h"

namespace tallyman {
namespace {

using db::SqliteConnection;

constexpr std::string_view kPrefix = "tly_";
constexpr std::size_t kSecretBytes = 32;
constexpr auto kBase64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t kSecretLength =
    kPrefix.size() + sodium_base64_ENCODED_LEN(kSecretBytes, kBase64) - 1;

using Hash = std::array<std::uint8_t, crypto_generichash_BYTES>;

Hash hash_of(std::string_view secret) {
  Hash hash;
  crypto_generichash(hash.data(), hash.size(),
                     reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                     nullptr, 0);
  return hash;
}

std::string new_secret(Random& random) {
  std::array<std::uint8_t, kSecretBytes> bytes;
  random.fill(bytes);
  std::array<char, sodium_base64_ENCODED_LEN(kSecretBytes, kBase64)> text;
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kBase64);
  sodium_memzero(bytes.data(), bytes.size());
  return std::string(kPrefix) + text.data();
}

// Of "SELECT name, owner, scopes, created_at, expires_at".
Result<Token> read_token(const db::SqliteStatement& row) {
  Token token{.name = std::string(row.text(0)),
              .owner = std::string(row.text(1)),
              .scopes = {},
              .created_at = from_micros(row.integer(3)),
              .expires_at = std::nullopt};
  TALLY_TRY_ASSIGN(token.scopes, decode_texts(row.blob(2)));
  if (!row.is_null(4)) token.expires_at = from_micros(row.integer(4));
  return token;
}

}  // namespace

SqliteTokenStore::SqliteTokenStore(db::Database& database, const Clock& clock,
                                   Random& random)
    : database_(database), clock_(clock), random_(random) {
  CHECK(sodium_init() >= 0);
}

Result<std::string> SqliteTokenStore::create(const Token& token) {
  if (token.name.empty() || token.owner.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a token needs a name and an owner"};
  }
  const std::string secret = new_secret(random_);
  const Hash hash = hash_of(secret);
  return write_in(database_, [&](SqliteConnection& connection) -> Result<std::string> {
    TALLY_TRY_ASSIGN(
        auto insert,
        connection.prepare("INSERT INTO tallyman_token (name, hash, owner, scopes, "
                           "created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
                           "ON CONFLICT (name) DO NOTHING"));
    std::optional<std::int64_t> expires_at;
    if (token.expires_at) expires_at = to_micros(*token.expires_at);
    insert.bind_all(token.name, std::span(hash), token.owner, encode_texts(token.scopes),
                    to_micros(clock_.now()), expires_at);
    TALLY_TRY(insert.run());
    if (connection.changes() == 1) return secret;
    return Error{ErrorCode::kConflict, "there is a token named " + token.name +
                                           " already; revoke it or take another name"};
  });
}

Result<std::optional<Token>> SqliteTokenStore::find(std::string_view secret) {
  using Found = std::optional<Token>;
  if (secret.size() != kSecretLength || !secret.starts_with(kPrefix)) return Found();
  const Hash hash = hash_of(secret);
  return read_in(database_, [&](SqliteConnection& connection) -> Result<Found> {
    TALLY_TRY_ASSIGN(auto select,
                     connection.prepare("SELECT name, owner, scopes, created_at, "
                                        "expires_at, hash FROM tallyman_token "
                                        "WHERE hash = ?1"));
    select.bind_all(std::span(hash));
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) return Found();
    const auto stored = select.blob(5);
    if (stored.size() != hash.size() ||
        sodium_memcmp(stored.data(), hash.data(), hash.size()) != 0) {
      return Found();
    }
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
                                        "expires_at FROM tallyman_token ORDER BY name"));
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
