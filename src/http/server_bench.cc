// How many small requests a second, and how many bytes a second up and down, over
// loopback. Clients and server share the machine's cores.
#include "http/server.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "http/raw_client.h"

namespace tallyman::http {
namespace {

constexpr std::size_t kTransferBytes = std::size_t{256} << 20;

Response handle(Request& request) {
  std::vector<char> buffer(request.method == "PUT" ? 1 << 20 : 1);
  if (request.method == "PUT") {
    while (true) {
      const auto count = request.body->read(buffer);
      if (!count.ok()) return Response::empty(400);
      if (count.value() == 0) return Response::empty(204);
    }
  }
  if (request.path == "/download") {
    Response response;
    response.stream = [](BodySink& sink) -> Result<void> {
      const std::string piece(64 * 1024, 'x');
      for (std::size_t sent = 0; sent < kTransferBytes; sent += piece.size()) {
        TALLY_TRY(sink.write(piece));
      }
      return {};
    };
    return response;
  }
  return Response::json(200, R"({"hello":true})");
}

Server& server() {
  static const std::unique_ptr<Server> instance = [] {
    auto started = Server::start({}, handle);
    CHECK(started.ok());
    return std::move(started).value();
  }();
  return *instance;
}

void BM_SmallRequests(benchmark::State& state) {
  RawClient client(server().port());
  for (auto _ : state) {
    client.send(
        "GET /api/users/jobs/17/status/ HTTP/1.1\r\nHost: localhost\r\nAccept: "
        "*/*\r\n\r\n");
    char answer[1024];
    benchmark::DoNotOptimize(::recv(client.descriptor(), answer, sizeof answer, 0));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SmallRequests)->ThreadRange(1, 16)->UseRealTime();

// Eight requests in one packet: what the server itself costs, with fewer system calls.
void BM_PipelinedRequests(benchmark::State& state) {
  RawClient client(server().port());
  std::string requests;
  for (int i = 0; i < 8; ++i) {
    requests +=
        "GET /api/users/jobs/17/status/ HTTP/1.1\r\nHost: localhost\r\nAccept: "
        "*/*\r\n\r\n";
  }
  for (auto _ : state) {
    client.send(requests);
    for (int i = 0; i < 8; ++i) CHECK(client.read_answer().status == 200);
  }
  state.SetItemsProcessed(state.iterations() * 8);
}
BENCHMARK(BM_PipelinedRequests)->ThreadRange(1, 4)->UseRealTime();

void BM_Upload(benchmark::State& state) {
  RawClient client(server().port());
  const std::string piece(1 << 20, 'x');
  for (auto _ : state) {
    client.send("PUT /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                std::to_string(kTransferBytes) + "\r\n\r\n");
    for (std::size_t sent = 0; sent < kTransferBytes; sent += piece.size())
      client.send(piece);
    CHECK(client.read_answer().status == 204);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kTransferBytes));
}
BENCHMARK(BM_Upload)->UseRealTime();

void BM_ChunkedUpload(benchmark::State& state) {
  RawClient client(server().port());
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (auto _ : state) {
    client.send(
        "PUT /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (std::size_t sent = 0; sent < kTransferBytes; sent += 0x10000) client.send(chunk);
    client.send("0\r\n\r\n");
    CHECK(client.read_answer().status == 204);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kTransferBytes));
}
BENCHMARK(BM_ChunkedUpload)->UseRealTime();

void BM_Download(benchmark::State& state) {
  RawClient client(server().port());
  std::vector<char> buffer(1 << 20);
  for (auto _ : state) {
    client.send("GET /download HTTP/1.1\r\nHost: localhost\r\n\r\n");
    std::size_t got = 0;
    std::string last;
    while (!last.ends_with("\r\n0\r\n\r\n")) {
      const ssize_t count = ::recv(client.descriptor(), buffer.data(), buffer.size(), 0);
      CHECK(count > 0);
      got += static_cast<std::size_t>(count);
      const auto tail = std::min<std::size_t>(static_cast<std::size_t>(count), 7);
      last.append(buffer.data() + count - tail, tail);
      if (last.size() > 7) last.erase(0, last.size() - 7);
    }
    CHECK(got > kTransferBytes);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kTransferBytes));
}
BENCHMARK(BM_Download)->UseRealTime();

}  // namespace
}  // namespace tallyman::http
