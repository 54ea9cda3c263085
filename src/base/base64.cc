#include "base/base64.h"

#include <sodium.h>

namespace tallyman {

void append_base64(std::string& out, std::string_view bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  const std::size_t before = out.size();
  const std::size_t with_end = sodium_base64_encoded_len(bytes.size(), kVariant);
  out.resize(before + with_end);
  sodium_bin2base64(out.data() + before, with_end,
                    reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    kVariant);
  out.resize(before + with_end - 1);
}

}  // namespace tallyman
