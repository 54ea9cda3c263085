#include "store/postgres_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "store/postgres_work.h"

namespace tallyman {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPollEvery{250};
constexpr milliseconds kArrivesWithin{1'000};
constexpr milliseconds kPauseMin{1'000};
constexpr milliseconds kPauseMax{60'000};

}  // namespace

PostgresListener::PostgresListener(db::PostgresDatabase& database,
                                   std::function<void(News)> on_change)
    : database_(database),
      on_change_(std::move(on_change)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      connection_(listen()) {
  CHECK(stop_ >= 0);
  thread_ = std::thread([this] { run(); });
}

PostgresListener::~PostgresListener() {
  CHECK(eventfd_write(stop_, 1) == 0);
  thread_.join();
  close(stop_);
}

std::unique_ptr<db::PostgresConnection> PostgresListener::listen() {
  auto opened = database_.connect();
  if (!opened.ok()) return nullptr;
  auto connection = std::move(opened).value();
  if (!connection->exec("LISTEN tallyman").ok()) return nullptr;
  // Sent through another session, as other nodes' will be.
  if (!postgres_write(database_, postgres_notify).ok()) return nullptr;
  const auto heard = connection->wait_for_notification(kArrivesWithin);
  if (!heard.ok() || !heard.value()) return nullptr;
  return connection;
}

void PostgresListener::run() {
  while (true) {
    connection_ ? hear() : poll();
    if (stopped_within(milliseconds(0))) return;
    on_change_(News::kAny);  // What was sent while nobody heard it.
  }
}

// Until it is to stop, or the connection is lost.
void PostgresListener::hear() {
  while (true) {
    const auto news = take_news();
    if (!news.ok()) break;
    if (news.value()) on_change_(*news.value());
    std::array<pollfd, 2> waited = {
        pollfd{.fd = stop_, .events = POLLIN, .revents = 0},
        pollfd{.fd = connection_->socket(), .events = POLLIN, .revents = 0}};
    ::poll(waited.data(), waited.size(), -1);
    if (waited[0].revents != 0) return;
  }
  connection_.reset();
}

Result<std::optional<PostgresListener::News>> PostgresListener::take_news() {
  std::optional<News> news;
  while (true) {
    TALLY_TRY_ASSIGN(const auto heard,
                     connection_->wait_for_notification(milliseconds(0)));
    if (!heard) return news;
    if (database_.is_session(heard->sender)) continue;
    const bool is_unit = heard->payload == kPostgresUnit;
    if (!is_unit || !news) news = is_unit ? News::kUnit : News::kAny;
  }
}

// Until it is to stop, or a connection hears.
void PostgresListener::poll() {
  for (milliseconds pause = kPauseMin;; pause = std::min(pause * 2, kPauseMax)) {
    for (milliseconds waited{0}; waited < pause; waited += kPollEvery) {
      if (stopped_within(kPollEvery)) return;
      on_change_(News::kAny);
    }
    connection_ = listen();
    if (connection_) return;
  }
}

bool PostgresListener::stopped_within(milliseconds wait) const {
  pollfd waited{.fd = stop_, .events = POLLIN, .revents = 0};
  ::poll(&waited, 1, static_cast<int>(wait.count()));
  return waited.revents != 0;
}

}  // namespace tallyman
