#include "store/one_process_conformance.h"
#include "store/sqlite_backend.h"

namespace tallyman {

INSTANTIATE_TEST_SUITE_P(Sqlite, OneProcessConformance, testing::Values([] {
                           return std::make_unique<SqliteBackend>();
                         }));

}  // namespace tallyman
