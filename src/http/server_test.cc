#include "http/server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/intake.h"
#include "http/test_server.h"

namespace tallyman::http {
namespace {

using testing::HasSubstr;

class ServerTest : public testing::Test {
 protected:
  RawClient connect() { return RawClient(server_.port()); }
  Answer ask(std::string_view request) {
    RawClient client = connect();
    client.send(request);
    return client.read_answer();
  }

  TestServer server_;
};

TEST_F(ServerTest, GivesTheHandlerTheRequest) {
  const Answer answer = ask(put("//describe?a=1+2&b", "12345"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "PUT /describe from 127.0.0.1 a=1 2 b= length 5");
}

TEST_F(ServerTest, WritesFramingItselfAndLetsNoValueAddAHeader) {
  const Answer answer = ask(get("/describe"));
  EXPECT_EQ(answer.headers.find("X-Evil"), "a  Set-Cookie: b");
  EXPECT_EQ(answer.headers.find("Set-Cookie"), std::nullopt);
  EXPECT_EQ(answer.headers.find("Content-Length"), std::to_string(answer.body.size()));
  EXPECT_TRUE(answer.headers.find("Date"));
}

TEST_F(ServerTest, KeepsTheConnectionForTheNextRequest) {
  RawClient client = connect();
  for (int i = 0; i < 100; ++i) {
    client.send(put("/echo", "body " + std::to_string(i)));
    EXPECT_EQ(client.read_answer().body, "body " + std::to_string(i));
  }
}

TEST_F(ServerTest, ClosesWhenAsked) {
  RawClient client = connect();
  client.send(get("/hello", "Connection: close\r\n"));
  EXPECT_EQ(client.read_answer().headers.find("Connection"), "close");
  EXPECT_TRUE(client.ends());
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrderWhereverTheyAreCut) {
  const std::string requests = put("/echo", "one") + get("/hello") +
                               put_chunks("/echo", "3\r\ntwo\r\n0\r\n\r\n") +
                               put("/ignore", "unread") + put("/echo", "three");
  for (std::size_t cut = 0; cut <= requests.size(); ++cut) {
    RawClient client = connect();
    client.send(requests.substr(0, cut));
    client.send(requests.substr(cut));
    EXPECT_EQ(client.read_answer().body, "one") << cut;
    EXPECT_EQ(client.read_answer().body, R"({"hello":true})") << cut;
    EXPECT_EQ(client.read_answer().body, "two") << cut;
    EXPECT_EQ(client.read_answer().status, 204) << cut;
    EXPECT_EQ(client.read_answer().body, "three") << cut;
  }
}

TEST_F(ServerTest, ReadsBodiesOfEveryLengthAroundItsBuffers) {
  RawClient client = connect();
  for (const std::size_t base :
       {std::size_t{1}, kFirstBodyBytes, std::size_t{64 * 1024}}) {
    for (std::size_t size = base - 1; size <= base + 1; ++size) {
      const std::string body(size, 'b');
      for (const std::string_view path : {"/echo", "/echo?buffer=1000"}) {
        client.send(put(path, body));
        EXPECT_TRUE(client.read_answer().body == body) << size;
        std::string chunks = "0\r\n\r\n";
        if (size > 0) chunks = fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", size, body);
        client.send(put_chunks(path, chunks));
        EXPECT_TRUE(client.read_answer().body == body) << size;
      }
    }
  }
}

TEST_F(ServerTest, ReadsAChunkedBodyIntoASmallBuffer) {
  std::string chunks;
  std::string body;
  for (std::size_t size = 1; size < 300; ++size) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    body += piece;
    chunks += fmt::format("{:X};x=y\r\n{}\r\n", size, piece);
  }
  RawClient client = connect();
  for (const std::string_view path :
       {"/echo?buffer=1", "/echo?buffer=7", "/echo?buffer=99999"}) {
    client.send(put_chunks(path, chunks + "0\r\n\r\n"));
    EXPECT_TRUE(client.read_answer().body == body) << path;
  }
}

TEST_F(ServerTest, SaysContinueWhenTheHandlerFirstReads) {
  RawClient client = connect();
  client.send(
      "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100);
  client.send("body");
  EXPECT_EQ(client.read_answer().body, "body");
  client.send(get("/hello"));
  EXPECT_EQ(client.read_answer().status, 200) << "and keeps the connection";
}

TEST_F(ServerTest, DoesNotSayContinueToWhoDidNotWait) {
  RawClient client = connect();
  client.send(put("/echo", "body", "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(ServerTest, DoesNotSayContinueForABodyNobodyWants) {
  RawClient client = connect();
  client.send(
      "PUT /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: "
      "100-continue\r\n\r\n");
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.find("Connection"), "close");
  EXPECT_TRUE(client.ends());
}

TEST_F(ServerTest, ClosesRatherThanReadALongBodyNobodyWants) {
  const ServerLimits limits;
  RawClient client = connect();
  const std::string body(limits.drain_bytes_max, 'x');
  client.send(put("/ignore", body));
  EXPECT_EQ(client.read_answer().headers.find("Connection"), "keep-alive")
      << "at the limit";
  client.send(put("/ignore", body + "x"));
  EXPECT_EQ(client.read_answer().headers.find("Connection"), "close") << "above";
  EXPECT_TRUE(client.ends());
}

TEST_F(ServerTest, ClosesRatherThanWaitForALongChunkNobodyWants) {
  RawClient client = connect();
  client.send("PUT /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
              std::string("fffffffffffffff\r\n") + std::string(kFirstBodyBytes, 'x'));
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.find("Connection"), "close");
  EXPECT_TRUE(client.ends());
}

TEST_F(ServerTest, StopsDrainingAChunkedBodyThatGoesOn) {
  RawClient client = connect();
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  std::string chunks;
  for (int i = 0; i < 10; ++i) chunks += chunk;
  client.send(put_chunks("/ignore", chunks + "0\r\n\r\n"));
  EXPECT_EQ(client.read_answer().status, 204);
  EXPECT_TRUE(client.ends());
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  RawClient client = connect();
  client.send(
      "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nHEAD /stream?pieces=1&bytes=9 "
      "HTTP/1.1\r\nHost: "
      "a\r\n\r\n" +
      get("/hello"));
  EXPECT_EQ(client.read_answer(true).headers.find("Content-Length"), "14");
  EXPECT_EQ(client.read_answer(true).headers.find("Transfer-Encoding"), "chunked");
  EXPECT_EQ(client.read_answer().body, R"({"hello":true})");
}

TEST_F(ServerTest, SendsNoLengthWithoutABody) {
  const Answer answer = ask(get("/ignore"));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.find("Content-Length"), std::nullopt);
}

TEST_F(ServerTest, StreamsChunks) {
  RawClient client = connect();
  for (const std::string_view more : {"", "&flush"}) {
    for (const std::size_t bytes : {0, 1, 1000, 65535, 65536, 65537, 300000}) {
      client.send(
          get("/stream?pieces=5&bytes=" + std::to_string(bytes) + std::string(more)));
      const Answer answer = client.read_answer();
      ASSERT_FALSE(answer.cut);
      ASSERT_EQ(answer.body.size(), 5 * bytes);
      for (std::size_t i = 0; i < 5 && bytes > 0; ++i) {
        EXPECT_EQ(answer.body[i * bytes], static_cast<char>('a' + i));
        EXPECT_EQ(answer.body[(i + 1) * bytes - 1], static_cast<char>('a' + i));
      }
    }
  }
}

TEST_F(ServerTest, SpeaksHttp10) {
  RawClient client = connect();
  client.send(
      "GET /stream?pieces=3&bytes=70000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.headers.find("Transfer-Encoding"), std::nullopt);
  EXPECT_EQ(answer.headers.find("Connection"), "close");
  EXPECT_EQ(answer.body.size(), 210'000U);

  RawClient keeping = connect();
  keeping.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(keeping.read_answer().headers.find("Connection"), "keep-alive");
  keeping.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(keeping.read_answer().headers.find("Connection"), "close");
  EXPECT_TRUE(keeping.ends());
}

TEST_F(ServerTest, AnswersAPeerThatHasEndedItsSide) {
  RawClient client = connect();
  client.send(get("/hello") + put("/echo", "last"));
  client.end_sending();
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().body, "last");
  EXPECT_TRUE(client.ends());
}

TEST_F(ServerTest, CatchesWhatAHandlerThrows) {
  RawClient client = connect();
  for (const std::string_view path : {"/throw", "/throw-other", "/throw-in-stream"}) {
    RawClient one = connect();
    one.send(get(path));
    const Answer answer = one.read_answer();
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_THAT(answer.body, HasSubstr(R"("code":"INTERNAL")"));
    EXPECT_THAT(answer.body, Not(HasSubstr("4711")));
  }
  client.send(get("/throw") + get("/hello"));
  EXPECT_EQ(client.read_answer().status, 500);
  EXPECT_EQ(client.read_answer().status, 200) << "the connection is sound";
}

TEST_F(ServerTest, BreaksAnAnswerThatFailsHalfway) {
  for (const std::string_view path : {"/throw-late", "/fail-late"}) {
    const Answer answer = ask(get(path));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.cut) << path;
  }
}

TEST_F(ServerTest, TellsTheHandlerOfABodyThatIsCutShort) {
  const std::string_view whole = "8\r\nabcdefgh\r\n0\r\n\r\n";
  const std::string length(kFirstBodyBytes, 'x');
  for (const std::string& request :
       {put("/echo", length + "y").substr(0, put("/echo", length + "y").size() - 1),
        put_chunks("/echo", "4001\r\n" + length),
        put_chunks("/echo",
                   "4000\r\n" + length + "\r\n" + std::string(whole.substr(0, 9)))}) {
    RawClient client = connect();
    client.send(request);
    client.end_sending();
    EXPECT_EQ(client.read_answer().status, 422);
    EXPECT_EQ(server_.await_problem().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(client.ends());
  }
}

TEST_F(ServerTest, TellsTheHandlerOfBrokenChunksAndCloses) {
  RawClient client = connect();
  client.send(
      put_chunks("/echo", "4000\r\n" + std::string(kFirstBodyBytes, 'x') + "\r\nzz\r\n"));
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.headers.find("Connection"), "close");
  EXPECT_EQ(server_.await_problem().code, ErrorCode::kUnreadable);
  EXPECT_TRUE(client.ends());
}

TEST_F(ServerTest, ServesManyConnectionsAtOnce) {
  std::vector<std::future<int>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::async(std::launch::async, [this, i] {
      RawClient client = connect();
      int right = 0;
      for (int j = 0; j < 200; ++j) {
        const std::string body =
            std::to_string(i) + ":" + std::string(static_cast<std::size_t>(j * 50), 'x');
        client.send(put("/echo", body));
        right += client.read_answer().body == body;
      }
      return right;
    }));
  }
  for (auto& client : clients) EXPECT_EQ(client.get(), 200);
}

TEST_F(ServerTest, TakesALongUpload) {
  RawClient client = connect();
  const std::string piece(1 << 20, 'x');
  client.send("PUT /length HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n");
  for (int i = 0; i < 64; ++i) client.send(piece);
  EXPECT_EQ(client.read_answer().body, "67108864");
}

TEST(ServerStartTest, NamesAnAddressItCannotUse) {
  const auto handler = [](Request&) { return Response::empty(204); };
  const auto bad = Server::start({.address = "no such host"}, handler);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(bad.error().message, HasSubstr("no such host"));

  TestServer first;
  const auto taken = Server::start({.port = first.port()}, handler);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(taken.error().message, HasSubstr(std::to_string(first.port())));
}

TEST(ServerStartTest, ListensOnIpv6AndNamesIpv4PeersPlainly) {
  TestServer server({.address = "::"});
  RawClient client(server.port());
  client.send(get("/describe"));
  EXPECT_EQ(client.read_answer().body, "GET /describe from 127.0.0.1");
}

}  // namespace
}  // namespace tallyman::http
