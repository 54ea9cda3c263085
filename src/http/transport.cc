#include "http/transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace tallyman::http {
namespace {

class PlainTransport final : public Transport {
 public:
  using Transport::Transport;

  Transferred handshake() override { return {TransferState::kDone}; }

  Transferred read(std::span<char> into) override {
    ssize_t count;
    do {
      count = ::recv(descriptor_, into.data(), into.size(), MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return judge(count, TransferState::kWantsRead);
  }

  Transferred write(std::string_view bytes) override {
    ssize_t count;
    do {
      count =
          ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    return judge(count, TransferState::kWantsWrite);
  }

  bool holds_input() const override { return false; }
  void end_writing() override { ::shutdown(descriptor_, SHUT_WR); }

 private:
  static Transferred judge(ssize_t count, TransferState blocked) {
    if (count > 0) return {TransferState::kDone, static_cast<std::size_t>(count)};
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {blocked};
    return {TransferState::kClosed};
  }
};

}  // namespace

Transport::~Transport() { ::close(descriptor_); }

void Transport::shut_down() { ::shutdown(descriptor_, SHUT_RDWR); }

void Transport::reset_on_close() {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

// OpenSSL writes with write(2), which has no way to ask for no signal.
void block_sigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

std::unique_ptr<Transport> make_plain_transport(int descriptor) {
  return std::make_unique<PlainTransport>(descriptor);
}

}  // namespace tallyman::http
