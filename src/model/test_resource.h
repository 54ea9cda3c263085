// The resource that the tests of this folder ask about.
#pragma once

#include <string>

#include "model/resource.h"

namespace tallyman {

inline Field make_field(std::string field_name, FieldType type) {
  Field field;
  field.name = std::move(field_name);
  field.type = type;
  return field;
}

// transactions(id, amount, ratio, category, day, active, note, blob, "a.b"); the primary
// key is id, a unique key is (category, day); "largest" is a custom aggregate.
inline Resource make_test_resource() {
  Resource resource;
  resource.name = "transactions";
  resource.table = "transactions";
  resource.fields = {
      make_field("id", FieldType::kInteger),  make_field("amount", FieldType::kDecimal),
      make_field("ratio", FieldType::kFloat), make_field("category", FieldType::kText),
      make_field("day", FieldType::kDate),    make_field("active", FieldType::kBoolean),
      make_field("note", FieldType::kJson),   make_field("blob", FieldType::kBytes),
      make_field("a.b", FieldType::kInteger),
  };
  resource.keys = {{"transactions_pkey", {0}, true}, {"by_day", {3, 4}, false}};
  resource.aggregates["largest"] = {};
  return resource;
}

}  // namespace tallyman
