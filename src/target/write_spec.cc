#include "target/write_spec.h"

namespace tallyman {

WriteSpec write_spec(Operation operation, const JobOptions& options,
                     std::vector<std::string> columns, bool general_path) {
  WriteSpec spec;
  spec.operation = operation;
  spec.columns = std::move(columns);
  spec.sparse = options.format.type != ContentType::kCsv;
  spec.unique_fields = options.unique_fields;
  spec.update_fields = options.update_fields;
  spec.on_duplicate = options.on_duplicate;
  spec.general_path = general_path;
  return spec;
}

}  // namespace tallyman
