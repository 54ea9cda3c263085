#include "format/reader_options.h"

namespace tallyman {
namespace {

int scalar_column(Operation operation, const JobOptions& options,
                  const Resource& resource) {
  if (operation != Operation::kDelete || options.format.type == ContentType::kCsv)
    return -1;
  const Key* key = options.unique_fields.empty() ? resource.primary_key()
                                                 : resource.key_of(options.unique_fields);
  if (!key || key->fields.size() != 1) return -1;
  return static_cast<int>(key->fields.front());
}

}  // namespace

std::vector<std::string> batch_columns(const JobOptions& options,
                                       const std::vector<std::string>& csv_header,
                                       const Resource& resource) {
  return options.format.type == ContentType::kCsv ? csv_header : resource.field_names();
}

RecordReader::Options reader_options(Operation operation, const JobOptions& options,
                                     const std::vector<std::string>& csv_header,
                                     const Resource& resource,
                                     std::uint64_t record_bytes_max) {
  return {.format = options.format,
          .columns = batch_columns(options, csv_header, resource),
          .scalar_column = scalar_column(operation, options, resource),
          .record_bytes_max = record_bytes_max};
}

}  // namespace tallyman
