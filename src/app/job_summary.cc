#include "app/job_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/quantities.h"

namespace tallyman {
namespace {

constexpr std::size_t kFaultsShown = 5;

std::string plural(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", show_count(count), noun, count == 1 ? "" : "s");
}

void print_faults(std::ostream& out, const client::JobStatus& status) {
  for (const auto& [code, count] : status.error_summary) {
    out << fmt::format("  {} {}\n", show_count(count), code);
  }
  const std::size_t shown = std::min(kFaultsShown, status.errors.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const client::RecordFault& fault = status.errors[i];
    out << fmt::format("  record {}: {}{}{} ({})\n", show_count(fault.record),
                       fault.field, fault.field.empty() ? "" : ": ", fault.message,
                       fault.code);
  }
  if (status.failed > shown) {
    out << fmt::format("  all of them: tallyman results {} --outcome failed\n",
                       status.id.to_string());
  }
}

}  // namespace

std::string summary_line(const client::JobStatus& status) {
  std::string line(name(status.state));
  if (status.dry_run) line += " (dry run)";
  line += status.total_items ? ": " + plural(*status.total_items, "record")
                             : ": no total yet";
  const auto add = [&line](std::uint64_t count, std::string_view what) {
    if (count > 0) line += fmt::format(", {} {}", show_count(count), what);
  };
  add(status.created, "created");
  add(status.updated, "updated");
  add(status.unchanged, "unchanged");
  add(status.deleted, "deleted");
  add(status.failed, "failed");
  if (is_terminal(status.state)) add(status.unprocessed, "unprocessed");
  return line;
}

void print_outcome(std::ostream& out, const client::JobStatus& status) {
  out << summary_line(status) << '\n';
  const bool well = status.state == JobState::kJobComplete && status.verified;
  if (!well && !status.message.empty()) out << "  " << status.message << '\n';
  if (status.state == JobState::kJobComplete && !status.verified) {
    out << "  The job is complete, but not verified\n";
  }
  print_faults(out, status);
}

void print_status(std::ostream& out, const client::JobStatus& status) {
  const auto line = [&out](std::string_view what, std::string_view value) {
    if (!value.empty()) out << fmt::format("{:<12} {}\n", what, value);
  };
  line("job", status.id.to_string());
  line("resource", status.resource);
  line("operation", name(status.operation));
  line("state", summary_line(status));
  if (!is_terminal(status.state) && status.total_items) {
    line("progress",
         fmt::format("{:.1f}% ({} of {})", status.percentage,
                     show_count(status.processed), show_count(*status.total_items)));
    if (status.checked > 0) line("checked", show_count(status.checked));
    if (status.estimated_remaining) {
      line("left", show_duration(std::chrono::seconds(*status.estimated_remaining)));
    }
  }
  line("created", status.created_at);
  line("completed", status.completed_at);
  if (is_terminal(status.state)) line("verified", status.verified ? "yes" : "no");
  line("one lane", status.lanes_reason);
  line("message", status.message);
  if (status.can_retry) {
    line("retry", fmt::format("tallyman retry {}", status.id.to_string()));
  }
  print_faults(out, status);
}

void print_jobs(std::ostream& out, const std::vector<client::JobStatus>& jobs) {
  std::size_t width = std::string_view("RESOURCE").size();
  for (const client::JobStatus& job : jobs) width = std::max(width, job.resource.size());
  out << fmt::format("{:<36}  {:<{}}  {:<9}  {:<15}  {:>13}  {:>10}  {}\n", "JOB",
                     "RESOURCE", width, "OPERATION", "STATE", "RECORDS", "FAILED",
                     "CREATED");
  for (const client::JobStatus& job : jobs) {
    out << fmt::format("{:<36}  {:<{}}  {:<9}  {:<15}  {:>13}  {:>10}  {}\n",
                       job.id.to_string(), job.resource, width, name(job.operation),
                       name(job.state),
                       job.total_items ? show_count(*job.total_items) : "-",
                       show_count(job.failed), job.created_at);
  }
}

void print_history(std::ostream& out, const std::vector<client::HistoryEntry>& history) {
  for (const client::HistoryEntry& entry : history) {
    out << fmt::format("{}  {}", entry.at, entry.event);
    if (!entry.to.empty()) {
      out << fmt::format("  {}{}{}", entry.from, entry.from.empty() ? "" : " -> ",
                         entry.to);
    }
    out << "  by " << entry.by;
    if (!entry.detail.empty()) out << "  " << entry.detail;
    out << '\n';
  }
}

}  // namespace tallyman
