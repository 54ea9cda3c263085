#include "target/field_checker.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/utf8.h"

namespace tallyman {
namespace {

bool is_numeric(Value::Kind kind) {
  return kind == Value::Kind::kInteger || kind == Value::Kind::kDecimal ||
         kind == Value::Kind::kFloat;
}

Result<std::optional<Decimal>> read_bound(const Field& field, std::string_view what,
                                          const std::optional<std::string>& text) {
  if (!text) return std::optional<Decimal>();
  auto bound = Decimal::parse(*text);
  if (bound) return bound;
  return Error{ErrorCode::kInvalidArgument,
               "field \"" + field.name + "\": the " + std::string(what) +
                   " must be a decimal number, not \"" + *text + "\""};
}

// At most so many are shown in a message.
constexpr std::size_t kChoicesShownMax = 20;

}  // namespace

std::string list_choices(const std::vector<std::string>& choices) {
  std::string text;
  for (std::size_t i = 0; i < std::min(choices.size(), kChoicesShownMax); ++i) {
    text += (i == 0 ? "" : ", ") + choices[i];
  }
  if (choices.size() > kChoicesShownMax) {
    text += " and " + std::to_string(choices.size() - kChoicesShownMax) + " more";
  }
  return text;
}

FieldChecker::FieldChecker(const Field& field) : field_(field.name) {}
FieldChecker::FieldChecker(FieldChecker&&) noexcept = default;
FieldChecker& FieldChecker::operator=(FieldChecker&&) noexcept = default;
FieldChecker::~FieldChecker() = default;

Result<FieldChecker> FieldChecker::make(const Field& field) {
  FieldChecker checker(field);
  const FieldRules& rules = field.rules;
  checker.max_length_ = field.max_length;
  if (rules.max_length) {
    checker.max_length_ =
        std::min(*rules.max_length, checker.max_length_.value_or(*rules.max_length));
  }
  TALLY_TRY_ASSIGN(checker.minimum_, read_bound(field, "minimum", rules.minimum));
  TALLY_TRY_ASSIGN(checker.maximum_, read_bound(field, "maximum", rules.maximum));
  checker.choices_ = rules.choices;
  checker.choices_text_ = list_choices(rules.choices);
  std::sort(checker.choices_.begin(), checker.choices_.end());
  if (rules.pattern) {
    RE2::Options options(RE2::Quiet);
    checker.pattern_ = std::make_unique<RE2>(*rules.pattern, options);
    if (!checker.pattern_->ok()) {
      return Error{ErrorCode::kInvalidArgument,
                   "field \"" + field.name + "\": the pattern cannot be read: " +
                       checker.pattern_->error() + "; use the syntax of RE2"};
    }
  }
  checker.validators_ = rules.validators;
  checker.trivial_ = !checker.minimum_ && !checker.maximum_ && checker.choices_.empty() &&
                     !checker.pattern_ && checker.validators_.empty();
  return checker;
}

bool FieldChecker::is_too_long(std::string_view text) const {
  return max_length_ && text.size() > *max_length_ && utf8_length(text) > *max_length_;
}

RecordError FieldChecker::too_long() const {
  return error(RecordErrorCode::kValueTooLong,
               "must not be longer than " + std::to_string(max_length_.value_or(0)) +
                   " characters");
}

std::optional<RecordError> FieldChecker::check(const Value& value) const {
  if (value.is_null()) return std::nullopt;
  if (auto broken = check_range(value)) return broken;
  if (value.kind() == Value::Kind::kText && is_too_long(value.text())) return too_long();
  if (auto broken = check_choices(value)) return broken;
  if (pattern_ &&
      !RE2::FullMatch(re2::StringPiece(value.text().data(), value.text().size()),
                      *pattern_)) {
    return error(RecordErrorCode::kValidationFailed,
                 "must match the pattern " + pattern_->pattern());
  }
  return check_validators(value);
}

std::optional<RecordError> FieldChecker::check_range(const Value& value) const {
  if ((!minimum_ && !maximum_) || !is_numeric(value.kind())) return std::nullopt;
  const auto number = Decimal::parse(value.text());
  if (minimum_ && (!number || *number < *minimum_)) {
    return error(RecordErrorCode::kValueOutOfRange,
                 "must not be less than " + minimum_->to_string());
  }
  if (maximum_ && (!number || *number > *maximum_)) {
    return error(RecordErrorCode::kValueOutOfRange,
                 "must not be greater than " + maximum_->to_string());
  }
  return std::nullopt;
}

std::optional<RecordError> FieldChecker::check_choices(const Value& value) const {
  if (choices_.empty()) return std::nullopt;
  if (std::binary_search(choices_.begin(), choices_.end(), value.text())) {
    return std::nullopt;
  }
  if (is_numeric(value.kind())) {  // 1.50 is the choice 1.5.
    const auto number = Decimal::parse(value.text());
    const bool known =
        std::any_of(choices_.begin(), choices_.end(), [&](const auto& choice) {
          const auto other = Decimal::parse(choice);
          return number && other && *number == *other;
        });
    if (known) return std::nullopt;
  }
  return error(RecordErrorCode::kInvalidChoice, "must be one of: " + choices_text_);
}

std::optional<RecordError> FieldChecker::check_validators(const Value& value) const {
  for (const Validator& validator : validators_) {
    try {
      const Verdict verdict = validator(value);
      if (!verdict.accepted()) {
        return error(RecordErrorCode::kValidationFailed, verdict.rule());
      }
    } catch (...) {  // What it says may quote the value.
      return error(RecordErrorCode::kValidationFailed,
                   "could not be validated: the validator threw an exception");
    }
  }
  return std::nullopt;
}

RecordError FieldChecker::error(RecordErrorCode code, std::string message) const {
  return {code, field_, std::move(message)};
}

}  // namespace tallyman
