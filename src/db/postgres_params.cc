#include "db/postgres_params.h"

namespace tallyman::db {

std::string_view PostgresArray::wire() {
  put_wire32(bytes_.data(), count_ == 0 ? 0 : 1);  // Dimensions.
  put_wire32(bytes_.data() + 4, has_null_ ? 1 : 0);
  put_wire32(bytes_.data() + 8, element_);
  put_wire32(bytes_.data() + 12, count_);
  put_wire32(bytes_.data() + 16, 1);  // The lower bound.
  return count_ == 0 ? std::string_view(bytes_).substr(0, kArrayHeadBytes)
                     : std::string_view(bytes_);
}

void PostgresParams::add_integers(std::span<const std::int64_t> integers) {
  PostgresArray array(kInt8Oid);
  array.reserve(integers.size() * 12);
  for (const std::int64_t integer : integers) array.add_integer(integer);
  kept_.emplace_back(array.wire());
  push(kept_.back().data(), kept_.back().size(), kInt8ArrayOid, true);
}

}  // namespace tallyman::db
