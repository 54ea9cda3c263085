#include "http/channel.h"

#include <poll.h>

#include <cerrno>

namespace tallyman::http {
namespace {

using std::chrono::steady_clock;

Error gone() { return {ErrorCode::kUnavailable, "the peer closed the connection"}; }

}  // namespace

WaitState::Clock::duration WaitState::waiting_for(Clock::time_point now) const {
  const Clock::rep since = waits_since_.load(std::memory_order_relaxed);
  if (since == 0) return {};
  return now.time_since_epoch() - Clock::duration(since) +
         Clock::duration(waited_.load(std::memory_order_relaxed));
}

Result<std::size_t> Channel::read(std::span<char> into) {
  while (!state_.is_cut()) {
    const Transferred got = transport_.read(into);
    if (got.state == TransferState::kDone) {
      reading_.bytes += got.bytes;
      moved(got.bytes);
      return got.bytes;
    }
    if (got.state == TransferState::kClosed) return std::size_t{0};
    TALLY_TRY(wait(got.state, reading_));
  }
  return gone();
}

Result<void> Channel::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (state_.is_cut()) return gone();
    const Transferred sent = transport_.write(bytes);
    if (sent.state == TransferState::kDone) {
      writing_.bytes += sent.bytes;
      moved(sent.bytes);
      bytes.remove_prefix(sent.bytes);
      continue;
    }
    if (sent.state == TransferState::kClosed) return gone();
    TALLY_TRY(wait(sent.state, writing_));
  }
  return {};
}

void Channel::moved(std::uint64_t bytes) {
  moved_bytes_ += bytes;
  const auto needed =
      std::chrono::duration<double>(limits_.stalled_time_under_pressure).count() *
      static_cast<double>(limits_.transfer_bytes_per_second_min);
  if (static_cast<double>(moved_bytes_) < needed) return;
  moved_bytes_ = 0;
  stalled_ = {};
  state_.set_waited(stalled_);
}

// A window ends when its bytes have moved or its time is over; nothing is carried into
// the next one, so no burst pays for standing still later.
bool Channel::keeps_up(Window& window) {
  const auto needed = std::chrono::duration<double>(limits_.body_idle_time).count() *
                      static_cast<double>(limits_.transfer_bytes_per_second_min);
  const bool enough = window.bytes > 0 && static_cast<double>(window.bytes) >= needed;
  if (enough) window = {};
  return enough || window.waited < limits_.body_idle_time;
}

Result<void> Channel::wait(TransferState wanted, Window& window) {
  pollfd entry{.fd = transport_.descriptor(),
               .events = static_cast<short>(
                   wanted == TransferState::kWantsRead ? POLLIN : POLLOUT),
               .revents = 0};
  while (keeps_up(window)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        limits_.body_idle_time - window.waited);
    const auto started = steady_clock::now();
    state_.begin_wait(started);
    const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    state_.end_wait();
    const auto waited = steady_clock::now() - started;
    window.waited += waited;
    stalled_ += waited;
    state_.set_waited(stalled_);
    if (state_.is_cut()) return gone();
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return gone();
  }
  lagged_ = true;
  return Error{ErrorCode::kUnavailable,
               "the peer moved less than " +
                   std::to_string(limits_.transfer_bytes_per_second_min) +
                   " bytes a second; send or read faster"};
}

}  // namespace tallyman::http
