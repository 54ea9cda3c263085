// What a job's options mean as a WriteSpec.
#pragma once

#include <string>
#include <vector>

#include "model/job.h"
#include "target/target.h"

namespace tallyman {

// `columns`: the batches' (format/reader_options.h).
WriteSpec write_spec(Operation operation, const JobOptions& options,
                     std::vector<std::string> columns, bool general_path);

}  // namespace tallyman
