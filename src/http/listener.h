// Listening sockets, and the addresses of those who come.
//
// Threads: none of its own. Errors: kInvalidArgument for an address that is none,
// kUnavailable where it cannot be listened on; both name it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/descriptor.h"

namespace tallyman::http {

struct Listener {
  Descriptor socket;
  std::uint16_t port;  // The one that was found where 0 was asked for.
};

// `address` is numeric or a name: "127.0.0.1", "::", "localhost".
Result<Listener> listen_on(const std::string& address, std::uint16_t port);

struct Accepted {
  Descriptor socket;           // Without blocking.
  std::string remote_address;  // "127.0.0.1"; an IPv4 peer of an IPv6 socket likewise.
};

enum class AcceptProblem { kNobody, kOutOfDescriptors };

struct AcceptResult {
  std::optional<Accepted> accepted;
  AcceptProblem problem = AcceptProblem::kNobody;  // Where nobody was accepted.
};

AcceptResult accept_one(int listener);

// Raises the process's soft limit of open files to what `descriptors` need, as far as the
// hard limit goes. Gives the limit that holds then.
std::uint64_t allow_open_files(std::uint64_t descriptors);

}  // namespace tallyman::http
