#include "http/intake.h"

#include <algorithm>

#include "base/check.h"

namespace tallyman::http {

Intake::State Intake::advance(InputBuffer& input) {
  if (state_ == State::kEmpty || state_ == State::kHead) state_ = advance_head(input);
  if (state_ == State::kBody) state_ = advance_body(input);
  return state_;
}

RequestHead Intake::take_head() {
  CHECK(state_ == State::kReady);
  RequestHead head = *std::move(head_);
  *this = Intake(header_bytes_max_);
  return head;
}

Intake::State Intake::fail(Fault fault) {
  fault_ = std::move(fault);
  return State::kFault;
}

Intake::State Intake::advance_head(InputBuffer& input) {
  // One empty line before a request is forgiven (RFC 9112, 2.2).
  if (!skipped_empty_line_ && input.view().starts_with("\r\n")) {
    skipped_empty_line_ = true;
    searched_ = 0;
    input.consume(2);
  }
  // What stands behind the limit has no say: how much of it is here depends on the
  // network.
  const std::string_view arrived = input.view().substr(0, header_bytes_max_);
  if (arrived.empty()) return State::kEmpty;
  const HeadEnd end = find_head_end(arrived, searched_);
  searched_ = arrived.size();
  if (end.bare_line_feed) {
    return fail(Fault::bad_request("a line of the request head does not end with CR LF"));
  }
  if (end.size == 0 && input.view().size() > header_bytes_max_) {
    return fail(Fault::header_too_large(
        "the request head is longer than " + std::to_string(header_bytes_max_) +
        " bytes; send less in the query and the headers"));
  }
  if (end.size == 0) return State::kHead;
  auto parsed = parse_request_head(arrived.substr(0, end.size));
  if (auto* fault = std::get_if<Fault>(&parsed)) return fail(std::move(*fault));
  head_ = std::get<RequestHead>(std::move(parsed));
  input.consume(end.size);
  searched_ = 0;
  return State::kBody;
}

Intake::State Intake::advance_body(const InputBuffer& input) {
  if (head_->expects_continue) return State::kReady;
  const std::size_t arrived = input.view().size();
  switch (head_->body_kind) {
    case RequestBodyKind::kNone: return State::kReady;
    case RequestBodyKind::kLength:
      return arrived >= std::min<std::uint64_t>(head_->content_length, kFirstBodyBytes)
                 ? State::kReady
                 : State::kBody;
    case RequestBodyKind::kChunked:
      return arrived >= kFirstBodyBytes ? State::kReady : advance_chunked(input.view());
  }
  CHECK(false);
  return State::kBody;
}

Intake::State Intake::advance_chunked(std::string_view arrived) {
  while (searched_ < arrived.size()) {
    const auto step = decoder_.next(arrived.substr(searched_));
    if (!step.ok()) return fail(Fault::bad_request(step.error().message));
    searched_ += step.value().consumed;
    if (decoder_.done()) return State::kReady;
  }
  return State::kBody;
}

}  // namespace tallyman::http
