// limits::kRequestsPerSecondPerTokenMax, kRefusalsPerSecondPerAddressMax and
// kCountedClientsMax: at each of them, and one above.
#include "api/rate_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "api/rest/test_server.h"

namespace tallyman {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RateLimiter::Time kStart{std::chrono::hours(1)};

// Of 1,000 requests at that moment, how many are let through.
int admitted(RateLimiter& limiter, RateLimiter::Time now,
             std::string_view client = "ci") {
  int count = 0;
  for (int i = 0; i < 1'000; ++i) count += limiter.admit(client, now) ? 1 : 0;
  return count;
}

TEST(RateLimiter, TakesASecondsWorthAtOnceAndThenTheRate) {
  RateLimiter limiter(10);
  EXPECT_EQ(admitted(limiter, kStart), 10);
  EXPECT_EQ(admitted(limiter, kStart + milliseconds(99)), 0);
  EXPECT_EQ(admitted(limiter, kStart + milliseconds(100)), 1);
  EXPECT_EQ(admitted(limiter, kStart + milliseconds(550)), 4);
  EXPECT_EQ(admitted(limiter, kStart + seconds(100)), 10) << "no more for a long pause";
}

TEST(RateLimiter, OverTimeTheRateHoldsHoweverTheRequestsCome) {
  for (const milliseconds step : {milliseconds(1), milliseconds(17), milliseconds(999)}) {
    RateLimiter limiter(100);
    int count = 0;
    for (milliseconds at{0}; at < seconds(20); at += step) {
      count += admitted(limiter, kStart + at);
    }
    EXPECT_LE(count, 100 + 20 * 100);
    EXPECT_GE(count, 19 * 100);
  }
}

TEST(RateLimiter, ClientsDoNotCountForEachOther) {
  RateLimiter limiter(3);
  EXPECT_EQ(admitted(limiter, kStart, "one"), 3);
  EXPECT_EQ(admitted(limiter, kStart, "two"), 3);
  EXPECT_EQ(admitted(limiter, kStart, "one"), 0);
}

TEST(RateLimiter, ARateOfZeroIsNone) {
  RateLimiter limiter(0);
  EXPECT_EQ(admitted(limiter, kStart), 1'000);
  EXPECT_EQ(limiter.clients(), 0u);
}

TEST(RateLimiter, ForgetsTheQuietAndNobodyElse) {
  RateLimiter limiter(10);
  for (int i = 0; i < 500; ++i) limiter.admit(std::to_string(i), kStart);
  EXPECT_EQ(limiter.clients(), 500u);
  limiter.admit("busy", kStart + milliseconds(900));
  EXPECT_EQ(admitted(limiter, kStart + milliseconds(1'000), "busy"), 10);
  EXPECT_EQ(admitted(limiter, kStart + milliseconds(1'050), "busy"), 0)
      << "a turn of the seconds is no fresh start";
  limiter.admit("busy", kStart + milliseconds(2'000));
  EXPECT_EQ(limiter.clients(), 1u);
}

TEST(RateLimiter, AboveItsClientsTheyShareOneCount) {
  RateLimiter limiter(10, 3);
  int count = 0;
  for (int i = 0; i < 1'000; ++i) count += admitted(limiter, kStart, std::to_string(i));
  EXPECT_EQ(count, 3 * 10 + 10);
  EXPECT_EQ(limiter.clients(), 3u);
}

TEST(RateLimiter, CountsRightFromManyThreads) {
  RateLimiter limiter(500);
  std::atomic<int> count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { count += admitted(limiter, kStart); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 500);
}

// A clock that stands still.
class StoppedClock final : public Clock {
 public:
  Timestamp now() const override { return SystemClock().now(); }
  std::chrono::steady_clock::time_point steady() const override { return time; }
  RateLimiter::Time time = kStart;
};

class RestRates : public testing::Test {
 protected:
  RestRates() { server_.add_token("ci", {"people:*"}); }

  int status(const std::string& token, const std::string& path = "/api/") {
    last_ = server_.call({.path = path, .token = token});
    return last_.status;
  }

  StoppedClock clock_;
  rest::TestServer server_{{.requests_per_token = 3, .refusals_per_address = 2}, &clock_};
  rest::Answer last_;
};

TEST_F(RestRates, ATokenThatAsksTooOftenIsToldWhenToComeBack) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(status("ci"), 200);
  EXPECT_EQ(status("ci"), 429);
  EXPECT_EQ(last_.header("Retry-After"), "1");
  EXPECT_EQ(last_.member("code"), "TOO_MANY_REQUESTS");
  EXPECT_NE(last_.body.find("requests_per_second_per_token_max"), std::string::npos);
  EXPECT_EQ(status("ci", "/api/nothing/"), 429) << "before anything is told";
  EXPECT_EQ(status("ci", "/healthz"), 200);
  EXPECT_EQ(status("ci", "/readyz"), 200);
  clock_.time += seconds(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(status("ci"), 200);
}

TEST_F(RestRates, AnAddressWithoutAGoodTokenIsSlowedDownAndHidesNobodyElse) {
  EXPECT_EQ(status("wrong"), 401);
  EXPECT_EQ(status(""), 401);
  EXPECT_EQ(status("other"), 429);
  EXPECT_EQ(last_.header("Retry-After"), "1");
  EXPECT_NE(last_.body.find("refusals_per_second_per_address_max"), std::string::npos);
  EXPECT_EQ(status("ci"), 200) << "a good token from the same address";
  EXPECT_EQ(status("", "/healthz"), 200);
  clock_.time += seconds(1);
  EXPECT_EQ(status("wrong"), 401);
}

}  // namespace
}  // namespace tallyman
