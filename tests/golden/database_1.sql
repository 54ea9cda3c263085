BEGIN TRANSACTION;
CREATE TABLE people (id integer primary key, name text not null);
INSERT INTO "people" VALUES(1,'ann');
INSERT INTO "people" VALUES(2,'bob');
INSERT INTO "people" VALUES(10,'dana');
INSERT INTO "people" VALUES(11,'eve');
INSERT INTO "people" VALUES(20,'fay');
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
INSERT INTO "tallyman_job" VALUES(1,'01a21fda-8abd-768e-915a-f3382d288eff','people','people',0,3,'tester','tests','{"content_type":"text/csv","delimiter":",","null_value":"","unique_fields":[],"on_duplicate":"sequence","atomic":false,"dry_run":false,"aggregates":"","expect":""}',0,1795830745789252,1795830745795343,1795830745793130,1795830745795343,0,1,1795830745791199,80000,25165824,1,X'01026964046E616D65',26,3,0,2,0,0,0,1,'',1,0,0,'',NULL,0,'','');
INSERT INTO "tallyman_job" VALUES(2,'01a21fda-8adb-7a1f-95e5-2fce82269eea','people','people',0,3,'o''brien','other','{"content_type":"application/x-ndjson","delimiter":",","null_value":"","unique_fields":[],"on_duplicate":"sequence","atomic":false,"dry_run":false,"aggregates":"","expect":""}',0,1795830745819209,1795830745821986,1795830745820316,1795830745821986,0,2,1795830745819828,80000,25165824,1,X'01',26,1,0,1,0,0,0,0,'',1,0,0,'',NULL,0,'','');
INSERT INTO "tallyman_job" VALUES(3,'01a21fda-8aed-767d-bfd0-f9d9587ca874','people','people',1,3,'o''brien','other','{"content_type":"text/csv","delimiter":",","null_value":"","unique_fields":["id"],"on_duplicate":"sequence","atomic":false,"dry_run":false,"aggregates":"","expect":""}',0,1795830745837497,1795830745839967,1795830745838767,1795830745839967,0,3,1795830745838367,80000,25165824,1,X'01026964046E616D65',23,2,0,1,1,0,0,0,'',1,0,0,'',NULL,0,'','');
INSERT INTO "tallyman_job" VALUES(4,'01a21fda-8b01-7dd6-bbbc-1b3b057b952e','people','people',0,3,'o''brien','other','{"content_type":"text/csv","delimiter":",","null_value":"","unique_fields":[],"on_duplicate":"sequence","atomic":false,"dry_run":false,"aggregates":"","expect":""}',0,1795830745857474,1795830745862763,1795830745860844,1795830745862763,0,4,1795830745858203,80000,25165824,1,X'01026964046E616D65',15,1,0,1,0,0,0,0,'',1,1,0,'',NULL,0,'','');
INSERT INTO "tallyman_job" VALUES(5,'01a21fda-8b16-783b-9c10-c28618d7053c','people','people',0,0,'tester','tests','{"content_type":"text/csv","delimiter":",","null_value":"","unique_fields":[],"on_duplicate":"sequence","atomic":false,"dry_run":false,"aggregates":"","expect":""}',0,1795830745878553,1795830745878553,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,X'01',0,NULL,0,0,0,0,0,0,'',0,0,0,'',NULL,0,'','');
INSERT INTO "tallyman_job" VALUES(6,'01a21fda-8b18-7952-9fdd-5feb818b21fc','people','people',0,5,'tester','tests','{"content_type":"text/csv","delimiter":",","null_value":"","unique_fields":[],"on_duplicate":"sequence","atomic":false,"dry_run":false,"aggregates":"","expect":""}',0,1795830745880322,1795830745880900,NULL,1795830745880900,1,NULL,NULL,NULL,NULL,NULL,X'01',0,NULL,0,0,0,0,0,0,'aborted by tests',0,0,0,'',NULL,0,'','');
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
INSERT INTO "tallyman_job_event" VALUES(1,1,1795830745789252,'created',NULL,0,'tests','');
INSERT INTO "tallyman_job_event" VALUES(1,2,1795830745791199,'upload_completed',0,1,'tests','3 records');
INSERT INTO "tallyman_job_event" VALUES(1,3,1795830745793130,'claimed',1,2,'system','by worker worker');
INSERT INTO "tallyman_job_event" VALUES(1,4,1795830745795343,'finished',2,3,'system','');
INSERT INTO "tallyman_job_event" VALUES(2,1,1795830745819209,'created',NULL,0,'other','');
INSERT INTO "tallyman_job_event" VALUES(2,2,1795830745819828,'upload_completed',0,1,'other','1 records');
INSERT INTO "tallyman_job_event" VALUES(2,3,1795830745820316,'claimed',1,2,'system','by worker worker');
INSERT INTO "tallyman_job_event" VALUES(2,4,1795830745821986,'finished',2,3,'system','');
INSERT INTO "tallyman_job_event" VALUES(3,1,1795830745837497,'created',NULL,0,'other','');
INSERT INTO "tallyman_job_event" VALUES(3,2,1795830745838367,'upload_completed',0,1,'other','2 records');
INSERT INTO "tallyman_job_event" VALUES(3,3,1795830745838767,'claimed',1,2,'system','by worker worker');
INSERT INTO "tallyman_job_event" VALUES(3,4,1795830745839967,'finished',2,3,'system','');
INSERT INTO "tallyman_job_event" VALUES(4,1,1795830745857474,'created',NULL,0,'other','');
INSERT INTO "tallyman_job_event" VALUES(4,2,1795830745858203,'upload_completed',0,1,'other','1 records');
INSERT INTO "tallyman_job_event" VALUES(4,3,1795830745860844,'claimed',1,2,'system','by worker worker');
INSERT INTO "tallyman_job_event" VALUES(4,4,1795830745862763,'finished',2,3,'system','');
INSERT INTO "tallyman_job_event" VALUES(5,1,1795830745878553,'created',NULL,0,'tests','');
INSERT INTO "tallyman_job_event" VALUES(6,1,1795830745880322,'created',NULL,0,'tests','');
INSERT INTO "tallyman_job_event" VALUES(6,2,1795830745880900,'abort_requested',0,5,'tests','aborted by tests');
CREATE TABLE tallyman_lease (
  job INTEGER NOT NULL REFERENCES tallyman_job (number) ON DELETE CASCADE,
  slice INTEGER NOT NULL CHECK (slice >= 0),
  token INTEGER NOT NULL,
  worker TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (job, slice)
) WITHOUT ROWID;
CREATE TABLE tallyman_meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
);
INSERT INTO "tallyman_meta" VALUES(1,1);
CREATE TABLE tallyman_parent_record (
  child INTEGER NOT NULL REFERENCES tallyman_job (number) ON DELETE CASCADE,
  first_record INTEGER NOT NULL CHECK (first_record > 0),
  record_count INTEGER NOT NULL CHECK (record_count > 0),
  parents BLOB NOT NULL,
  PRIMARY KEY (child, first_record)
);
CREATE TABLE tallyman_table (
  name TEXT PRIMARY KEY,
  last_submission INTEGER NOT NULL CHECK (last_submission > 0),
  last_written INTEGER NOT NULL DEFAULT 0 CHECK (last_written <= last_submission)
) WITHOUT ROWID;
INSERT INTO "tallyman_table" VALUES('people',4,4);
CREATE TABLE tallyman_token (
  name TEXT PRIMARY KEY CHECK (length(name) > 0),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  owner TEXT NOT NULL,
  scopes BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) WITHOUT ROWID;
INSERT INTO "tallyman_token" VALUES('other',X'8AF9A2FC3F4169EC87EC51F8B97467DB58034E0FF6209F52DA64AEDBA1DC34DA','o''brien',X'01012A',1795830745817135,NULL);
INSERT INTO "tallyman_token" VALUES('tests',X'7C4C165C5966C736E6C5300053E1F728AC29B495CB5C09E5993E721CEEDB91BE','tester',X'01012A',1795830745760876,NULL);
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
INSERT INTO "tallyman_unit" VALUES(1,0,0,3,2,0,0,0,1,X'010301',X'010103100C000102020103026964216D75737420626520612077686F6C65206E756D6265722073756368206173203431010200');
INSERT INTO "tallyman_unit" VALUES(2,0,0,1,1,0,0,0,0,X'01',X'01010108000101140000');
INSERT INTO "tallyman_unit" VALUES(3,0,0,2,1,1,0,0,0,X'01',X'01010209080001011401020000');
CREATE UNIQUE INDEX tallyman_job_key ON tallyman_job (owner, resource, idempotency_key)
  WHERE idempotency_key <> '' AND (state < 3 OR submission IS NOT NULL);
CREATE UNIQUE INDEX tallyman_job_submission ON tallyman_job (table_name, submission)
  WHERE submission IS NOT NULL;
CREATE INDEX tallyman_job_waiting ON tallyman_job (table_name, submission)
  WHERE state IN (1, 2);
CREATE INDEX tallyman_job_open ON tallyman_job (created_at) WHERE state = 0;
CREATE INDEX tallyman_job_ended ON tallyman_job (completed_at) WHERE state >= 3;
CREATE INDEX tallyman_job_resource ON tallyman_job (resource, number);
CREATE INDEX tallyman_aggregate_pending ON tallyman_aggregate (sequence) WHERE done = 0;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tallyman_job',6);
COMMIT;
