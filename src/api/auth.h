// Authenticator: from the Authorization header to the Caller.
//
//   TALLY_TRY_ASSIGN(const Caller caller, authenticator.authenticate(request.headers));
//
// Takes "Bearer <token>" and "Token <token>". Nothing is kept between requests: a token
// that was revoked is refused at once. Of two Authorization headers none counts: a proxy
// may have judged the other one.
//
// Ownership: the store outlives it. Threads: any.
// Errors:    kUnauthenticated  no token, another scheme, or a token that is unknown or
//                              has expired
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "service/caller.h"
#include "store/token_store.h"

namespace tallyman {

class Authenticator {
 public:
  explicit Authenticator(TokenStore& tokens) : tokens_(tokens) {}

  Result<Caller> authenticate(const http::Headers& headers) const;
  // The same for a secret that came some other way.
  Result<Caller> authenticate(std::string_view secret) const;

 private:
  TokenStore& tokens_;
};

}  // namespace tallyman
