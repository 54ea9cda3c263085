// How the records of a job are to be read: what its options say, made ready for a
// RecordReader.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/record_reader.h"
#include "model/job.h"
#include "model/resource.h"

namespace tallyman {

// The columns that the job's batches have: of CSV its header's, else the resource's
// fields.
std::vector<std::string> batch_columns(const JobOptions& options,
                                       const std::vector<std::string>& csv_header,
                                       const Resource& resource);

// A delete job whose key is one field also takes bare ids.
RecordReader::Options reader_options(Operation operation, const JobOptions& options,
                                     const std::vector<std::string>& csv_header,
                                     const Resource& resource,
                                     std::uint64_t record_bytes_max);

}  // namespace tallyman
