// Every handler of the REST face; routes.cc says which route has which.
#pragma once

#include "api/rest/call.h"

namespace tallyman::rest {

// bulk.cc
Result<http::Response> bulk_insert(Call& call);
Result<http::Response> bulk_update_or_upsert(Call& call);
Result<http::Response> bulk_replace(Call& call);
Result<http::Response> bulk_delete(Call& call);

// jobs.cc
Result<http::Response> create_job(Call& call);
Result<http::Response> put_data(Call& call);
Result<http::Response> head_data(Call& call);
Result<http::Response> complete_job(Call& call);
Result<http::Response> abort_job(Call& call);
Result<http::Response> retry_job(Call& call);
Result<http::Response> delete_job(Call& call);

// watch.cc
Result<http::Response> job_status(Call& call);
Result<http::Response> job_history(Call& call);

// list.cc
Result<http::Response> list_jobs(Call& call);
Result<http::Response> list_all_jobs(Call& call);

// events.cc
Result<http::Response> job_events(Call& call);

// results.cc
Result<http::Response> job_results(Call& call);

// aggregates.cc
Result<http::Response> request_aggregates(Call& call);
Result<http::Response> job_aggregates(Call& call);

// describe.cc
Result<http::Response> list_resources(Call& call);
Result<http::Response> resource_schema(Call& call);
Result<http::Response> resource_template(Call& call);
Result<http::Response> health(Call& call);
Result<http::Response> readiness(Call& call);

}  // namespace tallyman::rest
