#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <climits>

#include "base/check.h"
#include "http/transport.h"

namespace tallyman::http {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { SSL_free(session); }
};

std::string last_problem() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(int descriptor, std::unique_ptr<SSL, FreeSession> session)
      : Transport(descriptor), session_(std::move(session)) {}

  Transferred handshake() override {
    ERR_clear_error();
    return judge(SSL_accept(session_.get()), 0);
  }
  Transferred read(std::span<char> into) override {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int answer = SSL_read_ex(session_.get(), into.data(), into.size(), &bytes);
    return judge(answer, bytes);
  }
  Transferred write(std::string_view bytes) override {
    ERR_clear_error();
    std::size_t written = 0;
    const int answer = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
    return judge(answer, written);
  }
  bool holds_input() const override { return SSL_has_pending(session_.get()) == 1; }
  void end_writing() override {
    // After a fatal error SSL_shutdown must not be called (SSL_get_error, manual).
    if (!broken_ && SSL_is_init_finished(session_.get())) SSL_shutdown(session_.get());
    ERR_clear_error();
    ::shutdown(descriptor_, SHUT_WR);
  }

 private:
  Transferred judge(int answer, std::size_t bytes) {
    if (answer == 1) return {TransferState::kDone, bytes};
    switch (SSL_get_error(session_.get(), answer)) {
      case SSL_ERROR_WANT_READ: return {TransferState::kWantsRead};
      case SSL_ERROR_WANT_WRITE: return {TransferState::kWantsWrite};
      default: broken_ = true; return {TransferState::kClosed};
    }
  }

  const std::unique_ptr<SSL, FreeSession> session_;
  bool broken_ = false;
};

class OpenSslContext final : public TlsContext {
 public:
  explicit OpenSslContext(std::unique_ptr<SSL_CTX, FreeContext> context)
      : context_(std::move(context)) {}

  std::unique_ptr<Transport> accept(int descriptor) override {
    std::unique_ptr<SSL, FreeSession> session(SSL_new(context_.get()));
    CHECK(session != nullptr);
    CHECK(SSL_set_fd(session.get(), descriptor) == 1);
    return std::make_unique<TlsTransport>(descriptor, std::move(session));
  }

 private:
  const std::unique_ptr<SSL_CTX, FreeContext> context_;
};

Error cannot_use(const std::string& what, const std::string& file) {
  return {ErrorCode::kInvalidArgument,
          "cannot use the TLS " + what + " file \"" + file + "\": " + last_problem()};
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::load(const std::string& certificate_file,
                                                     const std::string& key_file) {
  std::unique_ptr<SSL_CTX, FreeContext> context(SSL_CTX_new(TLS_server_method()));
  CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // A client could make the server do a handshake's work over and over on one connection.
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Released buffers: an idle connection costs kilobytes, not two records of 16 KiB.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // A key with a password would otherwise make the server wait at its terminal.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return cannot_use("certificate", certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) !=
          1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return cannot_use("key", key_file);
  }
  return std::unique_ptr<TlsContext>(new OpenSslContext(std::move(context)));
}

}  // namespace tallyman::http
