// PostgresListener: calls back when another node has said that something has changed.
//
//   PostgresListener listener(database, [&](PostgresListener::News news) {
//     news == kUnit ? wake_watchers() : wake_everybody();
//   });
//
// What this node's own sessions said is left out: whoever committed it has told already.
// It listens (LISTEN tallyman) on a connection of its own. Whether what is sent really
// arrives is tried out first: a pooler that gives each transaction another session takes
// a LISTEN and forwards nothing. Where that cannot be, or the connection is lost, it
// calls back every 250 ms instead, and tries to listen again after a pause that grows.
//
// Ownership: the database must outlive it.
// Threads:   one of its own, in which the callback is called.
// Errors:    none: it goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "db/postgres_database.h"

namespace tallyman {

class PostgresListener {
 public:
  enum class News : std::uint8_t {
    kUnit,  // Units of jobs alone.
    kAny,
  };

  // Listens when it returns, if it can: whatever is sent from then on is heard.
  PostgresListener(db::PostgresDatabase& database, std::function<void(News)> on_change);
  ~PostgresListener();
  PostgresListener(const PostgresListener&) = delete;
  PostgresListener& operator=(const PostgresListener&) = delete;

 private:
  // Null: what is sent does not arrive.
  std::unique_ptr<db::PostgresConnection> listen();
  void run();
  void hear();
  // What has come since, if something has. An error: the connection is lost.
  Result<std::optional<News>> take_news();
  void poll();
  bool stopped_within(std::chrono::milliseconds wait) const;

  db::PostgresDatabase& database_;
  const std::function<void(News)> on_change_;
  const int stop_;                                      // An eventfd.
  std::unique_ptr<db::PostgresConnection> connection_;  // The thread's, once it runs.
  std::thread thread_;
};

}  // namespace tallyman
