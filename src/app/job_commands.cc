#include "app/job_commands.h"

#include <fmt/format.h>

#include "app/exit_code.h"
#include "app/job_summary.h"
#include "app/progress.h"
#include "app/quantities.h"
#include "model/limits.h"

namespace tallyman {
namespace {

using client::Client;
using client::JobReference;

Result<JobReference> find(Client& client, const JobTarget& target) {
  if (!target.resource.empty()) return JobReference{target.resource, target.id};
  return client.find_job(target.id);
}

// Runs `body` with a connection and the job that is meant.
template <class Body>
int with_job(const JobTarget& target, Console& console, Body body) {
  const auto run = [&]() -> Result<int> {
    TALLY_TRY_ASSIGN(const auto client, connect(target.server));
    TALLY_TRY_ASSIGN(const JobReference job, find(*client, target));
    return body(*client, job);
  };
  const Result<int> code = run();
  return code.ok() ? code.value() : report(code.error(), console);
}

Result<void> written(const std::ostream& out) {
  if (out) return {};
  return Error{ErrorCode::kOutOfSpace, "cannot write to standard output"};
}

std::string failed_note(const client::JobStatus& status) {
  return status.failed == 0 ? std::string() : show_count(status.failed) + " failed";
}

}  // namespace

Result<std::unique_ptr<Client>> connect(const ServerAddress& server) {
  return Client::make(
      {.url = server.url, .token = server.token, .ca_file = server.ca_file});
}

int report(const Error& error, Console& console) {
  console.err << "tallyman: " << error.message;
  if (!error.detail_code.empty()) console.err << " (" << error.detail_code << ')';
  console.err << '\n';
  if (error.code == ErrorCode::kUnauthenticated) {
    console.err
        << "tallyman: give a token with --token or TALLYMAN_TOKEN; one is made with "
           "`tallyman token create`\n";
  }
  console.err << std::flush;
  return kExitFailed;
}

Result<int> watch_to_end(Client& client, const JobReference& job,
                         const std::string& results_file, Console& console) {
  Progress progress(console, {.title = job.resource, .unit = ProgressUnit::kRecords});
  const auto status = client.wait(job, [&](const client::JobStatus& now) {
    // Atomic and dry-run jobs look at every record before they write the first.
    const std::uint64_t done = now.processed == 0 ? now.checked : now.processed;
    const bool checking = now.processed == 0 && now.checked > 0;
    std::string note = now.state == JobState::kUploadComplete ? "waits for its turn"
                       : checking                             ? "checking"
                                                              : failed_note(now);
    progress.update({.done = done,
                     .total = now.total_items,
                     .fraction = std::nullopt,
                     .note = std::move(note)});
  });
  progress.finish();
  if (!status.ok()) return status.error();
  print_outcome(console.err, status.value());
  if (!results_file.empty()) {
    TALLY_TRY(client.results_to_file(job, {}, results_file));
    console.err << "  results: " << results_file << '\n';
  }
  console.err << std::flush;
  return exit_code_of(status.value());
}

int run_jobs(const JobsCommand& command, Console& console) {
  const auto run = [&]() -> Result<void> {
    TALLY_TRY_ASSIGN(const auto client, connect(command.server));
    client::ListQuery query;
    query.resource = command.resource;
    query.state = command.state;
    query.operation = command.operation;
    query.limit = std::min<std::uint32_t>(command.limit, limits::kListPageMax);
    TALLY_TRY_ASSIGN(client::JobPage page, client->list(query));
    std::vector<client::JobStatus> jobs;
    while (true) {
      for (client::JobStatus& job : page.jobs) {
        if (jobs.size() < command.limit) jobs.push_back(std::move(job));
      }
      if (jobs.size() >= command.limit || page.next.empty()) break;
      TALLY_TRY_ASSIGN(page, client->next_page(page));
    }
    if (command.json) {
      for (const client::JobStatus& job : jobs) console.out << job.json << '\n';
    } else {
      print_jobs(console.out, jobs);
    }
    return written(console.out.flush());
  };
  const Result<void> done = run();
  return done.ok() ? kExitWell : report(done.error(), console);
}

int run_status(const StatusCommand& command, Console& console) {
  return with_job(command.job, console,
                  [&](Client& client, const JobReference& job) -> Result<int> {
                    int code = kExitWell;
                    if (command.wait) {
                      TALLY_TRY_ASSIGN(code, watch_to_end(client, job, "", console));
                    }
                    TALLY_TRY_ASSIGN(const client::JobStatus status, client.status(job));
                    if (command.json) {
                      console.out << status.json << '\n';
                    } else {
                      print_status(console.out, status);
                    }
                    if (command.history) {
                      TALLY_TRY_ASSIGN(const auto history, client.history(job));
                      print_history(console.out, history);
                    }
                    TALLY_TRY(written(console.out.flush()));
                    return code;
                  });
}

int run_results(const ResultsCommand& command, Console& console) {
  return with_job(
      command.job, console, [&](Client& client, const JobReference& job) -> Result<int> {
        const client::ResultsQuery query{.outcome = command.outcome,
                                         .format = command.format,
                                         .spreadsheet_safe = command.spreadsheet_safe};
        if (!command.output.empty()) {
          TALLY_TRY(client.results_to_file(job, query, command.output));
          return kExitWell;
        }
        TALLY_TRY(client.results(job, query, [&](std::string_view bytes) {
          console.out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
          return written(console.out);
        }));
        TALLY_TRY(written(console.out.flush()));
        return kExitWell;
      });
}

int run_aggregates(const AggregatesCommand& command, Console& console) {
  return with_job(
      command.job, console, [&](Client& client, const JobReference& job) -> Result<int> {
        auto answer = command.definitions.empty()
                          ? client.aggregates(job)
                          : client.wait_for_aggregates(job, command.definitions);
        if (!answer.ok()) return std::move(answer).error();
        console.out << answer.value().json << '\n';
        TALLY_TRY(written(console.out.flush()));
        for (const auto& [name, reason] : answer.value().errors) {
          console.err << fmt::format("tallyman: aggregate {}: {}\n", name, reason);
        }
        return answer.value().errors.empty() ? kExitWell : kExitFailed;
      });
}

int run_abort(const AbortCommand& command, Console& console) {
  return with_job(command.job, console,
                  [&](Client& client, const JobReference& job) -> Result<int> {
                    TALLY_TRY(client.abort(job));
                    TALLY_TRY_ASSIGN(const client::JobStatus status, client.status(job));
                    console.err << summary_line(status) << '\n';
                    return kExitWell;
                  });
}

int run_retry(const RetryCommand& command, Console& console) {
  return with_job(
      command.job, console, [&](Client& client, const JobReference& job) -> Result<int> {
        TALLY_TRY_ASSIGN(const client::StartedJob child, client.retry(job));
        console.out << child.id.to_string() << '\n';
        TALLY_TRY(written(console.out.flush()));
        if (child.superseded > 0) {
          console.err << fmt::format(
              "{} records are not tried again: a later job has written their rows\n",
              show_count(child.superseded));
        }
        if (!command.wait && command.results_file.empty()) return kExitWell;
        return watch_to_end(client, {job.resource, child.id}, command.results_file,
                            console);
      });
}

}  // namespace tallyman
