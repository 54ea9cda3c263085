// The command that sends a file: load.
#include "app/command_help.h"
#include "app/command_options.h"

namespace tallyman {
namespace {

std::optional<char> parse_delimiter(const std::string& text) {
  if (text == "tab" || text == "\\t") return '\t';
  const bool good =
      text.size() == 1 && text[0] != '"' && text[0] != '\n' && text[0] != '\r';
  return good ? std::optional(text[0]) : std::nullopt;
}

// "csv" does for "text/csv".
std::optional<ContentType> parse_content_type(const std::string& text) {
  if (text == "csv") return ContentType::kCsv;
  if (text == "ndjson") return ContentType::kNdjson;
  if (text == "json") return ContentType::kJson;
  return content_type_from_name(text);
}

std::optional<JobId> parse_job_id(const std::string& text) {
  const auto uuid = Uuid::parse(text);
  return uuid ? std::optional(JobId(*uuid)) : std::nullopt;
}

void add_format(CLI::App& command, LoadCommand& load) {
  add_parsed(command, "--content-type", load.content_type, parse_content_type,
             "text/csv, application/x-ndjson or application/json",
             "How to read it (default: by the file's ending)");
  add_parsed(command, "--delimiter", load.options.format.delimiter, parse_delimiter,
             "one character, or tab", "Between the cells of a CSV file (default: comma)");
  command.add_option("--null-value", load.options.format.null_value,
                     "The unquoted CSV cell that is NULL (default: an empty one)");
}

void add_rules(CLI::App& command, LoadCommand& load) {
  add_names(command, "--unique-fields", load.options.unique_fields,
            "The key that finds a row (default: the primary key)");
  command
      .add_option_function<std::string>(
          "--update-fields",
          [&load](const std::string& text) {
            load.options.update_fields = CLI::detail::split(text, ',');
          },
          "Upsert: write only these fields of a row that is there")
      ->type_name("TEXT");
  add_parsed(
      command, "--on-duplicate", load.options.on_duplicate, on_duplicate_from_name,
      "sequence, first, last or error",
      "What a second record with the same key means (default: sequence, each in turn)");
  add_parsed(
      command, "--mode", load.options.atomic,
      [](const std::string& text) -> std::optional<bool> {
        if (text == "atomic") return true;
        if (text == "partial") return false;
        return std::nullopt;
      },
      "partial or atomic", "atomic: all records or none (default: partial)");
  command.add_flag("--dry-run", load.options.dry_run, "Do everything, and then undo it");
  command
      .add_option("--max-errors", load.options.max_errors,
                  "Give the job up when more records fail")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--max-error-ratio", load.options.max_error_ratio,
                     "The same as a part of all records, as in 0.1");
  command.add_option("--aggregates", load.options.aggregates,
                     "Aggregates to compute with the job (JSON)");
  command.add_option(
      "--expect", load.options.expect,
      "Control totals, as in '{\"count\": 2, \"sum.amount\": \"175.75\"}'");
}

}  // namespace

void add_load(CLI::App& app, CommandLine& line) {
  CLI::App* const command =
      app.add_subcommand("load", "Sends a file of records as a job");
  command->footer(help_end("load"));
  const auto load = std::make_shared<LoadCommand>();
  command
      ->add_option("FILE", load->file,
                   "CSV, NDJSON or JSON, also gzipped (.gz); - for standard input")
      ->required();
  command->add_option("--resource", load->resource, "Where the records go")->required();
  add_parsed(*command, "--operation", load->operation, operation_from_name,
             "insert, upsert, update, replace or delete",
             "What to do with them (default: insert)");
  add_format(*command, *load);
  add_rules(*command, *load);
  command->add_flag("--wait", load->wait, "Until the job has ended");
  command->add_option("--results", load->results_file,
                      "Waits, and writes the outcomes into a file (CSV)");
  add_parsed(*command, "--resume", load->resume, parse_job_id,
             "a job's id, as in 01890a5d-ac96-774b-bcce-b302099a8057",
             "Goes on with the upload of this job");
  add_server(*command, load->server);
  command->callback([load, &line] { line.command = *load; });
}

}  // namespace tallyman
