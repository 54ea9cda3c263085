"""Known defects: what a wrong program looks like in one place, and the tests that must see it.

tools/mutate.py plants each in a copy of the tree and runs its tests: they have to fail. A
defect that no test sees is a hole in the suite; one whose text is no longer there has to be
written anew for the code as it is now.
"""
from dataclasses import dataclass


@dataclass
class Defect:
    name: str
    file: str
    right: str       # Stands exactly once in the file.
    wrong: str
    tests: tuple     # Names of ctest; "program:filter" where some of its tests will do. One that
                     # fails is enough.


LEDGER_COMMITTED_FIRST = (
    "  TALLY_TRY(outcomes);\n"
    "  TALLY_TRY(parts_.ledger.end_unit(*transaction, claim_, place, 0, {}));\n"
    "  TALLY_TRY(transaction->commit());\n"
    "  TALLY_TRY_ASSIGN(transaction, parts_.database.begin_write(settings_.writer_wait));\n")

DEFECTS = (
    Defect("the lease is not checked at the end of a unit",
           "src/store/sqlite_ledger.cc",
           "  return check_may_write(connection, claim);\n}",
           "  return {};\n}",
           ("store_test:Sqlite/*Conformance*",)),
    Defect("the rows are committed apart from their ledger",
           "src/worker/job_run.cc",
           "  TALLY_TRY(outcomes);\n",
           LEDGER_COMMITTED_FIRST,
           ("crash_points:InMidJob.test_insert_comes_to_the_same_after_a_crash_at_every_point",)),
    Defect("records are counted before their rows are committed",
           "src/worker/job_run.cc",
           "  auto outcomes = plan.writer->write(*transaction, *window.bound, slice, options);\n",
           "  UnitOutcomes early;\n"
           "  early.first_record = window.first_record;\n"
           "  early.outcomes.assign(window.record_count, Outcome::kCreated);\n"
           "  TALLY_TRY(parts_.ledger.end_unit(*transaction, claim_, place, early.size(), early));\n"
           "  TALLY_TRY(transaction->commit());\n"
           "  TALLY_TRY_ASSIGN(transaction, parts_.database.begin_write(settings_.writer_wait));\n"
           "  auto outcomes = plan.writer->write(*transaction, *window.bound, slice, options);\n",
           ("crash_points:InMidJob.test_insert_comes_to_the_same_after_a_crash_at_every_point",)),
    Defect("a quote that is open where the stream was cut is forgotten",
           "src/format/csv_splitter.cc",
           "  std::string_view rest = bytes;\n",
           "  scanner_.reset();\n  std::string_view rest = bytes;\n",
           ("format_test",)),
    Defect("decimals are summed as floats",
           "src/target/aggregate_accumulator.cc",
           "    group.sum += decimal_of(value);\n",
           "    if (!group.float_sum) group.float_sum = std::make_unique<FloatSum>();\n"
           "    group.float_sum->add(decimal_of(value).nearest_double());\n",
           ("target_test:Sqlite/TargetAggregates*",)),
    Defect("a job's owner is not asked for",
           "src/service/job_rules.cc",
           "(caller.is_admin() || found.value().owner == caller.owner)",
           "(caller.is_admin() || !found.value().owner.empty())",
           ("service_test", "access")),
    Defect("a token may do what its scopes do not say",
           "src/service/caller.cc",
           "  if (caller.may(resource, action)) return {};\n",
           "  if (caller.may_see(resource)) return {};\n",
           ("service_test", "access")),
    Defect("a value of another type passes for unchanged",
           "src/target/sqlite_value.cc",
           "      return type == SqliteType::kInteger && row.integer(place) == value.integer;\n",
           "      return row.integer(place) == value.integer;\n",
           ("target_test:*Sqlite*", "scenario")),
    Defect("what a failed record's triggers did is not undone",
           "src/target/sqlite_job_writer.cc",
           "    if (outcome == Outcome::kFailed) TALLY_TRY(undo_->run());\n",
           "",
           ("target_test:*Sqlite*", "scenario")),
    Defect("another body under the same Idempotency-Key is the same job",
           "src/service/job_upload.cc",
           "  if (hash.finish() != job.fingerprint) {",
           "  if (hash.finish() != job.fingerprint && job.fingerprint.empty()) {",
           ("service_test",)),
    Defect("bytes behind the last checkpoint of an upload stay",
           "src/payload/disk_payload.cc",
           "  TALLY_TRY(data.truncate(state.offset));\n",
           "",
           ("payload_test:*Disk*",)),
    Defect("the first of a key is forgotten from window to window",
           "src/target/duplicate_rule.cc",
           "          key.last_applied_record != 0 && key.last_applied_record < record;",
           "          key.last_applied_record != 0 && key.last_applied_record < 0;",
           ("target_test:*Sqlite*", "scenario")),
    Defect("the last job of a table has the turn",
           "src/store/sqlite_claims.cc",
           '"state IN (1, 2) ORDER BY submission LIMIT 1)), "',
           '"state IN (1, 2) ORDER BY submission DESC LIMIT 1)), "',
           ("store_test:Sqlite/ClaimConformance*",)),
    Defect("an upload is acknowledged before it is on the disk",
           "src/payload/disk_payload_writer.cc",
           "  if (written_ > checkpoint_.offset) TALLY_TRY(data_.sync());\n",
           "",
           ("disk_faults",)),

    # --- PostgreSQL's own ------------------------------------------------------------------
    Defect("PostgreSQL: the claim is not checked at the end of a unit",
           "src/store/postgres_ledger.cc",
           "  return check_may_write(connection, claim, ClaimLock::kShare);",
           "  return {};",
           ("store_test:Postgres/LedgerConformance*",)),
    Defect("PostgreSQL: who lost a slice to another worker may write it",
           "src/store/postgres_lease_rows.cc",
           "      static_cast<std::size_t>(found.integer(0, 1)) == claim.slices.size()) {",
           "      static_cast<std::size_t>(found.integer(0, 1)) <= claim.slices.size()) {",
           ("store_test:Postgres/*Conformance*",)),
    Defect("PostgreSQL: the rows are committed apart from their ledger",
           "src/worker/job_run.cc",
           "  TALLY_TRY(outcomes);\n",
           LEDGER_COMMITTED_FIRST,
           ("postgres_connection:Breaking.test_a_commit_whose_reply_is_lost_is_found_and_one_"
            "that_is_lost_is_made_again",)),
    Defect("PostgreSQL: leases run out by the node's clock",
           "src/store/postgres_claims.cc",
           "    TALLY_TRY(take_leases(connection, options_.lease_clock(), claim, claimer.worker,\n",
           "    const std::string own = std::to_string(to_micros(clock_.now()) / 1'000'000);\n"
           "    TALLY_TRY(take_leases(connection, \"to_timestamp(\" + own + \")\", claim, "
           "claimer.worker,\n",
           ("store_test:Postgres/PostgresClaims.LeasesAre*",)),
    Defect("PostgreSQL: a free slice is not locked while it is claimed",
           "src/store/postgres_lease_rows.cc",
           " ORDER BY slice LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
           " ORDER BY slice LIMIT $3",
           ("store_test:Postgres/PostgresClaims*",)),
    Defect("PostgreSQL: a claimer waits for the slice that another one claims",
           "src/store/postgres_lease_rows.cc",
           "FOR NO KEY UPDATE SKIP LOCKED",
           "FOR NO KEY UPDATE",
           ("store_test:Postgres/PostgresClaims.WhoClaims*",)),
    Defect("PostgreSQL: a slice's window is written before the one that precedes it",
           "src/store/postgres_ledger.cc",
           "  if (unit.window == WindowNumber(0)) return {};",
           "  if (unit.window >= WindowNumber(0)) return {};",
           ("store_test:Postgres/LedgerConformance*",)),
    Defect("PostgreSQL: records of one key go to several slices",
           "src/target/postgres_window.cc",
           "turn_of(rest, number, kSliceTurns);",
           "turn_of(rest, number + place, kSliceTurns);",
           ("target_test:PostgresWindowTest*",)),
    Defect("PostgreSQL: the lane of a key without a number follows from its turn",
           "src/target/postgres_window.cc",
           "turn_of(std::rotl(rest, 32), ",
           "turn_of(rest, ",
           ("target_test:PostgresWindowTest*",)),
    Defect("PostgreSQL: a record that changes nothing is written",
           "src/target/postgres_write.cc",
           '  if (columns.empty()) return "true";',
           '  if (!columns.empty()) return "false";\n  if (columns.empty()) return "true";',
           ("target_test:Postgres/TargetConformance.Upserts*",)),
    Defect("PostgreSQL: a deadlock is a record's fault",
           "src/db/postgres.cc",
           '      std::to_array<std::string_view>({"08", "40", "53", "58"});',
           '      std::to_array<std::string_view>({"08", "53", "58"});',
           ("db_test:PostgresFailure*",)),
    Defect("PostgreSQL: rows that COPY did not store are counted",
           "src/target/postgres_set_writer.cc",
           "    return rows.value() == static_cast<std::int64_t>(records.size());",
           "    return rows.value() >= 0;",
           ("target_test:PostgresJobWriterTest*",)),
    Defect("PostgreSQL: a table that has changed is written as it was",
           "src/target/postgres_job_writer.cc",
           "  if (stamp != write_.table.stamp) return changed();\n",
           "",
           ("target_test:PostgresJobWriterTest*",)),
    Defect("PostgreSQL: of two events at once the later one is told with the earlier time",
           "src/store/postgres_job_rows.cc",
           "greatest(max(at), $2)",
           "$2",
           ("store_test:Postgres/JobStoreConformance.AHistory*",)),
    Defect("PostgreSQL: units of parallel jobs do not take turns",
           "src/target/postgres_job_writer.cc",
           "  if (parallel_) TALLY_TRY(take_turn(connection, bound->slices(), slice));\n",
           "",
           ("target_test:PostgresJobWriterTest*",)),
    Defect("PostgreSQL: a unit is written as the program, not as the job's maker",
           "src/target/postgres_job_writer.cc",
           "  TALLY_TRY(begin_acting(connection, acting_));\n",
           "",
           ("postgres_roles:Tenants",)),
    Defect("PostgreSQL: what a job did not use of its owner's share is kept",
           "src/store/postgres_owner_rows.cc",
           "  if (rest == 0) return {};",
           "  if (rest >= 0) return {};",
           ("store_test:Postgres/ClaimConformance.WhatCounts*",)),
    Defect("PostgreSQL: lanes that leave at once do not wait for each other",
           "src/store/postgres_claims.cc",
           "\"SELECT 1 FROM tallyman.job WHERE number = $1 FOR NO KEY UPDATE\",",
           "\"SELECT 1 FROM tallyman.job WHERE number = $1\",",
           ("store_test:Postgres/PostgresClaims.OfAllThatLeave*",)),
)
