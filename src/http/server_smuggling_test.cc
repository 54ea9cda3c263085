// Requests that two programs might cut differently, over a real connection: the answer is
// an error, the connection ends, and what follows is never taken for a request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_server.h"

namespace tallyman::http {
namespace {

using testing::HasSubstr;

const std::string kHidden = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

class SmugglingTest : public testing::Test {
 protected:
  // Sends the request and then another one, which must not be answered.
  void expect_refused(const std::string& request, int status, std::string_view code) {
    RawClient client(server_.port());
    client.send(request + kHidden);
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, status) << request;
    EXPECT_THAT(answer.body, HasSubstr("{\"error\":\"")) << request;
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"" + std::string(code) + "\""))
        << request;
    EXPECT_EQ(answer.headers.find("Connection"), "close");
    EXPECT_TRUE(client.ends()) << request;
  }
  void expect_bad(const std::string& request) {
    expect_refused(request, 400, "BAD_REQUEST");
  }

  TestServer server_;
};

TEST_F(SmugglingTest, RefusesTwoFramingsOfOneBody) {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\n";
  for (const std::string_view lines :
       {"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGET",
        "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", "Content-Length: 0, 44\r\n\r\n",
        "Content-Length: 00x\r\n\r\n", "Content-Length: -1\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, cow\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "Foo: bar\r\n\tContent-Length: 5\r\n\r\n", "Content-Length: 5\nX: y\r\n\r\n",
        "X: y\nTransfer-Encoding: chunked\n\n", "X: \rContent-Length: 5\r\n\r\n"}) {
    expect_bad(head + std::string(lines));
  }
  expect_bad("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST_F(SmugglingTest, RefusesAbusedChunks) {
  for (const std::string_view chunks :
       {"0x0\r\n\r\n", "-0\r\n\r\n", "0 \r\n\r\n", "0\n\n", "0\r\n\n", "2\r\nab0\r\n\r\n",
        "2\nab\n0\n\n", "1\r\nab\r\n0\r\n\r\n", "10000000000000000\r\n\r\n",
        "0;\x7f\r\n\r\n", "\r\n0\r\n\r\n"}) {
    expect_bad(put_chunks("/echo", chunks));
  }
  expect_bad(put_chunks("/echo", "0;" + std::string(300, 'x') + "\r\n\r\n"));
}

TEST_F(SmugglingTest, RefusesUnclearHostsAndTargets) {
  expect_bad("GET /hello HTTP/1.1\r\n\r\n");
  expect_bad("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  for (const std::string_view target :
       {"/../hello", "/%2e%2e/hello", "/a/..%2fhello", "/hello%00", "/hello%",
        "/hello%zz", "\\hello", "/a\\..\\hello", "/%5c..%5chello", "hello", "/hello#x"}) {
    expect_bad("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
}

TEST_F(SmugglingTest, RefusesABareLineFeedWithoutWaitingForMore) {
  RawClient client(server_.port());
  client.send("GET /hello HTTP/1.1\n");
  EXPECT_EQ(client.read_answer().status, 400);
  EXPECT_TRUE(client.ends());
}

TEST_F(SmugglingTest, RefusesOtherProtocols) {
  expect_refused("GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505, "VERSION_NOT_SUPPORTED");
  expect_bad("\x16\x03\x01\x02\x01\x01\r\n\r\n");
  expect_bad(std::string("\0\0\0\r\n\r\n", 7));
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417,
                 "EXPECTATION_FAILED");
}

TEST_F(SmugglingTest, ToleratesOneEmptyLineBeforeARequest) {
  RawClient client(server_.port());
  client.send("\r\n" + get("/hello") + "\r\n" + get("/hello"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().status, 200);
  expect_bad("\r\n\r\n");
}

}  // namespace
}  // namespace tallyman::http
