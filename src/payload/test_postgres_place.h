// PostgresPlace: a database for the payloads of a test.
#pragma once

#include <memory>
#include <string>

#include "db/test_postgres.h"
#include "payload/postgres_payload.h"
#include "payload/postgres_payload_schema.h"
#include "payload/test_folder.h"
#include "payload/test_place.h"

namespace tallyman {

class PostgresPlace final : public PayloadPlace {
 public:
  PostgresPlace() { CHECK(prepare_postgres_payload_schema(*database_).ok()); }

  std::unique_ptr<PayloadStore> open() override {
    return std::make_unique<PostgresPayloadStore>(
        *database_, ScratchFolder::make_own(folder_.path()).value());
  }

  db::TemporaryPostgres& database() { return database_; }

  std::int64_t count(const std::string& table) {
    const auto reading = database_->begin_read().value();
    return db::postgres(*reading)
        .exec("SELECT count(*) FROM tallyman." + table)
        .value()
        .integer(0, 0);
  }

 private:
  TestFolder folder_;
  db::TemporaryPostgres database_;
};

}  // namespace tallyman
