#include "store/job_store_conformance.h"

#include "store/postgres_backend.h"
#include "store/sqlite_backend.h"

namespace tallyman {

INSTANTIATE_TEST_SUITE_P(Sqlite, JobStoreConformance, testing::Values([] {
                           return std::make_unique<SqliteBackend>();
                         }));
INSTANTIATE_TEST_SUITE_P(Postgres, JobStoreConformance, testing::Values([] {
                           return std::make_unique<PostgresBackend>();
                         }));

}  // namespace tallyman
