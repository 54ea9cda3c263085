#include <gtest/gtest.h>

#include <thread>

#include "http/test_server.h"

namespace tallyman::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(ServerStopTest, LetsARequestUnderWayEnd) {
  TestServer server;
  RawClient client(server.port());
  RawClient idle(server.port());
  client.send(get("/wait"));
  server.await_waiting();
  std::thread stopping([&] { server.server().stop(seconds(20)); });
  EXPECT_TRUE(idle.ends()) << "waiting connections are closed at once";
  server.release();
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.body, "waited");
  EXPECT_EQ(answer.headers.find("Connection"), "close");
  EXPECT_TRUE(client.ends());
  client.close();
  stopping.join();
}

TEST(ServerStopTest, EndsAnEndlessStreamByTellingIt) {
  TestServer server;
  RawClient client(server.port());
  client.send(get("/endless"));
  std::thread stopping([&] { server.server().stop(seconds(20)); });
  const Answer answer = client.read_answer();
  EXPECT_FALSE(answer.cut);
  EXPECT_TRUE(answer.body.ends_with("stopped"));
  client.close();
  stopping.join();
}

TEST(ServerStopTest, CutsWhatDoesNotEndInItsGrace) {
  TestServer server;
  RawClient client(server.port());
  client.send(put("/echo", std::string(100'000, 'x')).substr(0, 50'000));
  while (server.server().requests_under_way() == 0) std::this_thread::yield();
  const auto begun = steady_clock::now();
  server.server().stop(milliseconds(50));
  EXPECT_LT(steady_clock::now() - begun, seconds(5));
  EXPECT_EQ(server.await_problem().code, ErrorCode::kUnavailable);
  EXPECT_EQ(server.server().connections(), 0U);
}

TEST(ServerStopTest, AcceptsNobodyAfterwards) {
  TestServer server;
  const std::uint16_t port = server.port();
  server.server().stop(milliseconds(0));
  server.server().stop(milliseconds(0));
  auto again =
      Server::start({.port = port}, [](Request&) { return Response::empty(204); });
  EXPECT_TRUE(again.ok()) << "the port is free";
}

TEST(ServerStopTest, AnswersWhatHadArrivedWhole) {
  for (int i = 0; i < 50; ++i) {
    TestServer server;
    RawClient client(server.port());
    client.send(get("/hello"));
    while (server.server().connections() == 0) std::this_thread::yield();
    std::thread stopping([&] { server.server().stop(seconds(20)); });
    EXPECT_EQ(client.read_answer().status, 200);
    client.close();
    stopping.join();
  }
}

TEST(ServerStopTest, StopsUnderLoad) {
  TestServer server;
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  std::atomic<int> broken{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      RawClient client(server.port());
      while (client.send(put("/echo", std::string(1000, 'x')))) {
        const Answer answer = client.read_answer();
        if (answer.status == 0) return;
        ++answered;
        broken += answer.cut || answer.status != 200 || answer.body.size() != 1000;
      }
    });
  }
  while (answered < 1000) std::this_thread::yield();
  server.server().stop(seconds(20));
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(broken, 0);
}

}  // namespace
}  // namespace tallyman::http
