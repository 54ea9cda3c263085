#include "http/outgoing_response.h"

#include <fmt/format.h>

#include <string>

#include "http/exception_name.h"
#include "http/response_head.h"

namespace tallyman::http {
namespace {

// One system call each; larger ones gain nothing.
constexpr std::size_t kBufferBytes = 64 * 1024;
// Every chunk's size is written with this many digits, so that it can be filled in later.
constexpr std::size_t kSizeDigits = 8;

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

// Gathers what a stream writes and sends it as chunks (or bare, for HTTP/1.0).
class StreamSink final : public BodySink {
 public:
  StreamSink(Channel& channel, std::string head, bool chunked,
             const std::atomic<bool>& stopping)
      : channel_(channel),
        stopping_(stopping),
        chunked_(chunked),
        buffer_(std::move(head)) {
    begin_chunk();
  }

  Result<void> write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, kBufferBytes - chunk_bytes());
      buffer_ += part;
      bytes.remove_prefix(part.size());
      if (chunk_bytes() == kBufferBytes) TALLY_TRY(flush());
    }
    return {};
  }

  Result<void> flush() override {
    end_chunk();
    TALLY_TRY(send());
    begin_chunk();
    return {};
  }

  bool stopping() const override { return stopping_.load(std::memory_order_relaxed); }

  Result<void> finish() {
    end_chunk();
    if (chunked_) buffer_ += "0\r\n\r\n";
    return send();
  }

  bool sent_anything() const { return sent_anything_; }
  bool lost_peer() const { return lost_peer_; }

 private:
  Result<void> send() {
    sent_anything_ = true;
    auto sent = channel_.write(buffer_);
    lost_peer_ = !sent.ok();
    buffer_.clear();
    return sent;
  }

  std::size_t chunk_bytes() const { return buffer_.size() - data_at_; }

  void begin_chunk() {
    size_at_ = buffer_.size();
    if (chunked_) {
      buffer_.append(kSizeDigits, '0');
      buffer_ += "\r\n";
    }
    data_at_ = buffer_.size();
  }

  void end_chunk() {
    if (!chunked_) return;
    if (chunk_bytes() == 0) {
      // An empty chunk would be the last one.
      buffer_.resize(size_at_);
      return;
    }
    fmt::format_to(buffer_.begin() + static_cast<std::ptrdiff_t>(size_at_), "{:08x}",
                   chunk_bytes());
    buffer_ += "\r\n";
  }

  Channel& channel_;
  const std::atomic<bool>& stopping_;
  const bool chunked_;
  std::string buffer_;
  std::size_t size_at_ = 0;
  std::size_t data_at_ = 0;
  bool sent_anything_ = false;
  bool lost_peer_ = false;
};

SendReport report(const Result<void>& sent) {
  return {sent.ok() ? Sent::kWhole : Sent::kCut};
}

SendReport send_stream(Channel& channel, const Response& response, std::string head,
                       const AnswerTo& to) {
  StreamSink sink(channel, std::move(head), to.http_1_1, to.stopping);
  const auto failed = [&](std::string problem, bool may_pass) -> SendReport {
    if (sink.lost_peer()) return {Sent::kCut};
    return {sink.sent_anything() ? Sent::kCut : Sent::kNothing, std::move(problem),
            may_pass};
  };
  try {
    if (auto streamed = response.stream(sink); !streamed.ok()) {
      return failed(streamed.error().message, is_transient(streamed.error().code));
    }
  } catch (...) {
    return failed(current_exception_name(), false);
  }
  return report(sink.finish());
}

SendReport send_whole(Channel& channel, const std::string& body, std::string head) {
  if (body.size() <= kBufferBytes) return report(channel.write(head += body));
  if (auto sent = channel.write(head); !sent.ok()) return report(sent);
  return report(channel.write(body));
}

ResponseFraming framing_of(const Response& response, const AnswerTo& to) {
  if (has_no_body(response.status)) {
    return {.framing = BodyFraming::kNone, .keep_alive = to.keep_alive};
  }
  if (!response.stream) {
    return {.framing = BodyFraming::kLength,
            .content_length = response.body.size(),
            .keep_alive = to.keep_alive};
  }
  if (to.http_1_1) return {.framing = BodyFraming::kChunked, .keep_alive = to.keep_alive};
  return {.framing = BodyFraming::kToClose, .keep_alive = false};
}

}  // namespace

SendReport send_response(Channel& channel, const Response& response, const AnswerTo& to) {
  const ResponseFraming framing = framing_of(response, to);
  std::string head;
  append_response_head(head, response, framing);
  if (to.head_request || framing.framing == BodyFraming::kNone) {
    return report(channel.write(head));
  }
  if (response.stream) return send_stream(channel, response, std::move(head), to);
  return send_whole(channel, response.body, std::move(head));
}

}  // namespace tallyman::http
