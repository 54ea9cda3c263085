#include "payload/payload_conformance.h"

#include "payload/test_disk_place.h"
#include "payload/test_postgres_place.h"

namespace tallyman {
namespace {

INSTANTIATE_TEST_SUITE_P(Disk, PayloadConformance,
                         testing::Values([] { return std::make_unique<DiskPlace>(); }));

INSTANTIATE_TEST_SUITE_P(Postgres, PayloadConformance, testing::Values([] {
                           return std::make_unique<PostgresPlace>();
                         }));

}  // namespace
}  // namespace tallyman
