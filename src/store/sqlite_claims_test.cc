#include "store/claim_conformance.h"
#include "store/sqlite_backend.h"

namespace tallyman {

INSTANTIATE_TEST_SUITE_P(Sqlite, ClaimConformance, testing::Values([] {
                           return std::make_unique<SqliteBackend>();
                         }));

}  // namespace tallyman
