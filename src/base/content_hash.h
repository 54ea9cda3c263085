// ContentHash: a fingerprint of a stream of bytes (BLAKE2b, 256 bits, by libsodium).
//
// Threads: one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tallyman {

class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(const ContentHash&) = delete;
  ContentHash& operator=(const ContentHash&) = delete;

  void update(std::string_view bytes);
  // 64 hex digits. REQUIRES: called once, nothing after it.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tallyman
