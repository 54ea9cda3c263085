#include "store/sqlite_backend.h"
#include "store/token_store_conformance.h"

namespace tallyman {

INSTANTIATE_TEST_SUITE_P(Sqlite, TokenStoreConformance, testing::Values([] {
                           return std::make_unique<SqliteBackend>();
                         }));

}  // namespace tallyman
