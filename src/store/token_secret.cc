#include "store/token_secret.h"

#include <sodium.h>

#include "base/check.h"

namespace tallyman {
namespace {

constexpr std::string_view kPrefix = "tly_";
constexpr std::size_t kSecretBytes = 32;
constexpr auto kBase64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t kSecretLength =
    kPrefix.size() + sodium_base64_ENCODED_LEN(kSecretBytes, kBase64) - 1;
static_assert(crypto_generichash_BYTES == std::tuple_size_v<TokenHash>);

}  // namespace

std::string new_token_secret(Random& random) {
  std::array<std::uint8_t, kSecretBytes> bytes;
  random.fill(bytes);
  std::array<char, sodium_base64_ENCODED_LEN(kSecretBytes, kBase64)> text;
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kBase64);
  sodium_memzero(bytes.data(), bytes.size());
  return std::string(kPrefix) + text.data();
}

bool is_token_secret(std::string_view secret) {
  return secret.size() == kSecretLength && secret.starts_with(kPrefix);
}

TokenHash hash_of_secret(std::string_view secret) {
  CHECK(sodium_init() >= 0);
  TokenHash hash;
  crypto_generichash(hash.data(), hash.size(),
                     reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                     nullptr, 0);
  return hash;
}

bool is_same_hash(const TokenHash& hash, std::span<const std::uint8_t> stored) {
  return stored.size() == hash.size() &&
         sodium_memcmp(stored.data(), hash.data(), hash.size()) == 0;
}

}  // namespace tallyman
