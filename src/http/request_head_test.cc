#include "http/request_head.h"

#include <gtest/gtest.h>

namespace tallyman::http {
namespace {

std::variant<RequestHead, Fault> parse(std::string_view text) {
  return parse_request_head(text);
}

RequestHead read(std::string_view text) {
  auto head = parse(text);
  if (const auto* fault = std::get_if<Fault>(&head)) {
    ADD_FAILURE() << text << ": " << fault->message;
    return {};
  }
  return std::get<RequestHead>(std::move(head));
}

int status_of(std::string_view text) {
  const auto head = parse(text);
  const auto* fault = std::get_if<Fault>(&head);
  return fault == nullptr ? 0 : fault->status;
}

std::string with(std::string_view lines) {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

TEST(RequestHeadTest, ReadsAWholeHead) {
  const RequestHead head = read(
      "PATCH /a/b?c=d HTTP/1.1\r\nHost: h:80\r\nX-One:  a b \r\nx-one:\t2\r\n"
      "Content-Length: 12\r\n\r\n");
  EXPECT_EQ(head.method, "PATCH");
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(head.query.size(), 1U);
  EXPECT_EQ(head.headers.find("X-ONE"), "a b");
  EXPECT_EQ(head.headers.all().size(), 4U);
  EXPECT_TRUE(head.http_1_1);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.body_kind, RequestBodyKind::kLength);
  EXPECT_EQ(head.content_length, 12U);
}

TEST(RequestHeadTest, KnowsWhoWantsToStay) {
  EXPECT_TRUE(read(with("")).keep_alive);
  EXPECT_FALSE(read(with("Connection: close\r\n")).keep_alive);
  EXPECT_FALSE(read(with("Connection: x, Close\r\n")).keep_alive);
  EXPECT_FALSE(read("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_FALSE(
      read("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keep_alive);
  EXPECT_TRUE(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST(RequestHeadTest, KnowsTheKindOfBody) {
  EXPECT_EQ(read(with("")).body_kind, RequestBodyKind::kNone);
  EXPECT_EQ(read(with("Content-Length: 0\r\n")).body_kind, RequestBodyKind::kNone);
  EXPECT_EQ(read(with("Transfer-Encoding: Chunked\r\n")).body_kind,
            RequestBodyKind::kChunked);
  EXPECT_EQ(read(with("Content-Length: 9223372036854775807\r\n")).content_length,
            9223372036854775807U);
}

TEST(RequestHeadTest, HearsAnExpectationOnlyWhereABodyCanFollow) {
  EXPECT_TRUE(
      read(with("Content-Length: 1\r\nExpect: 100-Continue\r\n")).expects_continue);
  EXPECT_FALSE(read(with("Expect: 100-continue\r\n")).expects_continue);
  EXPECT_FALSE(
      read("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
          .expects_continue);
  EXPECT_EQ(status_of(with("Expect: a-miracle\r\n")), 417);
}

TEST(RequestHeadTest, RefusesTwoReadingsOfTheBody) {
  for (const std::string_view lines :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5,6\r\n",
        "Content-Length:\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: 5a\r\n",
        "Content-Length: ,5\r\n",
        "Content-Length: 9223372036854775808\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\x0b"
        "chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n Content-Length: 5\r\n",
        "X:\r\n\tchunked\r\n",
        "Content-Length : 5\r\n",
        "Content\tLength: 5\r\n",
        ": x\r\n",
        "no colon\r\n",
        "X: a\rb\r\n",
        "X: a\nY: b\r\n"}) {
    EXPECT_EQ(status_of(with(lines)), 400) << lines;
  }
  EXPECT_EQ(status_of(with(std::string_view("X: a\0b\r\n", 8))), 400) << "NUL";
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestHeadTest, WantsExactlyOneHost) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"), 400);
  for (const std::string_view host :
       {"", "a b", "a,b", "a/b", "user@a", "a?b", "a#b", "a\\b"}) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400)
        << host;
  }
  EXPECT_EQ(status_of("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET http://a/ HTTP/1.1\r\nHost: A\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 0);
}

TEST(RequestHeadTest, WantsOneStrictRequestLine) {
  for (const std::string_view line :
       {"GET /", "GET", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1",
        "GET\t/ HTTP/1.1", "G@T / HTTP/1.1", "GET /a b HTTP/1.1",
        "CONNECT host:443 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET /\x80 HTTP/1.1"}) {
    EXPECT_NE(status_of(std::string(line) + "\r\nHost: a\r\n\r\n"), 0) << line;
  }
  for (const std::string_view version :
       {"HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "http/1.1", "HTTP/11"}) {
    EXPECT_EQ(status_of("GET / " + std::string(version) + "\r\nHost: a\r\n\r\n"), 505)
        << version;
  }
}

TEST(RequestHeadTest, CountsHeaderLines) {
  std::string lines;
  for (std::size_t i = 1; i < kHeaderLinesMax; ++i) lines += "X: y\r\n";
  EXPECT_EQ(status_of(with(lines)), 0) << "at the limit, with Host";
  EXPECT_EQ(status_of(with(lines + "X: y\r\n")), 431);
}

TEST(RequestHeadTest, FindsItsEndWhereverTheBytesAreCut) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest\n";
  const std::size_t size = text.size() - 5;
  for (std::size_t first = 0; first <= text.size(); ++first) {
    const HeadEnd early = find_head_end(std::string_view(text).substr(0, first), 0);
    EXPECT_FALSE(early.bare_line_feed);
    EXPECT_EQ(early.size, first < size ? 0 : size);
    if (early.size > 0) continue;
    EXPECT_EQ(find_head_end(text, first).size, size) << first;
  }
  EXPECT_TRUE(find_head_end("GET / HTTP/1.1\n", 0).bare_line_feed);
  EXPECT_TRUE(find_head_end("\n", 0).bare_line_feed);
}

}  // namespace
}  // namespace tallyman::http
