// What a person wants to know of a job, as lines of text.
//
//   Job Complete: 1,000 records, 990 created, 10 failed
//     7 INVALID_TYPE
//     3 DUPLICATE_VALUE
//     record 12: amount: must be a decimal number (INVALID_TYPE)
//
// Pure functions.
#pragma once

#include <ostream>
#include <string>

#include "client/answers.h"

namespace tallyman {

// One line: the state and the counts.
std::string summary_line(const client::JobStatus& status);

// All that a status tells.
void print_status(std::ostream& out, const client::JobStatus& status);

// What is said at the end of a job that was waited for.
void print_outcome(std::ostream& out, const client::JobStatus& status);

// A table, a job a line.
void print_jobs(std::ostream& out, const std::vector<client::JobStatus>& jobs);

void print_history(std::ostream& out, const std::vector<client::HistoryEntry>& history);

}  // namespace tallyman
