#include "http/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace tallyman::http {
namespace {

// Unsent bytes beyond which a socket is not writable: without it, one that a slow reader
// empties at 30 KB/s would seem to stand still for a minute between two writes.
constexpr int kUnsentBytes = 256 * 1024;

void set_option(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

Error cannot_listen(const std::string& where, int error_number) {
  return {ErrorCode::kUnavailable, "cannot listen on " + where + ": " +
                                       std::strerror(error_number) +
                                       "; choose another address or port"};
}

std::uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const bytes =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(
                &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
          : static_cast<const void*>(
                &reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (::inet_ntop(address.ss_family, bytes, text.data(), text.size()) == nullptr)
    return "?";
  std::string_view view = text.data();
  constexpr std::string_view kMapped = "::ffff:";
  if (view.starts_with(kMapped) && view.find('.') != std::string_view::npos) {
    view.remove_prefix(kMapped.size());
  }
  return std::string(view);
}

}  // namespace

Result<Listener> listen_on(const std::string& address, std::uint16_t port) {
  const std::string where = address + " port " + std::to_string(port);
  addrinfo wanted{};
  wanted.ai_flags = AI_PASSIVE;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem =
      ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (problem != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 "cannot listen on " + where + ": " + ::gai_strerror(problem)};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
  Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                             found->ai_protocol));
  if (!socket.is_open()) return cannot_listen(where, errno);
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (found->ai_family == AF_INET6)
    set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    return cannot_listen(where, errno);
  }
  const std::uint16_t bound = port_of(socket.get());
  return Listener{std::move(socket), bound};
}

AcceptResult accept_one(int listener) {
  while (true) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    Descriptor socket(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &length,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.is_open()) {
      set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
      set_option(socket.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes);
      return {Accepted{std::move(socket), text_of(address)}};
    }
    switch (errno) {
      case EINTR:
      case ECONNABORTED: continue;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM: return {std::nullopt, AcceptProblem::kOutOfDescriptors};
      default: return {std::nullopt, AcceptProblem::kNobody};
    }
  }
}

std::uint64_t allow_open_files(std::uint64_t descriptors) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur >= descriptors) return limit.rlim_cur;
  limit.rlim_cur = std::min<rlim_t>(descriptors, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace tallyman::http
