// Exchange: requests and answers over one connection, on a thread of their own.
//
// Ownership: handler, limits and both flags outlive it. Threads: serve() from any, for
// different connections. Errors: exceptions of a handler become a 500 here.
#pragma once

#include <atomic>
#include <functional>

#include "http/connection.h"
#include "http/limits.h"
#include "http/message.h"

namespace tallyman::http {

class Exchange {
 public:
  // `is_crowded` tells that other requests wait for a thread.
  Exchange(const Handler& handler, const ServerLimits& limits,
           const std::atomic<bool>& stopping, std::function<bool()> is_crowded)
      : handler_(handler),
        limits_(limits),
        stopping_(stopping),
        is_crowded_(std::move(is_crowded)) {}

  // Serves the request that is ready, and those that follow closely on the same
  // connection. REQUIRES: the connection's intake is ready.
  After serve(Connection& connection) const;

 private:
  After serve_all(Connection& connection) const;
  After serve_one(Connection& connection) const;
  Response ask_handler(Request& request) const;
  After answer(Connection& connection, const struct Asked& asked,
               Response response) const;
  bool next_is_near(Connection& connection) const;

  const Handler& handler_;
  const ServerLimits& limits_;
  const std::atomic<bool>& stopping_;
  const std::function<bool()> is_crowded_;
};

}  // namespace tallyman::http
