#include "model/operation.h"

#include "base/check.h"

namespace tallyman {

std::string_view name(Operation operation) {
  switch (operation) {
    case Operation::kInsert: return "insert";
    case Operation::kUpsert: return "upsert";
    case Operation::kUpdate: return "update";
    case Operation::kReplace: return "replace";
    case Operation::kDelete: return "delete";
  }
  CHECK(false);
}

std::optional<Operation> operation_from_name(std::string_view text) {
  for (const Operation operation : kAllOperations) {
    if (name(operation) == text) return operation;
  }
  return std::nullopt;
}

}  // namespace tallyman
