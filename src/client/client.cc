#include "client/client.h"

#include <fmt/format.h>

#include <charconv>

#include "client/job_request.h"

namespace tallyman::client {
namespace {

std::string called(const Call& call) {
  return call.method + ' ' + call.path.substr(0, call.path.find('?'));
}

Error error_of(const Call& call, const Reply& reply) {
  if (reply.status == 0) return *reply.trouble;
  return parse_refusal(reply.status, reply.body, called(call));
}

// The server has more or less of the upload than we thought: it tells how much.
constexpr std::string_view kWrongOffset = "WRONG_OFFSET";
// The server has not yet seen that the connection of an earlier part broke.
constexpr std::string_view kPartIsArriving = "UPLOAD_IN_PROGRESS";

std::string code_of(const Reply& reply) {
  return reply.status == 409 ? parse_refusal(reply.status, reply.body, "").detail_code
                             : std::string();
}

std::optional<std::uint64_t> offset_of(const Reply& reply) {
  const auto header = reply.header("upload-offset");
  if (!header) return std::nullopt;
  std::uint64_t offset = 0;
  const auto [end, error] =
      std::from_chars(header->data(), header->data() + header->size(), offset);
  if (error != std::errc() || end != header->data() + header->size()) return std::nullopt;
  return offset;
}

bool upload_has_ended(JobState state) {
  return state != JobState::kOpen && state != JobState::kAborted;
}

bool is_aborted(JobState state) { return state == JobState::kAborted; }

}  // namespace

Client::Client(ClientOptions options, std::unique_ptr<Transport> transport)
    : options_(std::move(options)), transport_(std::move(transport)) {}

Result<std::unique_ptr<Client>> Client::make(ClientOptions options) {
  TALLY_TRY_ASSIGN(auto transport, Transport::make({.url = options.url,
                                                    .token = options.token,
                                                    .ca_file = options.ca_file}));
  return std::unique_ptr<Client>(new Client(std::move(options), std::move(transport)));
}

// --- Calling ---------------------------------------------------------------------------

Reply Client::attempt(const Call& call) {
  Reply reply = transport_->send(call);
  if (reply.status != 0) has_answered_ = true;
  return reply;
}

bool Client::try_again(const Reply& reply, Repeat repeat, Retries& retries) {
  if (reply.sink_began) return false;
  std::optional<std::chrono::seconds> retry_after;
  if (reply.status == 0) {
    if (reply.trouble->code != ErrorCode::kUnavailable || !has_answered_) return false;
    if (repeat == Repeat::kOnlyIfNotSent && !reply.never_sent) return false;
  } else if (reply.status == 429 || reply.status == 503) {
    const auto header = reply.header("retry-after");
    if (header) retry_after = retry_after_seconds(*header);
    // Without it a 503 may come from a proxy that has passed the call on.
    if (repeat == Repeat::kOnlyIfNotSent && !retry_after) return false;
  } else if (code_of(reply) != kPartIsArriving) {
    return false;
  }
  const auto wait = retries.next(retry_after);
  if (!wait) return false;
  retries.wait(*wait);
  return true;
}

Result<Reply> Client::call(const Call& call, Repeat repeat) {
  Retries retries(options_.retry);
  while (true) {
    Reply reply = attempt(call);
    if (reply.succeeded()) return reply;
    if (!try_again(reply, repeat, retries)) return error_of(call, reply);
  }
}

Result<std::string> Client::get(std::string path) {
  TALLY_TRY_ASSIGN(Reply reply,
                   call({.method = "GET", .path = std::move(path)}, Repeat::kSafe));
  return std::move(reply.body);
}

// --- A job in steps
// ---------------------------------------------------------------------

Result<JobReference> Client::create_job(std::string_view resource, Operation operation,
                                        const JobOptions& options) {
  const Call request{.method = "POST",
                     .path = fmt::format("/api/{}/jobs/", percent_encoded(resource)),
                     .headers = {"Content-Type: application/json"},
                     .body = to_job_json(operation, options)};
  // Made twice, the first one stays empty and expires.
  TALLY_TRY_ASSIGN(const Reply reply, call(request, Repeat::kSafe));
  TALLY_TRY_ASSIGN(const StartedJob job, parse_started_job(reply.body));
  return JobReference{std::string(resource), job.id};
}

Result<std::uint64_t> Client::upload_offset(const JobReference& job) {
  const Call request{.method = "HEAD", .path = job_path(job, "data/")};
  auto reply = call(request, Repeat::kSafe);
  if (!reply.ok()) {
    // An answer to HEAD has no text: the status says why.
    if (reply.error().code != ErrorCode::kConflict) return std::move(reply).error();
    TALLY_TRY_ASSIGN(const JobStatus now, status(job));
    return Error{ErrorCode::kConflict,
                 fmt::format("job {} takes no more data: it is {}", job.id.to_string(),
                             name(now.state)),
                 "INVALID_STATE"};
  }
  const auto offset = offset_of(reply.value());
  if (offset) return *offset;
  return Error{ErrorCode::kInternal,
               called(request) + " was answered without an Upload-Offset"};
}

Reply Client::send_part(const JobReference& job, UploadSource& source,
                        std::uint64_t offset, std::uint64_t length,
                        const UploadWatcher& watcher) {
  const SentWatcher sent = [&](std::uint64_t bytes) {
    if (watcher) watcher(offset + bytes);
  };
  return attempt({.method = "PUT",
                  .path = job_path(job, "data/"),
                  .headers = {fmt::format("Upload-Offset: {}", offset),
                              "Content-Type: application/octet-stream"},
                  .source = &source,
                  .source_offset = offset,
                  .source_length = length,
                  .sent = &sent});
}

Result<std::uint64_t> Client::upload(const JobReference& job, UploadSource& source,
                                     const UploadWatcher& watcher) {
  Retries retries(options_.retry);
  TALLY_TRY_ASSIGN(std::uint64_t offset, upload_offset(job));
  while (true) {
    TALLY_TRY_ASSIGN(const std::uint64_t length,
                     source.prepare(offset, options_.part_bytes));
    if (watcher) watcher(offset);
    if (length == 0) return offset;
    const Reply reply = send_part(job, source, offset, length, watcher);
    if (reply.succeeded()) {
      offset = offset_of(reply).value_or(offset + length);
      retries.reset();
      continue;
    }
    const Error error =
        error_of({.method = "PUT", .path = job_path(job, "data/")}, reply);
    if (error.detail_code == kWrongOffset) {
      if (!retries.next(std::nullopt)) return error;
    } else if (!try_again(reply, Repeat::kSafe, retries)) {
      return error;
    }
    TALLY_TRY_ASSIGN(offset, upload_offset(job));
  }
}

Result<void> Client::step(const JobReference& job, std::string_view action,
                          bool (*has_happened)(JobState)) {
  Retries retries(options_.retry);
  const Call request{.method = "POST", .path = job_path(job, action)};
  bool may_have_happened = false;
  while (true) {
    const Reply reply = attempt(request);
    if (reply.succeeded()) return {};
    if (reply.status == 409 && may_have_happened) {
      TALLY_TRY_ASSIGN(const JobStatus now, status(job));
      if (has_happened(now.state)) return {};
    }
    may_have_happened = may_have_happened || !reply.never_sent;
    if (!try_again(reply, Repeat::kSafe, retries)) return error_of(request, reply);
  }
}

Result<void> Client::complete(const JobReference& job) {
  return step(job, "complete/", upload_has_ended);
}

Result<void> Client::abort(const JobReference& job) {
  return step(job, "abort/", is_aborted);
}

Result<StartedJob> Client::retry(const JobReference& job) {
  TALLY_TRY_ASSIGN(
      const Reply reply,
      call({.method = "POST", .path = job_path(job, "retry/")}, Repeat::kOnlyIfNotSent));
  return parse_started_job(reply.body);
}

Result<void> Client::remove(const JobReference& job) {
  Retries retries(options_.retry);
  const Call request{.method = "DELETE", .path = job_path(job, "")};
  bool may_have_happened = false;
  while (true) {
    const Reply reply = attempt(request);
    if (reply.succeeded() || (reply.status == 404 && may_have_happened)) return {};
    may_have_happened = may_have_happened || !reply.never_sent;
    if (!try_again(reply, Repeat::kSafe, retries)) return error_of(request, reply);
  }
}

// --- A job in one request
// ----------------------------------------------------------------

Result<StartedJob> Client::start_job(std::string_view resource, Operation operation,
                                     const JobOptions& options, UploadSource& source,
                                     const OneRequestOptions& one_request) {
  const auto size = source.size();
  if (!size) {
    return Error{
        ErrorCode::kInvalidArgument,
        "an upload of unknown length cannot be sent in one request; send it in steps"};
  }
  TALLY_TRY_ASSIGN(const std::uint64_t length, source.prepare(0, *size));
  Call request{.method = std::string(method_of(operation)),
               .path = fmt::format("/api/{}/bulk/v2/{}", percent_encoded(resource),
                                   to_query(options)),
               .headers = {fmt::format("Content-Type: {}", name(options.format.type))},
               .source = &source,
               .source_length = length};
  if (!one_request.idempotency_key.empty()) {
    request.headers.push_back("Idempotency-Key: " + one_request.idempotency_key);
  }
  if (one_request.wait) {
    request.headers.push_back(fmt::format("Prefer: wait={}", one_request.wait->count()));
  }
  TALLY_TRY_ASSIGN(const Reply reply, call(request, one_request.idempotency_key.empty()
                                                        ? Repeat::kOnlyIfNotSent
                                                        : Repeat::kSafe));
  return parse_started_job(reply.body);
}

}  // namespace tallyman::client
