#include "api/access_log.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace tallyman {
namespace {

class CountingSink final : public http::BodySink {
 public:
  explicit CountingSink(http::BodySink& sink) : sink_(sink) {}
  Result<void> write(std::string_view bytes) override {
    bytes_ += bytes.size();
    return sink_.write(bytes);
  }
  Result<void> flush() override { return sink_.flush(); }
  bool stopping() const override { return sink_.stopping(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  http::BodySink& sink_;
  std::uint64_t bytes_ = 0;
};

void log_request(const AccessEntry& entry, int status, std::uint64_t bytes,
                 const Clock& clock, std::string_view end = "whole") {
  const std::chrono::duration<double, std::milli> taken = clock.steady() - entry.started;
  log_info("request", {{"method", entry.method},
                       {"route", entry.route},
                       {"status", std::to_string(status)},
                       {"bytes", std::to_string(bytes)},
                       {"milliseconds", fmt::format("{:.1f}", taken.count())},
                       {"token", entry.token},
                       {"end", std::string(end)}});
}

}  // namespace

http::Response with_access_log(http::Response response, AccessEntry entry,
                               const Clock& clock) {
  // A stream that answers HEAD is never run.
  if (entry.method == "HEAD") {
    log_request(entry, response.status, 0, clock);
    return response;
  }
  if (!response.stream) {
    log_request(entry, response.status, response.body.size(), clock);
    return response;
  }
  response.stream = [stream = std::move(response.stream), entry = std::move(entry),
                     status = response.status, &clock](http::BodySink& sink) {
    CountingSink counting(sink);
    Result<void> streamed = stream(counting);
    log_request(entry, status, counting.bytes(), clock, streamed.ok() ? "whole" : "cut");
    return streamed;
  };
  return response;
}

}  // namespace tallyman
