// The commands about jobs that have been started: jobs, status, results, aggregates,
// abort, retry.
#include "app/command_help.h"
#include "app/command_options.h"
#include "base/json_writer.h"

namespace tallyman {
namespace {

CLI::App* add_job_command(CLI::App& app, const std::string& name, const std::string& help,
                          JobTarget& job) {
  CLI::App* const command = app.add_subcommand(name, help);
  command->footer(help_end(name));
  add_parsed(
      *command, "JOB", job.id,
      [](const std::string& text) -> std::optional<JobId> {
        const auto uuid = Uuid::parse(text);
        return uuid ? std::optional(JobId(*uuid)) : std::nullopt;
      },
      "a job's id, as in 01890a5d-ac96-774b-bcce-b302099a8057", "The job's id")
      ->required();
  command->add_option("--resource", job.resource,
                      "The job's resource; without it, it is looked up");
  add_server(*command, job.server);
  return command;
}

const std::vector<std::string> kOutcomes = {
    "succeeded", "failed", "unprocessed", "created", "updated", "unchanged", "deleted"};

struct AggregateWishes {
  bool count = false;
  std::vector<std::string> sum;
  std::vector<std::string> avg;
  std::vector<std::string> min;
  std::vector<std::string> max;
  std::vector<std::string> count_distinct;
  std::vector<std::string> group_by;
};

void write_definition(JsonWriter& json, const std::string& name, std::string_view type,
                      const std::string& field,
                      const std::vector<std::string>& group_by) {
  json.key(name).begin_object().key("type").text(type);
  if (!field.empty()) json.key("field").text(field);
  if (!group_by.empty()) {
    json.key("group_by").begin_array();
    for (const std::string& group : group_by) json.text(group);
    json.end_array();
  }
  json.end_object();
}

// {"count": {"type": "count"}, "sum_amount": {"type": "sum", "field": "amount"}}
std::string definitions_of(const AggregateWishes& wishes) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (wishes.count) write_definition(json, "count", "count", "", wishes.group_by);
  const auto add = [&](std::string_view type, const std::vector<std::string>& fields) {
    for (const std::string& field : fields) {
      write_definition(json, std::string(type) + '_' + field, type, field,
                       wishes.group_by);
    }
  };
  add("sum", wishes.sum);
  add("avg", wishes.avg);
  add("min", wishes.min);
  add("max", wishes.max);
  add("count_distinct", wishes.count_distinct);
  json.end_object();
  return out == "{}" ? std::string() : out;
}

}  // namespace

void add_jobs(CLI::App& app, CommandLine& line) {
  CLI::App* const command = app.add_subcommand("jobs", "Lists jobs, the newest first");
  command->footer(help_end("jobs"));
  const auto options = std::make_shared<JobsCommand>();
  command->add_option("--resource", options->resource, "Jobs of one resource only");
  add_parsed(
      *command, "--state", options->state, job_state_from_name,
      "Open, \"Upload Complete\", \"In Progress\", \"Job Complete\", Failed or Aborted",
      "Jobs in one state only");
  add_parsed(*command, "--operation", options->operation, operation_from_name,
             "insert, upsert, update, replace or delete", "Jobs of one operation only");
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_flag("--json", options->json, "A JSON object a line");
  add_server(*command, options->server);
  command->callback([options, &line] { line.command = *options; });
}

void add_status(CLI::App& app, CommandLine& line) {
  const auto options = std::make_shared<StatusCommand>();
  CLI::App* const command =
      add_job_command(app, "status", "Shows how far a job is", options->job);
  command->add_flag("--wait", options->wait, "Until it has ended");
  command->add_flag("--history", options->history,
                    "And what happened to it, when, by whom");
  command->add_flag("--json", options->json, "The server's JSON");
  command->callback([options, &line] { line.command = *options; });
}

void add_results(CLI::App& app, CommandLine& line) {
  const auto options = std::make_shared<ResultsCommand>();
  CLI::App* const command =
      add_job_command(app, "results", "Gives the outcome of every record", options->job);
  command->add_option("--outcome", options->outcome, "Only those: failed, succeeded ...")
      ->check(CLI::IsMember(kOutcomes));
  command->add_option("--format", options->format, "csv, ndjson or json")
      ->check(CLI::IsMember({"csv", "ndjson", "json"}))
      ->capture_default_str();
  command->add_flag("--safe-for-spreadsheets", options->spreadsheet_safe,
                    "Defuse cells that a spreadsheet would run as a formula");
  command->add_option("--output", options->output,
                      "Into a file (default: standard output)");
  command->callback([options, &line] { line.command = *options; });
}

void add_aggregates(CLI::App& app, CommandLine& line) {
  const auto options = std::make_shared<AggregatesCommand>();
  const auto wishes = std::make_shared<AggregateWishes>();
  CLI::App* const command = add_job_command(
      app, "aggregates", "Aggregates over exactly the job's rows", options->job);
  auto* const json = command->add_option(
      "--json", options->definitions, "Definitions by name, as the REST face takes them");
  command->add_flag("--count", wishes->count, "How many rows")->excludes(json);
  const auto add = [&](const std::string& option, std::vector<std::string>& into,
                       const std::string& help) {
    add_names(*command, option, into, help)->excludes(json);
  };
  add("--sum", wishes->sum, "Sum of a field, exact");
  add("--avg", wishes->avg, "Average of a field");
  add("--min", wishes->min, "Least value of a field");
  add("--max", wishes->max, "Greatest value of a field");
  add("--count-distinct", wishes->count_distinct, "How many different values of a field");
  add("--group-by", wishes->group_by, "By the values of these fields");
  command->callback([options, wishes, &line] {
    if (options->definitions.empty()) options->definitions = definitions_of(*wishes);
    if (options->definitions.empty() && !wishes->group_by.empty()) {
      refuse("--group-by", "groups what? Add --count, --sum FIELD or another aggregate");
    }
    line.command = *options;
  });
}

void add_abort(CLI::App& app, CommandLine& line) {
  const auto options = std::make_shared<AbortCommand>();
  CLI::App* const command = add_job_command(app, "abort", "Stops a job", options->job);
  command->callback([options, &line] { line.command = *options; });
}

void add_retry(CLI::App& app, CommandLine& line) {
  const auto options = std::make_shared<RetryCommand>();
  CLI::App* const command = add_job_command(
      app, "retry", "Tries a job's failed and unprocessed records again", options->job);
  command->add_flag("--wait", options->wait, "Until the new job has ended");
  command->add_option("--results", options->results_file,
                      "Waits, and writes the outcomes into a file (CSV)");
  command->callback([options, &line] { line.command = *options; });
}

}  // namespace tallyman
