#include "base/content_hash.h"

#include <sodium.h>

#include "base/check.h"

namespace tallyman {

struct ContentHash::State {
  crypto_generichash_state hash;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) {
  CHECK(sodium_init() >= 0);
  CHECK(crypto_generichash_init(&state_->hash, nullptr, 0, crypto_generichash_BYTES) ==
        0);
}

ContentHash::~ContentHash() = default;

void ContentHash::update(std::string_view bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  CHECK(crypto_generichash_update(&state_->hash, data, bytes.size()) == 0);
}

std::string ContentHash::finish() {
  unsigned char digest[crypto_generichash_BYTES];
  CHECK(crypto_generichash_final(&state_->hash, digest, sizeof digest) == 0);
  std::string hex(2 * sizeof digest + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), digest, sizeof digest);
  hex.pop_back();
  return hex;
}

}  // namespace tallyman
