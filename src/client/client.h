// Client: the REST face of a tallyman server as typed calls.
//
//   TALLY_TRY_ASSIGN(auto client, Client::make({.url = "http://127.0.0.1:8080", .token =
//   t})); TALLY_TRY_ASSIGN(const JobReference job, client->create_job("people",
//   operation, options)); TALLY_TRY_ASSIGN(auto source, open_upload_file("people.csv"));
//   TALLY_TRY(client->upload(job, *source));
//   TALLY_TRY(client->complete(job));
//   TALLY_TRY_ASSIGN(const JobStatus status, client->wait(job));
//
// A call that the server did not take (503, 429) is made again after the time the server
// names; so is one whose connection was lost, where making it twice is the same as once.
// A server that has never answered is not waited for: most likely the address is wrong.
//
// Ownership: one connection.
// Threads:   one at a time.
// Memory:    an answer; uploads and results are streamed.
// Errors:    the server's own sentence, with its code in detail_code; kUnavailable where
// no
//            server answers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/answers.h"
#include "client/retries.h"
#include "client/transport.h"
#include "client/upload_source.h"
#include "model/job.h"

namespace tallyman::client {

struct ClientOptions {
  std::string url;      // "http://127.0.0.1:8080"
  std::string token;    // Empty: none is sent.
  std::string ca_file;  // PEM; empty: the system's.
  RetryPolicy retry = {};
  std::uint64_t part_bytes = kUploadPartBytes;
};

struct ListQuery {
  std::string resource;  // Empty: all that the token may see.
  std::optional<JobState> state;
  std::optional<Operation> operation;
  std::string created_after;  // RFC 3339; empty: no bound.
  std::string created_before;
  std::optional<std::uint32_t> limit;
};

struct ResultsQuery {
  std::string outcome;         // "failed", "succeeded" ...; empty: all.
  std::string format = "csv";  // "csv", "ndjson" or "json".
  bool spreadsheet_safe = false;
};

struct OneRequestOptions {
  std::string idempotency_key;               // Empty: a lost connection is an error.
  std::optional<std::chrono::seconds> wait;  // Answer when the job has ended.
};

// Called as an upload goes forward, with the bytes that have been sent.
using UploadWatcher = std::function<void(std::uint64_t offset)>;
using StatusWatcher = std::function<void(const JobStatus& status)>;

class Client {
 public:
  // kInvalidArgument for an address that cannot be called. Nothing is called yet.
  static Result<std::unique_ptr<Client>> make(ClientOptions options);

  // --- A job in steps
  // -------------------------------------------------------------------

  Result<JobReference> create_job(std::string_view resource, Operation operation,
                                  const JobOptions& options);
  // Bytes that the server has and keeps.
  Result<std::uint64_t> upload_offset(const JobReference& job);
  // Sends what the server does not have yet, in parts; over lost connections and server
  // restarts. Returns the length of the whole upload.
  Result<std::uint64_t> upload(const JobReference& job, UploadSource& source,
                               const UploadWatcher& watcher = {});
  Result<void> complete(const JobReference& job);
  Result<void> abort(const JobReference& job);
  Result<StartedJob> retry(const JobReference& job);
  Result<void> remove(const JobReference& job);

  // --- A job in one request
  // -------------------------------------------------------------

  // `source` is sent whole, so it must be of known size.
  Result<StartedJob> start_job(std::string_view resource, Operation operation,
                               const JobOptions& options, UploadSource& source,
                               const OneRequestOptions& one_request = {});

  // --- Watching
  // -------------------------------------------------------------------------

  Result<JobStatus> status(const JobReference& job);
  // Until the job has ended; `watcher` sees every status on the way.
  Result<JobStatus> wait(const JobReference& job, const StatusWatcher& watcher = {});
  Result<JobPage> list(const ListQuery& query);
  Result<JobPage> next_page(const JobPage& page);  // REQUIRES: page.next is not empty.
  Result<std::vector<HistoryEntry>> history(const JobReference& job);
  // Which resource a job is of. kNotFound where the token cannot see such a job.
  Result<JobReference> find_job(const JobId& id);

  // --- Results and aggregates
  // -----------------------------------------------------------

  // Streams the results. An error after the first byte is not tried again: the sink has
  // had a part.
  Result<void> results(const JobReference& job, const ResultsQuery& query,
                       const BytesSink& sink);
  // Writes them to `path`, whole or not at all.
  Result<void> results_to_file(const JobReference& job, const ResultsQuery& query,
                               const std::string& path);
  // `definitions` is the JSON object of aggregates by name.
  Result<AggregateAnswer> request_aggregates(const JobReference& job,
                                             std::string_view definitions);
  // The same, waiting until all of them are computed.
  Result<AggregateAnswer> wait_for_aggregates(const JobReference& job,
                                              std::string_view definitions);
  Result<AggregateAnswer> aggregates(const JobReference& job);

  // --- Describing
  // -----------------------------------------------------------------------

  Result<std::string> resources();                        // JSON, as sent.
  Result<std::string> schema(std::string_view resource);  // JSON, as sent.
  Result<void> health();

 private:
  // What a lost connection may mean for a call.
  enum class Repeat { kSafe, kOnlyIfNotSent };

  Client(ClientOptions options, std::unique_ptr<Transport> transport);

  // Calls until there is an answer or no attempt is left. A 2xx reply, or the error.
  Result<Reply> call(const Call& call, Repeat repeat);
  Reply attempt(const Call& call);
  // Waits if this reply is worth another attempt; false when it is not.
  bool try_again(const Reply& reply, Repeat repeat, Retries& retries);
  Result<std::string> get(std::string path);
  // A step whose second try is refused once the first has taken effect.
  Result<void> step(const JobReference& job, std::string_view action,
                    bool (*has_happened)(JobState));
  Reply send_part(const JobReference& job, UploadSource& source, std::uint64_t offset,
                  std::uint64_t length, const UploadWatcher& watcher);

  ClientOptions options_;
  std::unique_ptr<Transport> transport_;
  bool has_answered_ = false;  // The server has, at least once.
};

}  // namespace tallyman::client
