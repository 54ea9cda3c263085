// The query of a list of jobs, and the cursor with which it goes on.
//
//   TALLY_TRY_ASSIGN(const ListQuery query, parse_list_query(request.query));
//   next_url("/api/jobs/", request.query, jobs.back().number)
//     ->  "/api/jobs/?state=Failed&limit=2&cursor=j0000000000000011"
//
// Threads: any.
// Errors:  kInvalidArgument  names the parameter, and what can be read
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "store/job_store.h"

namespace tallyman::rest {

using QueryParameters = std::span<const std::pair<std::string, std::string>>;

// state, operation, created_after, created_before, limit and cursor. The resources and
// the owner are the caller's to fill in.
Result<JobFilter> parse_list_query(QueryParameters query);

// The same list after the job `last`. Other parameters are kept.
std::string next_url(std::string_view path, QueryParameters query, JobNumber last);

}  // namespace tallyman::rest
