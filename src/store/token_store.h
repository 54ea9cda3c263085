// TokenStore: who may do what. Tokens are random, shown once and kept only as a hash.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/acting_as.h"

namespace tallyman {

struct Token {
  std::string name;                 // Unique; what history and logs call it.
  std::string owner;                // Whose jobs it makes and sees.
  std::vector<std::string> scopes;  // "transactions:insert", "*", "admin".
  ActingAs acting = {};             // As whom its jobs write and read (PostgreSQL).
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
};

class TokenStore {
 public:
  virtual ~TokenStore() = default;
  // The secret (32 random bytes as text, "tly_..."), which is not kept. kConflict where
  // the name is taken.
  virtual Result<std::string> create(const Token& token) = 0;
  // The token with that secret, looked up by its hash and compared in constant time;
  // nothing for an unknown or expired one.
  virtual Result<std::optional<Token>> find(std::string_view secret) = 0;
  virtual Result<std::vector<Token>> list() = 0;           // By name.
  virtual Result<void> revoke(std::string_view name) = 0;  // kNotFound.
};

}  // namespace tallyman
