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
    tests: tuple     # Names of ctest, "store_test:Claims*" where some of its tests will do; one
                     # that fails is enough.


DEFECTS = (
    Defect("the lease is not checked at the end of a unit",
           "src/store/sqlite_ledger.cc",
           "  return check_may_write(connection, claim);\n}",
           "  return {};\n}",
           ("store_test",)),
    Defect("the rows are committed apart from their ledger",
           "src/worker/job_run.cc",
           "  TALLY_TRY(outcomes);\n",
           "  TALLY_TRY(outcomes);\n"
           "  TALLY_TRY(parts_.ledger.end_unit(*transaction, claim_, window.number, 0, {}));\n"
           "  TALLY_TRY(transaction->commit());\n"
           "  TALLY_TRY_ASSIGN(transaction, parts_.database.begin_write(limits::kWriterWait));\n",
           ("crash_points",)),
    Defect("records are counted before their rows are committed",
           "src/worker/job_run.cc",
           "  auto outcomes = writer.write(*transaction, *window.bound, options);\n",
           "  UnitOutcomes early;\n"
           "  early.first_record = window.first_record;\n"
           "  early.outcomes.assign(window.record_count, Outcome::kCreated);\n"
           "  TALLY_TRY(parts_.ledger.end_unit(*transaction, claim_, window.number,\n"
           "                                   early.size(), early));\n"
           "  TALLY_TRY(transaction->commit());\n"
           "  TALLY_TRY_ASSIGN(transaction, parts_.database.begin_write(limits::kWriterWait));\n"
           "  auto outcomes = writer.write(*transaction, *window.bound, options);\n",
           ("kill", "crash_points")),
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
           ("target_test", "scenario")),
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
           ("scenario", "target_test")),
    Defect("what a failed record's triggers did is not undone",
           "src/target/sqlite_job_writer.cc",
           "    if (outcome == Outcome::kFailed) TALLY_TRY(undo_->run());\n",
           "",
           ("target_test", "scenario")),
    Defect("another body under the same Idempotency-Key is the same job",
           "src/service/job_upload.cc",
           "  if (hash.finish() != job.fingerprint) {",
           "  if (hash.finish() != job.fingerprint && job.fingerprint.empty()) {",
           ("service_test",)),
    Defect("bytes behind the last checkpoint of an upload stay",
           "src/payload/disk_payload.cc",
           "  TALLY_TRY(data.truncate(state.offset));\n",
           "",
           ("payload_test",)),
    Defect("the first of a key is forgotten from window to window",
           "src/target/sqlite_job_writer.cc",
           "            key.last_applied_record != 0 && key.last_applied_record < record;",
           "            key.last_applied_record != 0 && key.last_applied_record < 0;",
           ("scenario", "target_test")),
    Defect("the last job of a table has the turn",
           "src/store/sqlite_claims.cc",
           '''AND state IN (1, 2) ORDER BY "
          "submission "
          "LIMIT 1)''',
           '''AND state IN (1, 2) ORDER BY "
          "submission DESC "
          "LIMIT 1)''',
           ("store_test",)),
    Defect("an upload is acknowledged before it is on the disk",
           "src/payload/disk_payload_writer.cc",
           "  if (written_ > checkpoint_.offset) TALLY_TRY(data_.sync());\n",
           "",
           ("disk_faults",)),
)
