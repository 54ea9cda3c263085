#include "api/rest/request_headers.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace tallyman::rest {
namespace {

using std::chrono::seconds;

TEST(Prefer, WaitsForAsLongAsItSays) {
  EXPECT_EQ(preferred_wait("wait=10"), seconds(10));
  EXPECT_EQ(preferred_wait("respond-async, wait=10"), seconds(10));
  EXPECT_EQ(preferred_wait(" wait = 0 ,x"), seconds(0));
}

TEST(Prefer, WaitsNoLongerThanTheLimit) {
  EXPECT_EQ(preferred_wait("wait=60"), limits::kPreferWaitMax);
  EXPECT_EQ(preferred_wait("wait=61"), limits::kPreferWaitMax);
}

TEST(Prefer, PassesOverWhatItCannotRead) {
  for (const char* header :
       {"", "wait", "wait=", "wait=soon", "wait=-1", "waiting=5", ",,"}) {
    EXPECT_EQ(preferred_wait(header), std::nullopt) << header;
  }
}

http::Headers with_key(std::string_view key) {
  http::Headers headers;
  headers.add("idempotency-key", key);
  return headers;
}

TEST(IdempotencyKey, IsEmptyWhereThereIsNone) {
  EXPECT_EQ(idempotency_key_of(http::Headers()).value(), "");
}

TEST(IdempotencyKey, IsTakenUpToItsLimit) {
  const std::string longest(kIdempotencyKeyBytesMax, 'k');
  EXPECT_EQ(idempotency_key_of(with_key(longest)).value(), longest);
  EXPECT_FALSE(idempotency_key_of(with_key(longest + "k")).ok());
}

TEST(IdempotencyKey, IsPrintable) {
  EXPECT_FALSE(idempotency_key_of(with_key("")).ok());
  EXPECT_FALSE(idempotency_key_of(with_key("a\tb")).ok());
  EXPECT_FALSE(idempotency_key_of(with_key("caf\xc3\xa9")).ok());
}

}  // namespace
}  // namespace tallyman::rest
