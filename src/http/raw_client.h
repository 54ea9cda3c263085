// RawClient: a socket to a server under test, which sends exactly the bytes it is told.
//
//   RawClient client(server.port());
//   client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   const Answer answer = client.read_answer();
//
// Ownership: owns its socket. Threads: one. For tests and benchmarks only: what fails
// ends the program, and reading past the end of the connection gives an empty answer.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/chunk_decoder.h"
#include "http/descriptor.h"
#include "http/message.h"

namespace tallyman::http {

struct Answer {
  int status = 0;  // 0: the connection ended before an answer.
  Headers headers;
  std::string body;
  bool cut = false;  // The connection ended inside it.
};

class RawClient {
 public:
  // `source` is the address to come from: 127.0.0.0/8 are many. `receive_bytes` bounds
  // the socket's receive buffer; 0 is the system's own.
  explicit RawClient(std::uint16_t port, const char* source = "127.0.0.1",
                     int receive_bytes = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_bytes > 0) {
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes,
                   sizeof receive_bytes);
    }
    const sockaddr_in from = address(source, 0);
    CHECK(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) ==
          0);
    const sockaddr_in to = address("127.0.0.1", port);
    CHECK(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) ==
          0);
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // A hanging server fails its test instead of hanging it.
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }

  // False where the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count =
          ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  void close() { socket_.reset(); }
  void end_sending() { ::shutdown(socket_.get(), SHUT_WR); }

  // `without_body` for the answer to HEAD and for 100 Continue.
  Answer read_answer(bool without_body = false) {
    Answer answer;
    std::size_t head_end;
    while ((head_end = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return answer;
    }
    read_head(answer, std::string_view(input_).substr(0, head_end + 2));
    input_.erase(0, head_end + 4);
    if (!without_body && answer.status >= 200 && answer.status != 204) read_body(answer);
    return answer;
  }

  // True where the server ends the connection without sending anything more.
  bool ends() { return input_.empty() && !receive(); }

  int descriptor() const { return socket_.get(); }

 private:
  static sockaddr_in address(const char* text, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    CHECK(::inet_pton(AF_INET, text, &result.sin_addr) == 1);
    return result;
  }

  bool receive() {
    char bytes[64 * 1024];
    const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    input_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  static void read_head(Answer& answer, std::string_view head) {
    answer.status = std::atoi(std::string(head.substr(9, 3)).c_str());
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const std::string_view line = head.substr(0, head.find("\r\n"));
      const std::size_t colon = line.find(": ");
      answer.headers.add(line.substr(0, colon), line.substr(colon + 2));
      head.remove_prefix(line.size() + 2);
    }
  }

  void read_body(Answer& answer) {
    if (const auto length = answer.headers.find("Content-Length")) {
      const std::size_t size = std::strtoull(std::string(*length).c_str(), nullptr, 10);
      while (input_.size() < size && !answer.cut) answer.cut = !receive();
      answer.body = input_.substr(0, size);
      input_.erase(0, size);
    } else if (answer.headers.find("Transfer-Encoding")) {
      ChunkDecoder decoder;
      while (!decoder.done() && !answer.cut) {
        const auto step = decoder.next(input_);
        CHECK(step.ok());
        answer.body += step.value().data;
        input_.erase(0, step.value().consumed);
        if (input_.empty() && !decoder.done()) answer.cut = !receive();
      }
    } else {
      while (receive()) {
      }
      answer.body.swap(input_);
    }
  }

  Descriptor socket_;
  std::string input_;
};

}  // namespace tallyman::http
