// RestApi: the REST face, as the handler of an HTTP server.
//
//   RestApi api({.service = service, .tokens = tokens, .clock = clock,
//                .database_answers = [&] { return database.begin_read()...; }});
//   auto server = http::Server::start(
//       options, [&](http::Request& request) { return api.handle(request); });
//
// In this order: 401 without a good token (unless the route is public), 429 for a token
// that asks too often (for an address without a good one: in place of the 401), 404 for
// no such path, 405 for a method that the path has not, 404 for a resource that the token
// may not see, 404 for a job that is not the token's, 403 for a scope that it lacks, and
// only then what the request itself says. So nothing is told about what a token may not
// see.
//
// Ownership: the parts outlive it, and it outlives its streamed answers.
// Threads:   handle() from any.
// Errors:    answers; exceptions become 500. One line in the access log for each request.
#pragma once

#include "api/auth.h"
#include "api/rest/call.h"
#include "http/message.h"

namespace tallyman {

class RestApi {
 public:
  explicit RestApi(RestParts parts)
      : parts_(std::move(parts)),
        authenticator_(parts_.tokens),
        requests_(parts_.rates.requests_per_token),
        refusals_(parts_.rates.refusals_per_address) {}
  RestApi(const RestApi&) = delete;
  RestApi& operator=(const RestApi&) = delete;

  http::Response handle(http::Request& request) const;

 private:
  // Who asks, if they may ask now. kUnauthenticated, kTooMany.
  Result<Caller> admit(const http::Request& request) const;

  const RestParts parts_;
  const Authenticator authenticator_;
  mutable RateLimiter requests_;  // By the token's name.
  mutable RateLimiter refusals_;  // By address.
};

}  // namespace tallyman
