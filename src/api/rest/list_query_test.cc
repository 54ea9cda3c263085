#include "api/rest/list_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time_text.h"
#include "model/limits.h"

namespace tallyman::rest {
namespace {

using testing::HasSubstr;
using Query = std::vector<std::pair<std::string, std::string>>;

TEST(ListQuery, HasAPageOfItsOwnSize) {
  const auto filter = parse_list_query({});
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(filter.value().limit, limits::kListPage);
  EXPECT_FALSE(filter.value().before);
}

TEST(ListQuery, ReadsEveryParameter) {
  const Query query = {{"state", "Job Complete"},
                       {"operation", "upsert"},
                       {"created_after", "2024-01-15T10:30:00Z"},
                       {"created_before", "2024-01-15T12:30:00+01:00"},
                       {"limit", "1000"}};
  const auto filter = parse_list_query(query);
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(filter.value().state, JobState::kJobComplete);
  EXPECT_EQ(filter.value().operation, Operation::kUpsert);
  EXPECT_EQ(filter.value().created_after, parse_rfc3339("2024-01-15T10:30:00Z"));
  EXPECT_EQ(filter.value().created_before, parse_rfc3339("2024-01-15T11:30:00Z"));
  EXPECT_EQ(filter.value().limit, limits::kListPageMax);
}

TEST(ListQuery, RefusesWhatItCannotRead) {
  for (const auto& [name, value] : Query{{"state", "Done"},
                                         {"operation", "merge"},
                                         {"created_after", "yesterday"},
                                         {"created_before", "2024-01-15"},
                                         {"limit", "0"},
                                         {"limit", "1001"},
                                         {"cursor", "17"},
                                         {"cursor", "j000000000000001g"},
                                         {"cursor", "jffffffffffffffff"},
                                         {"cursor", ""}}) {
    const auto filter = parse_list_query(Query{{name, value}});
    ASSERT_FALSE(filter.ok()) << name << "=" << value;
    EXPECT_THAT(filter.error().message, HasSubstr("'" + name + "'"));
  }
  EXPECT_THAT(parse_list_query(Query{{"stat", "Open"}}).error().message,
              HasSubstr("did you mean 'state'?"));
}

TEST(ListQuery, GoesOnWithTheSameFilters) {
  const Query query = {
      {"state", "Job Complete"}, {"cursor", "j0000000000000063"}, {"limit", "2"}};
  const std::string url = next_url("/api/people/jobs/", query, JobNumber(17));
  EXPECT_EQ(url,
            "/api/people/jobs/?state=Job%20Complete&limit=2&cursor=j0000000000000011");
  const auto next = parse_list_query(Query{{"cursor", url.substr(url.size() - 17)}});
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next.value().before, JobNumber(17));
  EXPECT_EQ(next_url("/api/jobs/", {}, JobNumber(1)),
            "/api/jobs/?cursor=j0000000000000001");
}

}  // namespace
}  // namespace tallyman::rest
