#include "model/resource.h"

#include <algorithm>

#include "base/check.h"

namespace tallyman {

std::string_view name(FieldType type) {
  switch (type) {
    case FieldType::kInteger: return "integer";
    case FieldType::kDecimal: return "decimal";
    case FieldType::kFloat: return "float";
    case FieldType::kBoolean: return "boolean";
    case FieldType::kText: return "text";
    case FieldType::kDate: return "date";
    case FieldType::kTime: return "time";
    case FieldType::kTimestamp: return "timestamp";
    case FieldType::kUuid: return "uuid";
    case FieldType::kJson: return "json";
    case FieldType::kBytes: return "bytes";
    case FieldType::kAny: return "any";
  }
  CHECK(false);
}

std::optional<std::size_t> Resource::field_place(std::string_view field_name) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
    return field.name == field_name;
  });
  if (found == fields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - fields.begin());
}

std::vector<std::string> Resource::field_names() const {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const Field& field : fields) names.push_back(field.name);
  return names;
}

const Key* Resource::key_of(const std::vector<std::string>& names) const {
  std::vector<std::size_t> wanted;
  for (const std::string& field_name : names) {
    const auto place = field_place(field_name);
    if (!place) return nullptr;
    wanted.push_back(*place);
  }
  for (const Key& key : keys) {
    if (std::is_permutation(key.fields.begin(), key.fields.end(), wanted.begin(),
                            wanted.end())) {
      return &key;
    }
  }
  return nullptr;
}

}  // namespace tallyman
