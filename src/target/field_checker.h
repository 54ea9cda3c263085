// FieldChecker: the rules of a field, made ready to be asked once a value.
//
//   TALLY_TRY_ASSIGN(const auto checker, FieldChecker::make(field));
//   if (!checker.trivial()) {
//     if (auto error = checker.check(Value(Value::Kind::kText, "Food"))) ...
//   }
//
// Order: minimum and maximum, length, choices, pattern, validators; the first that is
// broken is the error. NULL passes all of them.
//
// Threads: any number may check at once.
// Errors:  kInvalidArgument  a pattern or a bound that cannot be read; names the field
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.h"
#include "base/result.h"
#include "model/outcome.h"
#include "model/resource.h"
#include "tallyman/value.h"

namespace re2 {
class RE2;
}

namespace tallyman {

// "a, b, c", for messages: the first twenty, and how many more there are.
std::string list_choices(const std::vector<std::string>& choices);

class FieldChecker {
 public:
  static Result<FieldChecker> make(const Field& field);
  FieldChecker(FieldChecker&&) noexcept;
  FieldChecker& operator=(FieldChecker&&) noexcept;
  ~FieldChecker();

  // No rule beside a length.
  bool trivial() const { return trivial_; }
  // Code points of the longest text; nothing: any.
  bool is_too_long(std::string_view text) const;
  RecordError too_long() const;

  std::optional<RecordError> check(const Value& value) const;

 private:
  explicit FieldChecker(const Field& field);

  std::optional<RecordError> check_range(const Value& value) const;
  std::optional<RecordError> check_choices(const Value& value) const;
  std::optional<RecordError> check_validators(const Value& value) const;
  RecordError error(RecordErrorCode code, std::string message) const;

  std::string field_;
  bool trivial_ = true;
  std::optional<std::uint32_t> max_length_;  // The smaller of the type's and the rule's.
  std::optional<Decimal> minimum_;
  std::optional<Decimal> maximum_;
  std::vector<std::string> choices_;
  std::string choices_text_;
  std::unique_ptr<re2::RE2> pattern_;
  std::vector<Validator> validators_;
};

}  // namespace tallyman
