// ServerLimits: what one server gives to its peers, each with its reason.
//
// Together they bound the memory and the threads that peers can take, whatever they do.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tallyman::http {

struct ServerLimits {
  // A connection waiting for its request costs a descriptor and about a kilobyte. Above:
  // 503 and close.
  std::size_t connections_max = 8192;
  // One peer cannot take every connection; half of them, because all clients behind one
  // proxy share an address. Above: 429 and close.
  std::size_t connections_per_address_max = 4096;
  // Request line and headers: aggregates and control totals may stand in the query.
  // Above: 431.
  std::size_t header_bytes_max = 32 * 1024;
  // From the first byte of a request (and from the start of a TLS handshake) to the end
  // of its head. A head is one or two packets; longer is a peer that wants to hold on.
  // Above: 408.
  std::chrono::milliseconds header_time = std::chrono::seconds(10);
  // Between two requests of a connection. Clients' pools mostly drop theirs after 60 s or
  // more; an early end only costs them a new connection. Above: close.
  std::chrono::milliseconds idle_time = std::chrono::seconds(75);
  // How long a transfer may lag: in any such time spent waiting for the peer, up or down,
  // at least this time multiplied by transfer_bytes_per_second_min has to move. Time that
  // the handler takes does not count. Longer than the pauses of a mobile network. Above:
  // 408 on the way up, a cut answer on the way down.
  std::chrono::milliseconds body_idle_time = std::chrono::seconds(30);
  // Slower than any line on which a bulk upload makes sense.
  std::uint64_t transfer_bytes_per_second_min = 512;
  // A request under way holds a thread. Many, because a thread that waits for a slow peer
  // costs little; how many handlers work at the same time is for the layers above.
  std::size_t request_threads_max = 1024;
  // Requests that wait for a thread. Above, or past request_wait_time: 503 and close.
  std::size_t requests_waiting_max = 2048;
  std::chrono::milliseconds request_wait_time = std::chrono::seconds(10);
  // A thread without a request for this long ends: a crowd's threads go with it.
  std::chrono::milliseconds thread_idle_time = std::chrono::seconds(30);
  // Only while requests wait for a thread: a transfer that was waited for this long, and
  // moved less meanwhile than transfer_bytes_per_second_min asks for, is cut; the longest
  // first, one for each that waits.
  std::chrono::milliseconds stalled_time_under_pressure = std::chrono::seconds(1);
  // Of a body that a handler left unread this much is read and thrown away, so that the
  // connection can be kept. Above: close.
  std::size_t drain_bytes_max = 256 * 1024;
};

}  // namespace tallyman::http
