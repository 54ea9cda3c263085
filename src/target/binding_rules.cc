#include "target/binding_rules.h"

namespace tallyman {

using enum RecordErrorCode;

BindingRules BindingRules::make(const Resource& resource, const WritePlan& plan,
                                const std::function<bool(const Field&)>& null_makes_one) {
  BindingRules rules;
  const bool inserts =
      plan.operation == Operation::kInsert || plan.operation == Operation::kUpsert;
  const bool whole =
      plan.operation == Operation::kInsert || plan.operation == Operation::kReplace;
  rules.null_key_is_missing = plan.operation != Operation::kUpsert;

  for (std::size_t column = 0; column < plan.fields.size(); ++column) {
    if (!plan.bound[column]) continue;
    const Field& field = resource.fields[plan.fields[column]];
    if (plan.is_key_column(column)) {
      rules.keys.push_back({column,
                            {kRequiredFieldMissing, field.name,
                             "is part of the key; the record must have it"}});
    } else if (whole && field.required() && field.writable()) {
      rules.required.push_back(
          {column, {kRequiredFieldMissing, field.name, "is required"}});
    }
    if (!field.nullable && !(inserts && null_makes_one(field))) {
      rules.not_null.push_back(
          {column, {kNotNullViolation, field.name, "must not be NULL"}});
    }
  }
  return rules;
}

bool may_bind(const Field& field, const WritePlan& plan, std::size_t column) {
  const bool finds = plan.is_key_column(column) && plan.operation != Operation::kUpsert;
  return field.writable() || finds;
}

}  // namespace tallyman
