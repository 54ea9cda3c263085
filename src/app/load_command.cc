#include "app/load_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "app/exit_code.h"
#include "app/job_commands.h"
#include "app/progress.h"
#include "app/quantities.h"
#include "client/client.h"
#include "client/job_request.h"

namespace tallyman {
namespace {

using client::Client;
using client::JobReference;
using client::UploadSource;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char byte) { return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte; });
  return out;
}

class Load {
 public:
  Load(const LoadCommand& command, UploadMemory& memory, Console& console)
      : command_(command),
        memory_(memory),
        console_(console),
        options_(command.options) {}

  Result<int> run() {
    TALLY_TRY(choose_format());
    TALLY_TRY(open_source());
    TALLY_TRY_ASSIGN(client_, connect(command_.server));
    TALLY_TRY_ASSIGN(const JobReference job, find_or_create());
    if (needs_upload_) TALLY_TRY(upload(job));
    console_.out << job.id.to_string() << std::endl;
    // Whoever waits and is interrupted goes on waiting for this job, not for another one.
    Result<int> code = kExitWell;
    if (command_.wait || !command_.results_file.empty()) {
      code = watch_to_end(*client_, job, command_.results_file, console_);
    }
    if (code.ok()) memory_.forget(key_);
    return code;
  }

 private:
  bool from_standard_input() const { return command_.file == "-"; }

  Result<void> choose_format() {
    const FileKind kind = kind_of_file(command_.file);
    const auto type = command_.content_type ? command_.content_type : kind.type;
    gzip_ = kind.gzip;
    if (command_.resume) return {};  // The job knows.
    if (!type) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the ending of {} does not say what is in it; add "
                               "--content-type text/csv, application/x-ndjson or "
                               "application/json",
                               from_standard_input() ? "standard input" : command_.file)};
    }
    options_.format.type = *type;
    return {};
  }

  Result<void> open_source() {
    if (from_standard_input()) {
      source_ = client::make_upload_stream(STDIN_FILENO);
      return {};
    }
    auto opened = gzip_ ? client::open_upload_gzip(command_.file)
                        : client::open_upload_file(command_.file);
    if (!opened.ok()) return std::move(opened).error();
    source_ = std::move(opened).value();
    std::error_code failure;
    const auto path = std::filesystem::absolute(command_.file, failure);
    const auto size = std::filesystem::file_size(command_.file, failure);
    const auto changed = std::filesystem::last_write_time(command_.file, failure);
    if (failure) return {};
    key_ = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", command_.server.url, command_.resource,
                       path.string(), size, changed.time_since_epoch().count(),
                       client::to_job_json(command_.operation, options_));
    return {};
  }

  Result<JobReference> find_or_create() {
    if (command_.resume) {
      const JobReference job{command_.resource, *command_.resume};
      TALLY_TRY_ASSIGN(const client::JobStatus status, client_->status(job));
      go_on_with(status);
      return job;
    }
    if (const auto job = key_.empty() ? std::nullopt : memory_.find(key_)) {
      const auto status = client_->status(*job);
      const bool gone = !status.ok() && (status.error().code == ErrorCode::kNotFound ||
                                         status.error().code == ErrorCode::kGone);
      if (!status.ok() && !gone) return status.error();
      if (status.ok() && status.value().state != JobState::kAborted) {
        go_on_with(status.value());
        return *job;
      }
      memory_.forget(key_);
    }
    TALLY_TRY_ASSIGN(JobReference job, client_->create_job(command_.resource,
                                                           command_.operation, options_));
    if (!key_.empty()) memory_.remember(key_, job);
    return job;
  }

  void go_on_with(const client::JobStatus& status) {
    needs_upload_ = status.state == JobState::kOpen;
    console_.err << (needs_upload_ ? "going on with the upload of job "
                                   : "already uploaded, as job ")
                 << status.id.to_string() << std::endl;
  }

  Result<void> upload(const JobReference& job) {
    auto sent = send(job);
    if (sent.ok()) return {};
    const Error& error = sent.error();
    if (is_transient(error.code)) {
      if (key_.empty() || from_standard_input()) return error;
      return Error{error.code,
                   error.message + "; give the same command again to go on from there",
                   error.detail_code};
    }
    const bool refused =
        error.code == ErrorCode::kUnreadable || error.code == ErrorCode::kTooLarge;
    // The server will never take these bytes, and the job was made for them alone.
    if (refused && !error.detail_code.empty() && !command_.resume) {
      memory_.forget(key_);
      if (const auto aborted = client_->abort(job); !aborted.ok()) {
        console_.err << "tallyman: job " << job.id.to_string()
                     << " stays open: " << aborted.error().message << '\n';
      }
    }
    return error;
  }

  Result<void> send(const JobReference& job) {
    const std::string title =
        from_standard_input() ? "standard input"
                              : std::filesystem::path(command_.file).filename().string();
    Progress progress(console_, {.title = title, .unit = ProgressUnit::kBytes});
    auto sent = client_->upload(job, *source_, [&](std::uint64_t offset) {
      progress.update({.done = offset,
                       .total = source_->size(),
                       .fraction = source_->fraction(offset),
                       .note = {}});
    });
    progress.finish();
    if (!sent.ok()) return std::move(sent).error();
    return client_->complete(job);
  }

  const LoadCommand& command_;
  UploadMemory& memory_;
  Console& console_;
  JobOptions options_;
  bool gzip_ = false;
  bool needs_upload_ = true;
  std::string key_;  // Empty: nothing is remembered.
  std::unique_ptr<UploadSource> source_;
  std::unique_ptr<Client> client_;
};

}  // namespace

FileKind kind_of_file(std::string_view path) {
  FileKind kind;
  std::string name = lower(path);
  if (name.ends_with(".gz")) {
    kind.gzip = true;
    name.resize(name.size() - 3);
  }
  if (name.ends_with(".csv")) kind.type = ContentType::kCsv;
  if (name.ends_with(".ndjson") || name.ends_with(".jsonl"))
    kind.type = ContentType::kNdjson;
  if (name.ends_with(".json")) kind.type = ContentType::kJson;
  return kind;
}

int run_load(const LoadCommand& command, UploadMemory& memory, Console& console) {
  const Result<int> code = Load(command, memory, console).run();
  return code.ok() ? code.value() : report(code.error(), console);
}

}  // namespace tallyman
