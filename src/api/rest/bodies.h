// The JSON bodies that say something about a job.
//
// Threads: any.
#pragma once

#include <string>
#include <vector>

#include "model/job.h"
#include "service/job_service.h"

namespace tallyman::rest {

// GET .../status/
std::string status_body(const JobStatus& status);

// One job of a list: what the job itself knows, under the names that the status has.
std::string listed_body(const Job& job);

// The answer to starting or retrying a job:
// {"message": "Enhanced bulk create job started for 2 items", "job_id": ..., ...}
std::string started_body(const Job& job);
// The same and "state", for a job whose upload was completed by itself.
std::string completed_body(const Job& job);

// The answer to creating a job that still takes data.
std::string created_body(const Job& job);

std::string history_body(const JobId& id, const std::vector<JobHistoryEntry>& history);

// The data of a `progress` event.
std::string progress_body(const Job& job);

}  // namespace tallyman::rest
