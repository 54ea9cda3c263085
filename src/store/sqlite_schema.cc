#include "store/sqlite_schema.h"

#include <array>
#include <string>

#include "db/sqlite_database.h"
#include "model/limits.h"

namespace tallyman {
namespace {

// Numbers of states, operations and outcomes are those of the model. The CHECKs restate
// what the code keeps to, for whoever else writes here.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE tallyman_meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
);

CREATE TABLE tallyman_table (
  name TEXT PRIMARY KEY,
  last_submission INTEGER NOT NULL CHECK (last_submission > 0),
  last_written INTEGER NOT NULL DEFAULT 0 CHECK (last_written <= last_submission)
) WITHOUT ROWID;

CREATE TABLE tallyman_job (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
  resource TEXT NOT NULL,
  table_name TEXT NOT NULL,
  operation INTEGER NOT NULL CHECK (operation BETWEEN 0 AND 4),
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
  owner TEXT NOT NULL,
  created_by TEXT NOT NULL,
  options TEXT NOT NULL,
  dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL CHECK (updated_at >= created_at),
  started_at INTEGER,
  completed_at INTEGER,
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  submission INTEGER,
  submitted_at INTEGER,
  window_records INTEGER CHECK (window_records > 0),
  window_bytes INTEGER CHECK (window_bytes > 0),
  slices INTEGER CHECK (slices > 0),
  columns BLOB NOT NULL,
  upload_bytes INTEGER NOT NULL CHECK (upload_bytes >= 0),
  total_items INTEGER CHECK (total_items >= 0),
  checked_items INTEGER NOT NULL CHECK (checked_items >= 0),
  created INTEGER NOT NULL CHECK (created >= 0),
  updated INTEGER NOT NULL CHECK (updated >= 0),
  unchanged INTEGER NOT NULL CHECK (unchanged >= 0),
  deleted INTEGER NOT NULL CHECK (deleted >= 0),
  failed INTEGER NOT NULL CHECK (failed >= 0),
  message TEXT NOT NULL,
  verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
  results_expired INTEGER NOT NULL CHECK (results_expired IN (0, 1)),
  retries INTEGER NOT NULL CHECK (retries >= 0),
  lanes_reason TEXT NOT NULL,
  parent TEXT,
  superseded INTEGER NOT NULL CHECK (superseded >= 0),
  idempotency_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  CHECK ((state >= 3) = (completed_at IS NOT NULL)),
  CHECK ((submission IS NULL) = (submitted_at IS NULL)),
  CHECK ((submission IS NULL) = (total_items IS NULL)),
  CHECK (state <> 0 OR submission IS NULL),
  CHECK (state NOT IN (1, 2, 3, 4) OR submission IS NOT NULL),
  CHECK (state NOT IN (2, 3) OR started_at IS NOT NULL),
  CHECK (verified = 0 OR state = 3),
  CHECK (results_expired = 0 OR state >= 3)
);
CREATE UNIQUE INDEX tallyman_job_key ON tallyman_job (owner, resource, idempotency_key)
  WHERE idempotency_key <> '' AND (state < 3 OR submission IS NOT NULL);
CREATE UNIQUE INDEX tallyman_job_submission ON tallyman_job (table_name, submission)
  WHERE submission IS NOT NULL;
CREATE INDEX tallyman_job_waiting ON tallyman_job (table_name, submission)
  WHERE state IN (1, 2);
CREATE INDEX tallyman_job_open ON tallyman_job (created_at) WHERE state = 0;
CREATE INDEX tallyman_job_ended ON tallyman_job (completed_at) WHERE state >= 3;
CREATE INDEX tallyman_job_resource ON tallyman_job (resource, number);

CREATE TABLE tallyman_job_event (
  job INTEGER NOT NULL REFERENCES tallyman_job (number) ON DELETE CASCADE,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  from_state INTEGER CHECK (from_state BETWEEN 0 AND 2),
  to_state INTEGER CHECK (to_state BETWEEN 0 AND 5),
  actor TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (job, sequence),
  CHECK (from_state IS NULL OR to_state > from_state)
) WITHOUT ROWID;

CREATE TABLE tallyman_lease (
  job INTEGER NOT NULL REFERENCES tallyman_job (number) ON DELETE CASCADE,
  slice INTEGER NOT NULL CHECK (slice >= 0),
  token INTEGER NOT NULL,
  worker TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (job, slice)
) WITHOUT ROWID;

CREATE TABLE tallyman_unit (
  job INTEGER NOT NULL REFERENCES tallyman_job (number) ON DELETE CASCADE,
  window_number INTEGER NOT NULL CHECK (window_number >= 0),
  slice INTEGER NOT NULL CHECK (slice >= 0),
  window_records INTEGER NOT NULL CHECK (window_records >= 0),
  created INTEGER NOT NULL CHECK (created >= 0),
  updated INTEGER NOT NULL CHECK (updated >= 0),
  unchanged INTEGER NOT NULL CHECK (unchanged >= 0),
  deleted INTEGER NOT NULL CHECK (deleted >= 0),
  failed INTEGER NOT NULL CHECK (failed >= 0),
  error_counts BLOB NOT NULL,
  outcomes BLOB NOT NULL,
  PRIMARY KEY (job, window_number, slice),
  CHECK (created + updated + unchanged + deleted + failed <= window_records)
);

CREATE TABLE tallyman_parent_record (
  child INTEGER NOT NULL REFERENCES tallyman_job (number) ON DELETE CASCADE,
  first_record INTEGER NOT NULL CHECK (first_record > 0),
  record_count INTEGER NOT NULL CHECK (record_count > 0),
  parents BLOB NOT NULL,
  PRIMARY KEY (child, first_record)
);

CREATE TABLE tallyman_token (
  name TEXT PRIMARY KEY CHECK (length(name) > 0),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  owner TEXT NOT NULL,
  scopes BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) WITHOUT ROWID;

CREATE TABLE tallyman_aggregate (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES tallyman_job (number) ON DELETE CASCADE,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  done INTEGER NOT NULL CHECK (done IN (0, 1)),
  value TEXT NOT NULL,
  error TEXT NOT NULL,
  as_of INTEGER,
  UNIQUE (job, name, definition),
  CHECK (done = 1 OR (value = '' AND error = '')),
  CHECK (done = 0 OR (value = '') <> (error = ''))
);
CREATE INDEX tallyman_aggregate_pending ON tallyman_aggregate (sequence) WHERE done = 0;
)sql";

// What an owner's uploads take, kept with every change of it; and a way to their jobs
// that have not ended.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE tallyman_owner (
  name TEXT PRIMARY KEY,
  stored_bytes INTEGER NOT NULL CHECK (stored_bytes >= 0)
) WITHOUT ROWID;
INSERT INTO tallyman_owner
  SELECT owner, sum(upload_bytes) FROM tallyman_job
  WHERE submission IS NOT NULL AND results_expired = 0 GROUP BY owner;
CREATE INDEX tallyman_job_unfinished ON tallyman_job (owner, number) WHERE state < 3;
)sql";

// Which jobs may run side by side, and the stretch of the common clock that an owner's
// last started job has (store/owner_share.h). There are no roles here: `acting` is always
// empty.
constexpr const char* kVersion3 = R"sql(
ALTER TABLE tallyman_token ADD COLUMN acting TEXT NOT NULL DEFAULT '';
ALTER TABLE tallyman_job ADD COLUMN acting TEXT NOT NULL DEFAULT '';
ALTER TABLE tallyman_job ADD COLUMN parallel INTEGER NOT NULL DEFAULT 0
  CHECK (parallel IN (0, 1));
CREATE TABLE tallyman_share (
  owner TEXT PRIMARY KEY,
  begins INTEGER NOT NULL CHECK (begins >= 0),
  ends INTEGER NOT NULL CHECK (ends > begins)
) WITHOUT ROWID;
)sql";

// The i-th leads from version i to version i + 1; what has been released never changes.
constexpr std::array<const char*, kSqliteSchemaVersion> kSteps = {kVersion1, kVersion2,
                                                                  kVersion3};

// 0 where there are no tables yet.
Result<std::int64_t> stored_version(db::SqliteConnection& connection) {
  TALLY_TRY_ASSIGN(
      auto exists,
      connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'tallyman_meta'"));
  TALLY_TRY_ASSIGN(const bool has_table, exists.step());
  if (!has_table) return 0;
  TALLY_TRY_ASSIGN(auto find, connection.prepare("SELECT version FROM tallyman_meta"));
  TALLY_TRY_ASSIGN(const bool has_row, find.step());
  return has_row ? find.integer(0) : 0;
}

}  // namespace

Result<void> prepare_sqlite_schema(db::Database& database) {
  TALLY_TRY_ASSIGN(auto transaction, database.begin_write(database.writer_wait()));
  auto& connection = db::sqlite(*transaction);
  TALLY_TRY_ASSIGN(const std::int64_t version, stored_version(connection));
  if (version == kSqliteSchemaVersion) return {};
  if (version > kSqliteSchemaVersion) {
    return Error{ErrorCode::kInvalidArgument,
                 "the tallyman_ tables of the database are of version " +
                     std::to_string(version) + ", and this program knows version " +
                     std::to_string(kSqliteSchemaVersion) +
                     " at most; use the newer program that made them"};
  }
  for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) {
    TALLY_TRY(connection.exec(kSteps[step]));
  }
  TALLY_TRY(connection.exec(("INSERT OR REPLACE INTO tallyman_meta VALUES (1, " +
                             std::to_string(kSqliteSchemaVersion) + ")")
                                .c_str()));
  return transaction->commit();
}

}  // namespace tallyman
