#include "target/postgres_test_backend.h"
#include "target/sqlite_test_backend.h"
#include "target/target_conformance.h"

namespace tallyman {

INSTANTIATE_TEST_SUITE_P(Sqlite, TargetConformance,
                         testing::Values(make_sqlite_test_backend));
INSTANTIATE_TEST_SUITE_P(Sqlite, TargetAggregates,
                         testing::Values(make_sqlite_test_backend));
INSTANTIATE_TEST_SUITE_P(Postgres, TargetConformance,
                         testing::Values(make_postgres_test_backend));
INSTANTIATE_TEST_SUITE_P(Postgres, TargetAggregates,
                         testing::Values(make_postgres_test_backend));

}  // namespace tallyman
