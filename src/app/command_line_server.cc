// The commands of whoever runs the server: serve, work, migrate, check-config, routes,
// token.
#include "app/command_help.h"
#include "app/command_options.h"
#include "app/quantities.h"

namespace tallyman {

namespace {

constexpr const char* kDatabaseHelp =
    "Where the tables are: sqlite:FILE or postgresql://USER@HOST/DATABASE";

// What `serve` and `work` share. `workers_min`: 0 where another node may do the work.
void add_node(CLI::App& command, ServeOptions& options, int workers_min) {
  auto* const config =
      command.add_option("--config", options.config_file, "What to serve and how (TOML)");
  auto* const database =
      command.add_option("--database", options.database, kDatabaseHelp);
  auto* const expose = add_names(command, "--expose", options.expose,
                                 "Tables to offer, each under its own name");
  database->needs(expose)->excludes(config);
  expose->needs(database);
  command
      .add_option("--workers", options.workers,
                  workers_min == 0 ? "Jobs that run at the same time; 0: other nodes run "
                                     "them (PostgreSQL)"
                                   : "Jobs that run at the same time")
      ->check(CLI::Range(workers_min, 256));
  command.add_option("--log-level", options.log_level,
                     "debug, info, warning, error or off (default: info)");
}

void require_database(const char* command, const std::string& config_file,
                      const std::string& database, const char* needs) {
  if (config_file.empty() && database.empty()) refuse(command, needs);
}

constexpr const char* kNodeNeeds =
    "needs --config FILE, or --database URL with --expose TABLE";

}  // namespace

void add_serve(CLI::App& app, CommandLine& line) {
  CLI::App* const command = app.add_subcommand("serve", "Runs the server");
  command->footer(help_end("serve"));
  const auto options = std::make_shared<ServeOptions>();
  add_node(*command, *options, 0);
  command->add_option("--listen", options->listen,
                      "Address and port (default: as configured, else 127.0.0.1:8080)");
  command->add_flag(
      "--insecure", options->insecure,
      "Listen on any address without TLS: tokens and records then go in the clear");
  auto* const certificate = command->add_option(
      "--tls-certificate", options->tls_certificate, "Certificate with its chain (PEM)");
  auto* const key =
      command->add_option("--tls-key", options->tls_key, "The certificate's key (PEM)");
  certificate->needs(key);
  key->needs(certificate);
  command->callback([options, &line] {
    require_database("serve", options->config_file, options->database, kNodeNeeds);
    line.command = *options;
  });
}

void add_work(CLI::App& app, CommandLine& line) {
  CLI::App* const command =
      app.add_subcommand("work", "Runs jobs alone, beside servers of the same database");
  command->footer(help_end("work"));
  const auto options = std::make_shared<WorkOptions>();
  add_node(*command, options->node, 1);
  command->callback([options, &line] {
    require_database("work", options->node.config_file, options->node.database,
                     kNodeNeeds);
    line.command = *options;
  });
}

void add_migrate(CLI::App& app, CommandLine& line) {
  CLI::App* const command = app.add_subcommand(
      "migrate", "Makes or updates the server's own tables in a database");
  command->footer(help_end("migrate"));
  const auto options = std::make_shared<MigrateCommand>();
  auto* const config = command->add_option("--config", options->config_file,
                                           "The server's configuration (TOML)");
  command->add_option("--database", options->database, kDatabaseHelp)->excludes(config);
  command->callback([options, &line] {
    require_database("migrate", options->config_file, options->database,
                     "needs --config FILE or --database URL");
    line.command = *options;
  });
}

void add_check_config(CLI::App& app, CommandLine& line) {
  CLI::App* const command =
      app.add_subcommand("check-config", "Says what is wrong with a configuration");
  command->footer(help_end("check-config"));
  const auto options = std::make_shared<CheckConfigCommand>();
  command->add_option("FILE", options->file, "The configuration (TOML)")->required();
  command->callback([options, &line] { line.command = *options; });
}

void add_routes(CLI::App& app, CommandLine& line) {
  CLI::App* const command = app.add_subcommand(
      "routes", "Lists every path of the server and what a token needs for it");
  command->footer(help_end("routes"));
  const auto options = std::make_shared<RoutesCommand>();
  command->add_flag("--json", options->json, "As JSON, for programs");
  command->callback([options, &line] { line.command = *options; });
}

namespace {

void add_database(CLI::App& command, std::string& into) {
  command.add_option("--database", into, kDatabaseHelp)->required();
}

void add_token_create(CLI::App& token, CommandLine& line) {
  CLI::App* const command = token.add_subcommand("create", "Makes a token and prints it");
  command->footer(help_end("token create"));
  const auto options = std::make_shared<TokenCreateCommand>();
  add_database(*command, options->database);
  command->add_option("--name", options->name, "What history and logs call it")
      ->required();
  command->add_option("--owner", options->owner, "Whose jobs it makes and sees")
      ->required();
  command->add_option("--scope", options->scopes, "What it allows; several are possible")
      ->required();
  command->add_option("--role", options->role,
                      "Database role that its jobs run as (PostgreSQL; default: the "
                      "server's own)");
  command->add_option("--claim", options->claims,
                      "NAME=VALUE: a setting that its jobs run with, as in "
                      "app.tenant_id=7 (PostgreSQL); several are possible");
  add_parsed(*command, "--expires", options->expires, parse_duration,
             "a time with its unit, as in 30d or 12h",
             "How long it works (default: always)");
  command->callback([options, &line] { line.command = *options; });
}

}  // namespace

void add_token(CLI::App& app, CommandLine& line) {
  CLI::App* const token = app.add_subcommand("token", "Makes, lists and revokes tokens");
  token->footer(help_end("token"));
  token->require_subcommand(1);
  add_token_create(*token, line);

  CLI::App* const list =
      token->add_subcommand("list", "Lists tokens, without their secrets");
  list->footer(help_end("token list"));
  const auto list_options = std::make_shared<TokenListCommand>();
  add_database(*list, list_options->database);
  list->callback([list_options, &line] { line.command = *list_options; });

  CLI::App* const revoke = token->add_subcommand("revoke", "Ends a token at once");
  revoke->footer(help_end("token revoke"));
  const auto revoke_options = std::make_shared<TokenRevokeCommand>();
  revoke->add_option("NAME", revoke_options->name, "The token's name")->required();
  add_database(*revoke, revoke_options->database);
  revoke->callback([revoke_options, &line] { line.command = *revoke_options; });
}

}  // namespace tallyman
