#include "payload/postgres_payload_schema.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "db/postgres_database.h"

namespace tallyman {
namespace {

using db::PostgresConnection;

// Step i makes version i + 1 of version i. A step that was released never changes.
constexpr auto kSteps = std::to_array<std::string_view>({R"sql(
CREATE TABLE tallyman.payload (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job     uuid   NOT NULL UNIQUE,
  writer  bigint NOT NULL DEFAULT 1,
  state   bytea
);
CREATE TABLE tallyman.payload_chunk (
  payload     bigint   NOT NULL REFERENCES tallyman.payload ON DELETE CASCADE,
  first_byte  bigint   NOT NULL CHECK (first_byte >= 0),
  byte_count  integer  NOT NULL CHECK (byte_count > 0),
  form        smallint NOT NULL,
  bytes       bytea    NOT NULL,
  PRIMARY KEY (payload, first_byte)
);
ALTER TABLE tallyman.payload_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE tallyman.payload_piece (
  payload      bigint NOT NULL REFERENCES tallyman.payload ON DELETE CASCADE,
  first_piece  bigint NOT NULL CHECK (first_piece >= 0),
  entries      bytea  NOT NULL,
  PRIMARY KEY (payload, first_piece)
);
CREATE TABLE tallyman.payload_place (
  one    boolean PRIMARY KEY DEFAULT true CHECK (one),
  place  text    NOT NULL
);
)sql"});

constexpr std::int64_t kVersion = kSteps.size();
// Held by who makes or changes these tables.
constexpr std::int64_t kLock = 0x74616C6C79'7031;  // "tallyp1"

// Nothing where the tables were never made.
Result<std::optional<std::int64_t>> version_of(PostgresConnection& connection) {
  // Not to_regclass(): it may remember that there was none, from before the lock.
  TALLY_TRY_ASSIGN(const auto made,
                   connection.exec("SELECT FROM pg_catalog.pg_tables WHERE schemaname = "
                                   "'tallyman' AND tablename = 'payload_version'"));
  if (made.rows() == 0) return std::optional<std::int64_t>();
  TALLY_TRY_ASSIGN(const auto version,
                   connection.exec("SELECT version FROM tallyman.payload_version"));
  if (version.rows() != 1) {
    return Error{ErrorCode::kInternal,
                 "tallyman.payload_version does not have one row, as it must"};
  }
  return std::optional(version.integer(0, 0));
}

Result<void> refuse_newer(std::optional<std::int64_t> version) {
  if (!version || *version <= kVersion) return {};
  return Error{ErrorCode::kInvalidArgument,
               "the payload tables of schema tallyman are of version " +
                   std::to_string(*version) + ", and this program knows " +
                   std::to_string(kVersion) + "; run a newer tallyman"};
}

Result<void> make_version_table(PostgresConnection& connection) {
  // Asked first: CREATE SCHEMA IF NOT EXISTS needs the right to make it all the same.
  TALLY_TRY_ASSIGN(const auto schema,
                   connection.exec("SELECT FROM pg_catalog.pg_namespace "
                                   "WHERE nspname = 'tallyman'"));
  if (schema.rows() == 0) TALLY_TRY(connection.exec("CREATE SCHEMA tallyman"));
  TALLY_TRY(
      connection.exec("CREATE TABLE tallyman.payload_version (version bigint NOT NULL);"
                      "CREATE UNIQUE INDEX payload_version_is_one_row ON "
                      "tallyman.payload_version ((true));"
                      "INSERT INTO tallyman.payload_version VALUES (0)"));
  return {};
}

Result<void> migrate(PostgresConnection& connection) {
  TALLY_TRY(connection.execute("SELECT pg_advisory_xact_lock($1::bigint)", kLock));
  TALLY_TRY_ASSIGN(auto version, version_of(connection));
  TALLY_TRY(refuse_newer(version));
  if (!version) TALLY_TRY(make_version_table(connection));
  for (auto step = static_cast<std::size_t>(version.value_or(0)); step < kSteps.size();
       ++step) {
    TALLY_TRY(connection.exec(kSteps[step]));
  }
  TALLY_TRY(connection.execute("UPDATE tallyman.payload_version SET version = $1::bigint",
                               kVersion));
  return {};
}

}  // namespace

Result<void> prepare_postgres_payload_schema(db::Database& database) {
  {
    TALLY_TRY_ASSIGN(const auto reading, database.begin_read());
    TALLY_TRY_ASSIGN(const auto version, version_of(db::postgres(*reading)));
    TALLY_TRY(refuse_newer(version));
    if (version == kVersion) return {};
  }
  TALLY_TRY_ASSIGN(const auto writing, database.begin_write(database.writer_wait()));
  if (auto done = migrate(db::postgres(*writing)); !done.ok()) {
    return std::move(done).error().with_context(
        db::postgres(*writing).failure().is("42501")
            ? "run `tallyman migrate` as the role that owns schema tallyman"
            : "cannot make the tables for uploads");
  }
  return writing->commit();
}

}  // namespace tallyman
