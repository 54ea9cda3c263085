// What a client reads of jobs: status, lists, results, aggregates.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/time_text.h"
#include "client/client.h"
#include "client/job_request.h"

namespace tallyman::client {
namespace {

constexpr std::chrono::milliseconds kFirstLook{50};
constexpr std::chrono::milliseconds kLookEvery{1'000};

std::string list_path(const ListQuery& query) {
  std::string path = query.resource.empty()
                         ? std::string("/api/jobs/")
                         : fmt::format("/api/{}/jobs/", percent_encoded(query.resource));
  char separator = '?';
  const auto add = [&](std::string_view key, std::string_view value) {
    path += separator;
    path += fmt::format("{}={}", key, percent_encoded(value));
    separator = '&';
  };
  if (query.state) add("state", name(*query.state));
  if (query.operation) add("operation", name(*query.operation));
  if (!query.created_after.empty()) add("created_after", query.created_after);
  if (!query.created_before.empty()) add("created_before", query.created_before);
  if (query.limit) add("limit", std::to_string(*query.limit));
  return path;
}

// The time that a version 7 id was made: its first 48 bits (RFC 9562, section 5.7).
Timestamp time_of(const JobId& id) {
  std::int64_t millis = 0;
  for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | id.uuid().bytes()[i];
  return from_micros(millis * 1'000);
}

// A file that appears under its name only when it is whole.
class WholeFile {
 public:
  explicit WholeFile(std::string path)
      : path_(std::move(path)),
        part_path_(path_ + ".part"),
        file_(std::fopen(part_path_.c_str(), "wb")) {}
  ~WholeFile() {
    if (file_ == nullptr) return;
    std::fclose(file_);
    std::remove(part_path_.c_str());
  }
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  Result<void> write(std::string_view bytes) {
    if (file_ == nullptr) return failure("open");
    if (bytes.empty()) return {};  // It may have no address.
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return {};
    return failure("write");
  }

  Result<void> finish() {
    if (file_ == nullptr) return failure("open");
    const bool closed = std::fclose(file_) == 0;
    file_ = nullptr;
    if (closed && std::rename(part_path_.c_str(), path_.c_str()) == 0) return {};
    Error error = failure("write");
    std::remove(part_path_.c_str());
    return error;
  }

 private:
  Error failure(std::string_view what) const {
    return {errno == ENOSPC ? ErrorCode::kOutOfSpace : ErrorCode::kInvalidArgument,
            fmt::format("cannot {} {}: {}", what, path_, std::strerror(errno))};
  }

  std::string path_;
  std::string part_path_;
  std::FILE* file_;
};

}  // namespace

Result<JobStatus> Client::status(const JobReference& job) {
  TALLY_TRY_ASSIGN(const std::string json, get(job_path(job, "status/")));
  TALLY_TRY_ASSIGN(JobStatus status, parse_status(json));
  if (status.resource.empty()) status.resource = job.resource;
  return status;
}

Result<JobStatus> Client::wait(const JobReference& job, const StatusWatcher& watcher) {
  const Retries pause(options_.retry);
  std::chrono::milliseconds interval = kFirstLook;
  while (true) {
    TALLY_TRY_ASSIGN(JobStatus now, status(job));
    if (watcher) watcher(now);
    if (is_terminal(now.state)) return now;
    pause.wait(interval);
    interval = std::min(interval * 3 / 2, kLookEvery);
  }
}

Result<JobPage> Client::list(const ListQuery& query) {
  TALLY_TRY_ASSIGN(const std::string json, get(list_path(query)));
  return parse_page(json);
}

Result<JobPage> Client::next_page(const JobPage& page) {
  CHECK(!page.next.empty());
  std::string path = page.next;
  // A full address is of the same server: only its path is called.
  if (const auto scheme = path.find("://"); scheme != std::string::npos) {
    const auto slash = path.find('/', scheme + 3);
    path = slash == std::string::npos ? "/" : path.substr(slash);
  }
  TALLY_TRY_ASSIGN(const std::string json, get(std::move(path)));
  return parse_page(json);
}

Result<std::vector<HistoryEntry>> Client::history(const JobReference& job) {
  TALLY_TRY_ASSIGN(const std::string json, get(job_path(job, "history/")));
  return parse_history(json);
}

Result<JobReference> Client::find_job(const JobId& id) {
  // The id holds the time it was made, so only the jobs of a few minutes are looked
  // through.
  ListQuery query;
  query.created_after = to_rfc3339(time_of(id) - std::chrono::minutes(2));
  query.created_before = to_rfc3339(time_of(id) + std::chrono::minutes(2));
  query.limit = 1'000;
  TALLY_TRY_ASSIGN(JobPage page, list(query));
  while (true) {
    for (const JobStatus& job : page.jobs) {
      if (job.id == id) return JobReference{job.resource, id};
    }
    if (page.next.empty()) break;
    TALLY_TRY_ASSIGN(page, next_page(page));
  }
  return Error{ErrorCode::kNotFound,
               fmt::format("there is no job {} that this token may see", id.to_string())};
}

Result<void> Client::results(const JobReference& job, const ResultsQuery& query,
                             const BytesSink& sink) {
  std::string path =
      job_path(job, "results/") + "?format=" + percent_encoded(query.format);
  if (!query.outcome.empty()) path += "&outcome=" + percent_encoded(query.outcome);
  if (query.spreadsheet_safe) path += "&safe=spreadsheet";
  TALLY_TRY(
      call({.method = "GET", .path = std::move(path), .sink = &sink}, Repeat::kSafe));
  return {};
}

Result<void> Client::results_to_file(const JobReference& job, const ResultsQuery& query,
                                     const std::string& path) {
  Retries retries(options_.retry);
  while (true) {
    WholeFile file(path);
    TALLY_TRY(file.write({}));
    bool began = false;
    const auto got = results(job, query, [&](std::string_view bytes) {
      began = true;
      return file.write(bytes);
    });
    if (got.ok()) return file.finish();
    if (!began || got.error().code != ErrorCode::kUnavailable) return got.error();
    // The connection was lost half way: from the start again.
    const auto wait = retries.next(std::nullopt);
    if (!wait) return got.error();
    retries.wait(*wait);
  }
}

// --- Aggregates
// ---------------------------------------------------------------------------

Result<AggregateAnswer> Client::request_aggregates(const JobReference& job,
                                                   std::string_view definitions) {
  const Call request{
      .method = "POST",
      .path = fmt::format("/api/{}/bulk/v2/aggregates/", percent_encoded(job.resource)),
      .headers = {"Content-Type: application/json"},
      .body = fmt::format(R"({{"job_id":"{}","aggregates":{}}})", job.id.to_string(),
                          definitions)};
  // The same definitions are answered from memory: asking twice is asking once.
  TALLY_TRY_ASSIGN(const Reply reply, call(request, Repeat::kSafe));
  TALLY_TRY_ASSIGN(AggregateAnswer answer, parse_aggregate_answer(reply.body));
  answer.complete = reply.status == 200;
  return answer;
}

Result<AggregateAnswer> Client::wait_for_aggregates(const JobReference& job,
                                                    std::string_view definitions) {
  const Retries pause(options_.retry);
  std::chrono::milliseconds interval = kFirstLook;
  while (true) {
    TALLY_TRY_ASSIGN(AggregateAnswer answer, request_aggregates(job, definitions));
    if (answer.complete) return answer;
    pause.wait(interval);
    interval = std::min(interval * 3 / 2, kLookEvery);
  }
}

Result<AggregateAnswer> Client::aggregates(const JobReference& job) {
  TALLY_TRY_ASSIGN(
      const Reply reply,
      call({.method = "GET", .path = job_path(job, "aggregates/")}, Repeat::kSafe));
  TALLY_TRY_ASSIGN(AggregateAnswer answer, parse_aggregate_answer(reply.body));
  answer.complete = reply.status == 200;
  return answer;
}

// --- Describing
// ---------------------------------------------------------------------------

Result<std::string> Client::resources() { return get("/api/"); }

Result<std::string> Client::schema(std::string_view resource) {
  return get(fmt::format("/api/{}/schema/", percent_encoded(resource)));
}

Result<void> Client::health() {
  TALLY_TRY(get("/healthz"));
  return {};
}

}  // namespace tallyman::client
