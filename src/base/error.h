// What went wrong, as a value.
//
// One flat list of codes serves the whole program. The API turns a code into an
// HTTP status and the worker turns it into "try again" or "give up"; both do so
// in a `switch` without `default`, so a new code does not compile until each of
// them has decided what it means.
//
// Something wrong with a *record* is not an Error: it is an outcome (model/outcome.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tallyman {

enum class ErrorCode {
  kInvalidArgument,   // The caller asked for something that can never work.
  kUnauthenticated,   // No token, or one that is not known or has expired.
  kForbidden,         // The token is good, but may not do this.
  kNotFound,          // No such job, resource, table or file, or not yours.
  kConflict,          // Not allowed in the present state; nothing was changed.
  kGone,              // It was here, and its retention is over.
  kTooLarge,          // A limit in model/limits.h was passed.
  kUnsupportedMedia,  // A content type or encoding that is not read here.
  kUnreadable,  // The bytes are not what they say they are (a bad header line, bad gzip).
  kTooMany,     // A rate or a quota was passed. Worth a retry later.
  kUnavailable,  // A database or disk does not answer now. Worth a retry.
  kOutOfSpace,   // The disk is full. Nothing was stored.
  kLost,      // The lease, epoch or transaction is no longer ours; nothing was written.
  kInternal,  // None of the above; always logged.
};

struct Error {
  ErrorCode code;
  // For a person. Names the thing, the limit and the next step: "job 17: ...". Never
  // holds a value of a record.
  std::string message;
  // The stable code of the REST face ("INVALID_STATE"), where it is more precise than
  // what `code` alone says; else empty.
  std::string detail_code = {};

  // Puts "context: " before the message, for the layer that knows more.
  Error with_context(std::string_view context) && {
    message.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }
};

// True when the same call may succeed later without anyone changing anything.
constexpr bool is_transient(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kTooMany: return true;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kForbidden:
    case ErrorCode::kNotFound:
    case ErrorCode::kConflict:
    case ErrorCode::kGone:
    case ErrorCode::kTooLarge:
    case ErrorCode::kUnsupportedMedia:
    case ErrorCode::kUnreadable:
    case ErrorCode::kOutOfSpace:
    case ErrorCode::kLost:
    case ErrorCode::kInternal: return false;
  }
  return false;
}

}  // namespace tallyman
