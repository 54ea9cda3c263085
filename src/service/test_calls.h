// What the service's tests share: callers, and what a call was refused with.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "worker/test_engine.h"

namespace tallyman {

inline Caller caller(std::string owner, std::vector<std::string> scopes = {"*"}) {
  return {
      .name = owner + "-laptop", .owner = std::move(owner), .scopes = std::move(scopes)};
}

// For a service beside the engine's own, over the same database: after a restart, say.
inline JobService::Parts service_parts(const WorkerParts& parts) {
  return {.catalog = parts.catalog,
          .target = parts.target,
          .jobs = parts.jobs,
          .ledger = parts.ledger,
          .aggregates = parts.aggregates,
          .payloads = parts.payloads,
          .clock = parts.clock,
          .random = parts.random};
}

// "DETAIL_CODE" of what was refused with `code`; else what happened instead.
template <class T>
std::string refusal(ErrorCode code, const Result<T>& result) {
  if (result.ok()) return "it was not refused";
  if (result.error().code != code) return "another code: " + result.error().message;
  return result.error().detail_code;
}

inline constexpr const char* kPeople =
    "create table people (id integer primary key, name text, age integer)";

}  // namespace tallyman
