// Transport: the bytes of one connection, plain or TLS, without ever blocking.
//
//   const Transferred got = transport.read(buffer);
//   if (got.state == TransferState::kWantsRead) poll(transport.descriptor(), POLLIN);
//
// Ownership: owns its socket. Threads: one at a time; only shut_down() may be called
// beside. Errors: a broken connection is kClosed, whatever broke it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"

namespace tallyman::http {

enum class TransferState {
  kDone,        // `bytes` were moved, at least one.
  kWantsRead,   // Nothing can be moved until the socket is readable ...
  kWantsWrite,  // ... or writable. TLS may want either for either.
  kClosed,      // The peer has ended or broken the connection.
};

struct Transferred {
  TransferState state;
  std::size_t bytes = 0;
};

class Transport {
 public:
  // Takes the socket.
  explicit Transport(int descriptor) : descriptor_(descriptor) {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport();

  // kDone at once where there is nothing to agree on.
  virtual Transferred handshake() = 0;
  // REQUIRES: `into` and `bytes` are not empty.
  virtual Transferred read(std::span<char> into) = 0;
  virtual Transferred write(std::string_view bytes) = 0;
  // Bytes have been taken off the socket and not been read: it need not become readable.
  virtual bool holds_input() const = 0;
  // Tells the peer that nothing more is sent; reading goes on.
  virtual void end_writing() = 0;

  int descriptor() const { return descriptor_; }
  // Breaks the connection under whoever waits for it. The descriptor stays open.
  void shut_down();
  // Makes closing a reset: the peer sees a broken answer, not an ended one.
  void reset_on_close();

 protected:
  const int descriptor_;
};

// For every thread that writes: a connection that the peer has closed is kClosed to it,
// not a signal that ends the process.
void block_sigpipe();

std::unique_ptr<Transport> make_plain_transport(int descriptor);

// The server's certificate and key, read once.
class TlsContext {
 public:
  // PEM files; the certificate's chain follows it in its file. kInvalidArgument, naming
  // the file, where they cannot be read or do not belong together.
  static Result<std::unique_ptr<TlsContext>> load(const std::string& certificate_file,
                                                  const std::string& key_file);
  virtual ~TlsContext() = default;
  virtual std::unique_ptr<Transport> accept(int descriptor) = 0;
};

}  // namespace tallyman::http
