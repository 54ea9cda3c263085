#include "http/server.h"

#include <mutex>
#include <thread>

#include "base/log.h"
#include "http/exchange.h"
#include "http/listener.h"
#include "http/poller.h"
#include "http/request_threads.h"
#include "http/transport.h"

namespace tallyman::http {
namespace {

// For everything else that the process has open: databases, payload files, its log.
constexpr std::uint64_t kOtherDescriptors = 512;

void prepare_open_files(const ServerLimits& limits) {
  const std::uint64_t wanted = limits.connections_max + kOtherDescriptors;
  const std::uint64_t allowed = allow_open_files(wanted);
  if (allowed < wanted) {
    log_warning("few_open_files", {{"allowed", std::to_string(allowed)},
                                   {"wanted", std::to_string(wanted)},
                                   {"raise", "ulimit -n"}});
  }
}

}  // namespace

// In the order in which they need each other.
struct Server::Parts {
  Parts(ServerOptions its_options, Handler its_handler, Listener listener,
        std::unique_ptr<TlsContext> its_tls)
      : options(std::move(its_options)),
        handler(std::move(its_handler)),
        tls(std::move(its_tls)),
        port(listener.port),
        exchange(handler, options.limits, stopping,
                 [this] { return threads.waiting() > 0; }),
        threads(
            options.limits,
            [this](Connection& connection) { return exchange.serve(connection); },
            [this](std::unique_ptr<Connection> connection, After after) {
              poller.hand_back(std::move(connection), after);
            }),
        poller(options.limits, std::move(listener.socket), tls.get(), threads),
        poller_thread([this] { poller.run(); }) {}

  const ServerOptions options;
  const Handler handler;
  const std::unique_ptr<TlsContext> tls;
  const std::uint16_t port;
  std::atomic<bool> stopping{false};
  Exchange exchange;
  RequestThreads threads;
  Poller poller;
  std::thread poller_thread;
  std::mutex stop_mutex;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  std::unique_ptr<TlsContext> tls;
  if (options.tls) {
    TALLY_TRY_ASSIGN(
        tls, TlsContext::load(options.tls->certificate_file, options.tls->key_file));
  }
  TALLY_TRY_ASSIGN(Listener listener, listen_on(options.address, options.port));
  prepare_open_files(options.limits);
  return std::unique_ptr<Server>(new Server(std::make_unique<Parts>(
      std::move(options), std::move(handler), std::move(listener), std::move(tls))));
}

std::uint16_t Server::port() const { return parts_->port; }

std::size_t Server::connections() const { return parts_->poller.connections(); }

std::size_t Server::requests_under_way() const { return parts_->threads.under_way(); }

void Server::stop(std::chrono::milliseconds grace) {
  const std::lock_guard lock(parts_->stop_mutex);
  if (!parts_->poller_thread.joinable()) return;
  const auto deadline = std::chrono::steady_clock::now() + grace;
  parts_->stopping = true;
  parts_->poller.stop();
  if (!parts_->threads.wait_until_idle(deadline)) {
    log_warning("requests_cut", {{"count", std::to_string(requests_under_way())}});
    parts_->threads.cut_all();
  }
  parts_->threads.join();
  parts_->poller.quit();
  parts_->poller_thread.join();
}

}  // namespace tallyman::http
