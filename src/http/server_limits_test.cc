// Every limit of the server, at it and above it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "http/test_server.h"

namespace tallyman::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

ServerOptions with(ServerLimits limits) {
  ServerOptions options;
  options.limits = limits;
  return options;
}

Answer ask(RawClient& client, std::string_view request) {
  client.send(request);
  return client.read_answer();
}

TEST(ServerLimitsTest, BoundsTheConnections) {
  ServerLimits limits;
  limits.connections_max = 3;
  TestServer server(with(limits));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    EXPECT_EQ(ask(*clients.back(), get("/hello")).status, 200);
  }
  RawClient above(server.port());
  const Answer answer = above.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.headers.find("Retry-After"));
  EXPECT_THAT(answer.body, HasSubstr("OVERLOADED"));
  EXPECT_TRUE(above.ends());
  EXPECT_EQ(ask(*clients.front(), get("/hello")).status, 200);
}

TEST(ServerLimitsTest, BoundsTheConnectionsOfOneAddress) {
  ServerLimits limits;
  limits.connections_per_address_max = 2;
  TestServer server(with(limits));
  RawClient first(server.port());
  EXPECT_EQ(ask(first, get("/hello")).status, 200);
  {
    RawClient second(server.port());
    EXPECT_EQ(ask(second, get("/hello")).status, 200);
    RawClient above(server.port());
    const Answer answer = above.read_answer();
    EXPECT_EQ(answer.status, 429);
    EXPECT_TRUE(answer.headers.find("Retry-After"));
    EXPECT_TRUE(above.ends());
    RawClient elsewhere(server.port(), "127.0.0.2");
    EXPECT_EQ(ask(elsewhere, get("/hello")).status, 200);
  }
  // The server learns of a closed connection in its own time.
  while (server.server().connections() > 1) std::this_thread::yield();
  RawClient again(server.port());
  EXPECT_EQ(ask(again, get("/hello")).status, 200);
}

TEST(ServerLimitsTest, BoundsTheHead) {
  ServerLimits limits;
  limits.header_bytes_max = 1000;
  TestServer server(with(limits));
  const std::string head = get("/hello", "X: \r\n");
  std::string at_limit = head;
  at_limit.insert(head.size() - 4, limits.header_bytes_max - head.size(), 'x');
  RawClient client(server.port());
  EXPECT_EQ(ask(client, at_limit).status, 200);
  at_limit.insert(head.size() - 4, 1, 'x');
  const Answer above = ask(client, at_limit);
  EXPECT_EQ(above.status, 431);
  EXPECT_THAT(above.body, HasSubstr("1000"));
  EXPECT_TRUE(client.ends());

  RawClient flood(server.port());
  EXPECT_EQ(ask(flood, "GET /hello HTTP/1.1\r\n" + std::string(1000, 'x')).status, 431)
      << "without waiting for its end";
}

TEST(ServerLimitsTest, EndsAHeadThatTakesTooLong) {
  ServerLimits limits;
  limits.header_time = milliseconds(50);
  TestServer server(with(limits));
  RawClient client(server.port());
  const auto begun = steady_clock::now();
  const Answer answer = ask(client, "GET /hello HTTP/1.1\r\n");
  EXPECT_EQ(answer.status, 408);
  EXPECT_GE(steady_clock::now() - begun, limits.header_time);
  EXPECT_THAT(answer.body, HasSubstr("REQUEST_TIMEOUT"));
  EXPECT_TRUE(client.ends());
}

TEST(ServerLimitsTest, CountsTheTimeOfAHeadFromItsFirstByte) {
  ServerLimits limits;
  limits.header_time = milliseconds(100);
  TestServer server(with(limits));
  RawClient client(server.port());
  const std::string request = get("/hello", "X: " + std::string(1000, 'x') + "\r\n");
  const auto begun = steady_clock::now();
  pollfd readable{.fd = client.descriptor(), .events = POLLIN, .revents = 0};
  // A byte every 10 ms: no pause is long, but the whole is.
  for (const char byte : request) {
    if (::poll(&readable, 1, 10) != 0 || !client.send({&byte, 1})) break;
  }
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_GE(steady_clock::now() - begun, limits.header_time);
}

TEST(ServerLimitsTest, EndsAnIdleConnectionSilently) {
  ServerLimits limits;
  limits.idle_time = milliseconds(50);
  TestServer server(with(limits));
  RawClient fresh(server.port());
  EXPECT_TRUE(fresh.ends());
  RawClient client(server.port());
  EXPECT_EQ(ask(client, get("/hello")).status, 200);
  EXPECT_TRUE(client.ends());
}

TEST(ServerLimitsTest, EndsABodyThatStandsStillBeforeItHasAThread) {
  ServerLimits limits;
  limits.body_idle_time = milliseconds(50);
  TestServer server(with(limits));
  RawClient client(server.port());
  const std::string request = put("/wait", std::string(100, 'x'));
  const Answer answer = ask(client, request.substr(0, request.size() - 1));
  EXPECT_EQ(answer.status, 408);
  EXPECT_TRUE(client.ends());
}

TEST(ServerLimitsTest, EndsABodyThatStandsStillUnderWay) {
  ServerLimits limits;
  limits.body_idle_time = milliseconds(50);
  TestServer server(with(limits));
  RawClient client(server.port());
  const std::string request = put("/echo", std::string(100'000, 'x'));
  const Answer answer = ask(client, request.substr(0, request.size() - 1));
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(server.await_problem().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(client.ends());
}

TEST(ServerLimitsTest, EndsABodyThatTrickles) {
  ServerLimits limits;
  limits.body_idle_time = milliseconds(100);
  limits.transfer_bytes_per_second_min = 1000;
  TestServer server(with(limits));
  RawClient client(server.port());
  client.send(put("/echo", std::string(100'000, 'x')).substr(0, 50'000));
  pollfd readable{.fd = client.descriptor(), .events = POLLIN, .revents = 0};
  // One byte in 10 ms is never idle, but it is 100 bytes a second.
  while (::poll(&readable, 1, 10) == 0 && client.send("x")) {
  }
  EXPECT_EQ(client.read_answer().status, 408);
}

TEST(ServerLimitsTest, EndsAReaderThatNeverReads) {
  ServerLimits limits;
  limits.body_idle_time = milliseconds(100);
  TestServer server(with(limits));
  RawClient client(server.port(), "127.0.0.1", 4096);
  client.send(get("/endless"));
  EXPECT_EQ(server.await_problem().code, ErrorCode::kUnavailable);
}

TEST(ServerLimitsTest, RequestsBeyondTheThreadsWaitAndThenSome) {
  ServerLimits limits;
  limits.request_threads_max = 2;
  limits.requests_waiting_max = 1;
  TestServer server(with(limits));
  RawClient first(server.port());
  RawClient second(server.port());
  RawClient third(server.port());
  RawClient fourth(server.port());
  first.send(get("/wait"));
  server.await_waiting();
  second.send(get("/wait"));
  server.await_waiting();
  third.send(get("/hello"));
  while (server.server().requests_under_way() < 3) std::this_thread::yield();
  const Answer above = ask(fourth, get("/hello"));
  EXPECT_EQ(above.status, 503);
  EXPECT_TRUE(above.headers.find("Retry-After"));
  EXPECT_TRUE(fourth.ends());
  server.release();
  EXPECT_EQ(first.read_answer().status, 200);
  EXPECT_EQ(second.read_answer().status, 200);
  EXPECT_EQ(third.read_answer().status, 200) << "at the limit it waits";
}

TEST(ServerLimitsTest, ARequestDoesNotWaitForAThreadForever) {
  ServerLimits limits;
  limits.request_threads_max = 1;
  limits.request_wait_time = milliseconds(50);
  TestServer server(with(limits));
  RawClient first(server.port());
  first.send(get("/wait"));
  server.await_waiting();
  RawClient second(server.port());
  EXPECT_EQ(ask(second, get("/hello")).status, 503);
  server.release();
  EXPECT_EQ(first.read_answer().status, 200);
}

TEST(ServerLimitsTest, CutsAStalledTransferOnlyForOneWhoWaits) {
  ServerLimits limits;
  limits.request_threads_max = 1;
  limits.stalled_time_under_pressure = milliseconds(50);
  TestServer server(with(limits));
  RawClient stalled(server.port());
  stalled.send(put("/echo", std::string(100'000, 'x')).substr(0, 50'000));
  while (server.server().requests_under_way() < 1) std::this_thread::yield();
  RawClient healthy(server.port());
  EXPECT_EQ(ask(healthy, get("/hello")).status, 200);
  EXPECT_EQ(server.await_problem().code, ErrorCode::kUnavailable);
}

TEST(ServerLimitsTest, AByteNowAndThenKeepsNoThreadFromOneWhoWaits) {
  ServerLimits limits;
  limits.request_threads_max = 1;
  limits.stalled_time_under_pressure = milliseconds(100);
  TestServer server(with(limits));
  RawClient stalled(server.port());
  stalled.send(put("/echo", std::string(100'000, 'x')).substr(0, 50'000));
  while (server.server().requests_under_way() < 1) std::this_thread::yield();
  auto healthy = std::async(std::launch::async, [&] {
    RawClient client(server.port());
    return ask(client, get("/hello")).status;
  });
  while (healthy.wait_for(milliseconds(10)) != std::future_status::ready) {
    stalled.send("x");
  }
  EXPECT_EQ(healthy.get(), 200);
}

std::size_t threads_of_this_process() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::stoul(line.substr(8));
  }
  return 0;
}

// Taken in turn, each of them would be asked again before its time is over.
TEST(ServerLimitsTest, TheThreadsOfACrowdEndAlthoughRequestsKeepComing) {
  ServerLimits limits;
  limits.thread_idle_time = milliseconds(200);
  TestServer server(with(limits));
  const std::size_t before = threads_of_this_process();
  {
    std::vector<std::unique_ptr<RawClient>> crowd;
    for (int i = 0; i < 32; ++i) {
      crowd.push_back(std::make_unique<RawClient>(server.port()));
      crowd.back()->send(get("/wait"));
      server.await_waiting();
    }
    EXPECT_GE(threads_of_this_process(), before + 32);
    server.release();
    for (auto& client : crowd) EXPECT_EQ(client->read_answer().status, 200);
  }
  const auto deadline = steady_clock::now() + std::chrono::seconds(20);
  while (threads_of_this_process() > before + 4 && steady_clock::now() < deadline) {
    RawClient client(server.port());
    EXPECT_EQ(ask(client, get("/hello")).status, 200);
  }
  EXPECT_LE(threads_of_this_process(), before + 4);
}

// Holds the process's limit of open files where it is told, and puts it back.
class OpenFilesLimit {
 public:
  OpenFilesLimit() { CHECK(::getrlimit(RLIMIT_NOFILE, &before_) == 0); }
  ~OpenFilesLimit() { restore(); }
  void set(rlim_t files) {
    rlimit limit = before_;
    limit.rlim_cur = files;
    CHECK(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  void restore() { CHECK(::setrlimit(RLIMIT_NOFILE, &before_) == 0); }

 private:
  rlimit before_{};
};

TEST(ServerLimitsTest, AcceptsAgainWhenDescriptorsAreBack) {
  TestServer server;
  OpenFilesLimit limit;
  RawClient client(server.port());
  EXPECT_EQ(ask(client, get("/hello")).status, 200);
  // The lowest free descriptor is the client's own; the server finds none for its side.
  const int lowest_free = Descriptor(::dup(client.descriptor())).get();
  limit.set(static_cast<rlim_t>(lowest_free) + 1);
  RawClient late(server.port());
  late.send(get("/hello"));
  EXPECT_EQ(ask(client, get("/hello")).status, 200);
  EXPECT_EQ(server.server().connections(), 1U);
  limit.restore();
  EXPECT_EQ(late.read_answer().status, 200);
}

TEST(ServerLimitsTest, SlowConnectionsTakeNoThread) {
  ServerLimits limits;
  limits.request_threads_max = 4;
  TestServer server(with(limits));
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 500; ++i) {
    slow.push_back(std::make_unique<RawClient>(server.port()));
    slow.back()->send(i % 2 == 0 ? "GET /hello HTT"
                                 : put("/echo", "body>").substr(0, 57));
  }
  while (server.server().connections() < slow.size()) std::this_thread::yield();
  RawClient healthy(server.port());
  for (int i = 0; i < 200; ++i) EXPECT_EQ(ask(healthy, get("/hello")).status, 200);
  EXPECT_LE(server.server().requests_under_way(), 1U);
}

}  // namespace
}  // namespace tallyman::http
