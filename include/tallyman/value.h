// Value: one value of a record or a row, as a validator or an aggregate function sees it.
//
//   app.resource("transactions").validate("amount", [](const tallyman::Value& value) {
//     if (value.is_null()) return tallyman::Verdict::accept();
//     if (!value.text().starts_with('-')) return tallyman::Verdict::accept();
//     return tallyman::Verdict::reject("must not be negative");
//   });
//
// Lifetime: a view; it is valid during the call that it is given to.
// Threads:  immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tallyman {

class Value {
 public:
  enum class Kind : std::uint8_t {
    kNull,
    kInteger,
    kDecimal,
    kFloat,
    kBoolean,
    kText,
    kBytes
  };

  // `text` is the value as text: digits of a number exactly as they are kept, "true" or
  // "false", text as it is, bytes as they are.
  constexpr Value(Kind kind, std::string_view text) : kind_(kind), text_(text) {}
  static constexpr Value null() { return Value(Kind::kNull, {}); }

  constexpr Kind kind() const { return kind_; }
  constexpr bool is_null() const { return kind_ == Kind::kNull; }

  // Empty for NULL. A decimal is exact here, to its last digit.
  constexpr std::string_view text() const { return text_; }

  // Nothing where the value is not a whole number in the range of the type.
  std::optional<std::int64_t> integer() const;
  // The nearest double; nothing where the value is no number.
  std::optional<double> number() const;

 private:
  Kind kind_;
  std::string_view text_;
};

// What a validator says of a value.
class [[nodiscard]] Verdict {
 public:
  static Verdict accept() { return Verdict({}, true); }
  // `rule` is shown to the sender: it says what is wanted, never what was sent.
  static Verdict reject(std::string rule) { return Verdict(std::move(rule), false); }

  bool accepted() const { return accepted_; }
  const std::string& rule() const { return rule_; }

 private:
  Verdict(std::string rule, bool accepted)
      : rule_(std::move(rule)), accepted_(accepted) {}

  std::string rule_;
  bool accepted_;
};

}  // namespace tallyman
