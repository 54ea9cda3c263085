#include "app/command_help.h"

#include <array>

#include "base/check.h"

namespace tallyman {
namespace {

struct Help {
  std::string_view command;
  std::string_view text;
};

constexpr auto kHelp = std::to_array<Help>({
    {"serve", R"(
Examples:
  Try it out with one table of a SQLite file (the first start shows a token):
    tallyman serve --database sqlite:app.db --expose transactions
  The same with PostgreSQL (the password is in ~/.pgpass or PGPASSWORD):
    tallyman serve --database postgresql://app@db.example/shop --expose transactions
  Take jobs in, and leave it to other nodes to run them:
    tallyman serve --config tallyman.toml --workers 0
  Serve what a file describes:
    tallyman serve --config tallyman.toml
  The same, reachable from other machines by TLS:
    tallyman serve --config tallyman.toml --listen 0.0.0.0:8443 --tls-certificate server.pem --tls-key server.key)"},
    {"work", R"(
Any number of these, on any machine that reaches the database, run the jobs that servers take in.

Examples:
  tallyman work --config tallyman.toml
  tallyman work --database postgresql://app@db.example/shop --expose transactions --workers 8)"},
    {"migrate", R"(
Of PostgreSQL: schema tallyman; of SQLite: the tables tallyman_*. Tables of a newer program are
refused. A server does the same at its start, where its role may.

Examples:
  tallyman migrate --database postgresql://owner@db.example/shop
  tallyman migrate --config tallyman.toml)"},
    {"load", R"(
Prints the job's id. An upload that was interrupted goes on where it stopped when the same
command is given again.

Examples:
  tallyman load people.csv --resource people --wait
  tallyman load people.csv.gz --resource people --operation upsert --unique-fields email --wait
  tallyman load prices.ndjson --resource prices --operation update --results outcome.csv
  tallyman load gone.csv --resource people --operation delete --mode atomic --wait
  tallyman load people.csv --resource people --dry-run --wait
  tallyman load data.txt --resource people --content-type text/csv --delimiter tab --max-errors 100
  tallyman load - --resource people --content-type text/csv)"},
    {"jobs", R"(
Examples:
  tallyman jobs
  tallyman jobs --resource people --state "In Progress"
  tallyman jobs --operation upsert --limit 100 --json)"},
    {"status", R"(
Examples:
  tallyman status 01890a5d-ac96-774b-bcce-b302099a8057
  tallyman status 01890a5d-ac96-774b-bcce-b302099a8057 --wait
  tallyman status 01890a5d-ac96-774b-bcce-b302099a8057 --history)"},
    {"results", R"(
Examples:
  tallyman results 01890a5d-ac96-774b-bcce-b302099a8057 --output outcome.csv
  tallyman results 01890a5d-ac96-774b-bcce-b302099a8057 --outcome failed --format ndjson
  tallyman results 01890a5d-ac96-774b-bcce-b302099a8057 --safe-for-spreadsheets --output open-me.csv)"},
    {"aggregates", R"(
Prints the server's JSON. Without a definition: what was asked for before.

Examples:
  tallyman aggregates 01890a5d-ac96-774b-bcce-b302099a8057 --count --sum amount --avg amount
  tallyman aggregates 01890a5d-ac96-774b-bcce-b302099a8057 --sum amount --group-by category
  tallyman aggregates 01890a5d-ac96-774b-bcce-b302099a8057 --json '{"total": {"type": "sum", "field": "amount", "outcome": "created"}}')"},
    {"abort", R"(
What was committed stays, the rest is unprocessed; an atomic job leaves nothing.

Example:
  tallyman abort 01890a5d-ac96-774b-bcce-b302099a8057)"},
    {"retry", R"(
Starts a new job over the failed and unprocessed records, and prints its id.

Examples:
  tallyman retry 01890a5d-ac96-774b-bcce-b302099a8057
  tallyman retry 01890a5d-ac96-774b-bcce-b302099a8057 --wait)"},
    {"token", R"(
Tokens lie in the database, as hashes: these commands need the database, not the server.)"},
    {"token create", R"(
Prints the token and nothing else. It is not kept anywhere and cannot be shown again.
Scopes: RESOURCE:ACTION with read, insert, update, upsert, replace, delete, hard_delete or
export; * for all of them on every resource; admin to see every owner's jobs.

Examples:
  tallyman token create --database sqlite:app.db --name nightly --owner etl --scope people:insert people:read
  tallyman token create --database sqlite:app.db --name ann --owner ann --scope '*' --expires 30d)"},
    {"token list", R"(
Example:
  tallyman token list --database sqlite:app.db)"},
    {"token revoke", R"(
Example:
  tallyman token revoke nightly --database sqlite:app.db)"},
    {"check-config", R"(
Shows every mistake with its file and line; looks into the database, and changes nothing.

Example:
  tallyman check-config tallyman.toml)"},
    {"routes", R"(
What a token needs: nothing; token (a good one); resource (any scope on the resource); read
(RESOURCE:read); operation (RESOURCE:insert, update, upsert, replace or delete, by what the job
does). A job must be the token owner's, too. HEAD is answered wherever GET is, and every path is
taken with and without its last slash.

Examples:
  tallyman routes
  tallyman routes --json)"},
});

}  // namespace

std::string program_help_end() {
  return R"(
Start here:
  tallyman serve --database sqlite:app.db --expose transactions
  export TALLYMAN_URL=http://127.0.0.1:8080 TALLYMAN_TOKEN=tly_...
  tallyman load transactions.csv --resource transactions --operation insert --wait

Each command has its own help with examples: tallyman load --help
The server's address and token are also taken from TALLYMAN_URL and TALLYMAN_TOKEN.
Ends with 0 when all is well, 1 when some records failed, 2 when the job or the call failed.)";
}

std::string help_end(std::string_view command) {
  for (const Help& help : kHelp) {
    if (help.command == command) return std::string(help.text);
  }
  CHECK(false);
}

}  // namespace tallyman
