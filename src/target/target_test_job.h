// What a Target's tests run: a job over a table, at any window size, on either path, and
// what came of it as text that reads like the results of the REST face.
//
//   const TargetJob job{.table = "people", .upload = "id,age\n1,41\n2,old\n"};
//   EXPECT_THAT(run_everywhere(make_backend, schema, job),
//               ElementsAre("created 1", "failed INVALID_TYPE age"));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "db/database.h"
#include "model/content.h"
#include "target/target.h"
#include "target/test_upload.h"

namespace tallyman {

// A database of its own, and its tables as a Target.
class TargetBackend {
 public:
  virtual ~TargetBackend() = default;
  virtual Target& target() = 0;
  virtual db::Database& database() = 0;
  virtual void execute(const std::string& sql) = 0;
  // Rows as text, values by '|'.
  virtual std::vector<std::string> query(const std::string& sql) = 0;
  virtual std::string scratch_file() = 0;
};
using MakeTargetBackend = std::function<std::unique_ptr<TargetBackend>()>;

struct TargetJob {
  Operation operation = Operation::kInsert;
  std::string table;
  ContentType type = ContentType::kCsv;
  std::string upload;
  std::vector<std::string> unique_fields;
  std::optional<std::vector<std::string>> update_fields;
  OnDuplicate on_duplicate = OnDuplicate::kSequence;
  std::optional<std::uint64_t> failures_max;  // Of the whole job.
  std::function<void(Resource&)> tighten;     // Rules of the configuration.
};

struct TargetRun {
  std::vector<std::string> results;  // "created 7", "failed NOT_FOUND id", "unprocessed".
  std::vector<std::string> messages;  // Of the failed records.
  std::vector<UnitOutcomes> units;
  Resource resource;

  RowIdSourceMaker ids() const {
    return [this]() -> RowIdSource {
      return [this, next = std::size_t{0}](UnitOutcomes& into) mutable -> Result<bool> {
        if (next == units.size()) return false;
        into = units[next++];
        return true;
      };
    };
  }
};

namespace internal {

inline void append_id(const UnitOutcomes& unit, std::size_t i, std::string& into) {
  switch (unit.ids.kind) {
    case RowIdKind::kNone: return;
    case RowIdKind::kInteger:
      into.append(" ").append(std::to_string(unit.ids.integers[i]));
      return;
    case RowIdKind::kText: into.append(" ").append(unit.ids.text(i)); return;
  }
}

inline void add_results(const UnitOutcomes& unit, TargetRun& run) {
  auto error = unit.errors.begin();
  for (std::size_t i = 0; i < unit.size(); ++i) {
    std::string result(name(unit.outcomes[i]));
    if (unit.outcomes[i] == Outcome::kFailed) {
      ASSERT_TRUE(error != unit.errors.end() && error->first == i);
      result.append(" ").append(name(error->second.code));
      if (!error->second.field.empty()) result.append(" ").append(error->second.field);
      run.messages.push_back(error->second.message);
      ++error;
    } else {
      append_id(unit, i, result);
    }
    run.results.push_back(std::move(result));
  }
  ASSERT_TRUE(error == unit.errors.end());
}

// One unit in a transaction of its own; again where a trigger has rolled it back.
inline UnitOutcomes write_unit(TargetBackend& backend, JobWriter& writer,
                               const BoundWindow& bound, const WriteOptions& options) {
  for (std::size_t attempt = 0; attempt <= bound.size(); ++attempt) {
    auto transaction = backend.database().begin_write(std::chrono::seconds(5));
    CHECK(transaction.ok());
    auto outcomes = writer.write(*transaction.value(), bound, SliceNumber(0), options);
    if (outcomes.ok()) {
      const auto committed = transaction.value()->commit();
      EXPECT_TRUE(committed.ok()) << committed.error().message;
      return std::move(outcomes).value();
    }
    transaction.value()->rollback();
    EXPECT_EQ(outcomes.error().code, ErrorCode::kLost) << outcomes.error().message;
    if (outcomes.error().code != ErrorCode::kLost) break;
  }
  ADD_FAILURE() << "the unit was never written";
  return {};
}

}  // namespace internal

inline TargetRun run_job(TargetBackend& backend, const TargetJob& job,
                         std::size_t window_records, bool general_path) {
  TargetRun run;
  auto resource = backend.target().introspect(job.table);
  EXPECT_TRUE(resource.ok()) << resource.error().message;
  if (!resource.ok()) return run;
  run.resource = std::move(resource).value();
  if (job.tighten) job.tighten(run.resource);

  const TestUpload upload(job.type, job.upload, run.resource);
  WriteSpec spec;
  spec.operation = job.operation;
  spec.columns = upload.columns();
  spec.sparse = job.type != ContentType::kCsv;
  spec.unique_fields = job.unique_fields;
  spec.update_fields = job.update_fields;
  spec.on_duplicate = job.on_duplicate;
  spec.general_path = general_path;
  auto writer = backend.target().make_writer(run.resource, spec);
  EXPECT_TRUE(writer.ok()) << writer.error().message;
  if (!writer.ok()) return run;

  std::unique_ptr<KeyTable> keys;
  if (job.on_duplicate != OnDuplicate::kSequence) {
    auto made = writer.value()->make_key_table(backend.scratch_file());
    EXPECT_TRUE(made.ok()) << made.error().message;
    keys = std::move(made).value();
    for (const Window& window : upload.windows(window_records)) {
      EXPECT_TRUE(keys->add(*writer.value()->bind(window, SliceSet{})).ok());
    }
  }

  std::uint64_t failed = 0;
  for (const Window& window : upload.windows(window_records)) {
    const auto bound = writer.value()->bind(window, SliceSet{});
    WriteOptions options;
    options.keys = keys.get();
    if (job.failures_max) options.failures_max = *job.failures_max - failed;
    UnitOutcomes unit = internal::write_unit(backend, *writer.value(), *bound, options);
    if (keys) {
      EXPECT_TRUE(keys->add_applied(*bound, unit).ok());
    }
    internal::add_results(unit, run);
    failed += unit.errors.size();
    run.units.push_back(std::move(unit));
    if (job.failures_max && failed > *job.failures_max) break;
  }
  while (run.results.size() < upload.size()) run.results.push_back("unprocessed");
  return run;
}

// Runs a job on a fresh database in every way there is, and holds each of them to the
// first: window size 1 on the general path. `queries`: what the end is told by.
struct EverywhereRun {
  std::vector<std::string> results;
  std::vector<std::string> messages;
  std::vector<std::vector<std::string>> rows;  // Of each query.
};

inline EverywhereRun run_everywhere(const MakeTargetBackend& make,
                                    const std::string& schema, const TargetJob& job,
                                    const std::vector<std::string>& queries = {}) {
  const auto run_once = [&](std::size_t window_records, bool general_path) {
    const auto backend = make();
    backend->execute(schema);
    TargetRun run = run_job(*backend, job, window_records, general_path);
    EverywhereRun ended{std::move(run.results), std::move(run.messages), {}};
    for (const std::string& query : queries) ended.rows.push_back(backend->query(query));
    return ended;
  };
  const EverywhereRun oracle = run_once(1, true);
  for (const bool general_path : {true, false}) {
    for (const std::size_t window_records : {1, 2, 1000}) {
      SCOPED_TRACE("window size " + std::to_string(window_records) +
                   (general_path ? ", general path" : ", any path"));
      const EverywhereRun ended = run_once(window_records, general_path);
      EXPECT_EQ(ended.results, oracle.results);
      EXPECT_EQ(ended.messages, oracle.messages);
      EXPECT_EQ(ended.rows, oracle.rows);
    }
  }
  return oracle;
}

}  // namespace tallyman
