// Connection: one accepted socket and everything known about it, handed back and forth
// between the poller (while it waits) and a request thread (while a request is under
// way).
//
// Ownership: whoever holds the unique_ptr. Threads: the holder's; `wait_state` and
// Transport::shut_down() from any while it is known to live.
// Memory: about a kilobyte while idle; a head and 32 KiB at most while a request arrives.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "http/channel.h"
#include "http/fault.h"
#include "http/input_buffer.h"
#include "http/intake.h"
#include "http/transport.h"

namespace tallyman::http {

// What a waiting connection waits for; each has its own time limit.
enum class Phase { kHandshake, kIdle, kHead, kBody, kEnding };
constexpr std::size_t kPhases = 5;

struct Connection {
  Connection(std::unique_ptr<Transport> its_transport, std::string address,
             std::size_t header_bytes_max)
      : transport(std::move(its_transport)),
        remote_address(std::move(address)),
        intake(header_bytes_max) {}

  const std::unique_ptr<Transport> transport;
  const std::string remote_address;
  InputBuffer input;
  Intake intake;
  WaitState wait_state;
  std::optional<Fault> refusal;  // To be said as soon as the handshake is over.

  // The poller's own.
  Phase phase = Phase::kHandshake;
  std::chrono::steady_clock::time_point deadline;
  std::list<std::unique_ptr<Connection>>::iterator place;
  bool registered = false;  // With epoll.
};

using ConnectionList = std::list<std::unique_ptr<Connection>>;

enum class Readiness { kReady, kFault, kWantsRead, kWantsWrite, kClosed };

// Reads what has arrived, without blocking, until a request is ready or nothing is left.
Readiness receive(Connection& connection);

// What is to become of a connection after its request.
enum class After {
  kKeep,  // The next request may come.
  kEnd,   // Nothing more is sent; what the peer still sends is thrown away until it ends.
  kClose,  // At once.
};

}  // namespace tallyman::http
