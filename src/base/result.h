// Result<T>: either a T or an Error. Result<void>: success or an Error.
//
//   Result<Job> find_job(JobId id);
//
//   TALLY_TRY_ASSIGN(const Job job, find_job(id));  // returns the Error upward
//   TALLY_TRY(sink.flush());
//
// The stand-in for C++23's std::expected, kept to what we use of it.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace tallyman {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }

  // REQUIRES: ok().
  const T& value() const& {
    CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::get<0>(std::move(state_));
  }

  // REQUIRES: !ok().
  const Error& error() const& {
    CHECK(!ok());
    return std::get<1>(state_);
  }
  Error&& error() && {
    CHECK(!ok());
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }

  // REQUIRES: !ok().
  const Error& error() const& {
    CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    CHECK(!ok());
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace tallyman

// Leaves the enclosing function with the error of `expression`, if it has one.
#define TALLY_TRY(expression) \
  TALLY_TRY_IMPL(TALLY_TRY_NAME(try_result_, __COUNTER__), expression)
#define TALLY_TRY_IMPL(name, expression)          \
  do {                                            \
    if (auto&& name = (expression); !name.ok()) { \
      return std::move(name).error();             \
    }                                             \
  } while (false)

// Same, and otherwise gives `declaration` the value. Expands to two statements:
// not usable as the body of an `if` without braces.
#define TALLY_TRY_ASSIGN(declaration, expression) \
  TALLY_TRY_ASSIGN_IMPL(TALLY_TRY_NAME(try_result_, __COUNTER__), declaration, expression)
#define TALLY_TRY_ASSIGN_IMPL(name, declaration, expression) \
  auto name = (expression);                                  \
  if (!name.ok()) return std::move(name).error();            \
  declaration = std::move(name).value()
#define TALLY_TRY_NAME(prefix, number)      TALLY_TRY_NAME_IMPL(prefix, number)
#define TALLY_TRY_NAME_IMPL(prefix, number) prefix##number
