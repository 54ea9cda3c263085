// SqliteTokenStore: the TokenStore in a SQLite database.
//
// Ownership: database, clock and random must outlive it.
// Threads:   any.
#pragma once

#include "base/random.h"
#include "db/database.h"
#include "store/token_store.h"

namespace tallyman {

class SqliteTokenStore final : public TokenStore {
 public:
  SqliteTokenStore(db::Database& database, const Clock& clock, Random& random)
      : database_(database), clock_(clock), random_(random) {}

  // created_at is the clock's.
  Result<std::string> create(const Token& token) override;
  Result<std::optional<Token>> find(std::string_view secret) override;
  Result<std::vector<Token>> list() override;
  Result<void> revoke(std::string_view name) override;

 private:
  db::Database& database_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace tallyman
