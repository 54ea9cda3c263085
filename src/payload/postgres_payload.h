// PostgresPayloadStore: uploads in the tables of the database
// (postgres_payload_schema.h), for any number of nodes.
//
//   TALLY_TRY(prepare_postgres_payload_schema(database));
//   TALLY_TRY_ASSIGN(auto scratch, ScratchFolder::make_own("/var/tmp"));
//   PostgresPayloadStore payloads(database, std::move(scratch));
//
// Of two writers of one job the later one has the payload: the calls of the earlier one
// are kLost, and what it stored since its last checkpoint is removed.
//
// Scratch files are this node's; list() tells of no other node's.
//
// Ownership: the database must outlive the store, and the store its readers and writers.
// Memory:    a writer: 5 MiB while bytes come in fast, and 32 bytes for each piece since
//            the last checkpoint; a reader: 4 MiB, and 32 bytes for each piece.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "db/database.h"
#include "payload/payload.h"
#include "payload/scratch_folder.h"

namespace tallyman {

class PostgresPayloadStore final : public PayloadStore {
 public:
  // REQUIRES: a PostgresDatabase whose tables are prepared.
  PostgresPayloadStore(db::Database& database, ScratchFolder scratch)
      : database_(database), scratch_(std::move(scratch)) {}

  Result<std::unique_ptr<PayloadWriter>> create(const JobId& job) override;
  Result<ResumedPayload> resume(const JobId& job) override;
  Result<std::uint64_t> checkpointed_offset(const JobId& job) override;
  Result<std::unique_ptr<PayloadReader>> open_unsealed(const JobId& job) override;
  Result<std::unique_ptr<PayloadReader>> open(const JobId& job) override;
  Result<void> remove(const JobId& job) override;
  Result<std::vector<JobId>> list() override;
  std::string scratch_path(const JobId& job, std::string_view name) override;
  void remove_scratch(const JobId& job) override;

 private:
  Result<std::unique_ptr<PayloadReader>> open_reader(const JobId& job, bool sealed);

  db::Database& database_;
  ScratchFolder scratch_;
};

}  // namespace tallyman
