#include "format/splitter.h"

#include <utility>

#include "base/check.h"
#include "format/csv_splitter.h"
#include "format/json_splitter.h"
#include "format/ndjson_splitter.h"

namespace tallyman {
namespace {

Result<std::unique_ptr<Splitter>> restore(const InputFormat& format,
                                          const SplitLimits& limits,
                                          std::string_view checkpoint) {
  switch (format.type) {
    case ContentType::kCsv:
      return CsvSplitter::restore(format.delimiter, limits, checkpoint);
    case ContentType::kNdjson: return NdjsonSplitter::restore(limits, checkpoint);
    case ContentType::kJson: return JsonSplitter::restore(limits, checkpoint);
  }
  CHECK(false);
}

}  // namespace

std::unique_ptr<Splitter> make_splitter(const InputFormat& format,
                                        const SplitLimits& limits) {
  switch (format.type) {
    case ContentType::kCsv:
      return std::make_unique<CsvSplitter>(format.delimiter, limits);
    case ContentType::kNdjson: return std::make_unique<NdjsonSplitter>(limits);
    case ContentType::kJson: return std::make_unique<JsonSplitter>(limits);
  }
  CHECK(false);
}

Result<RestoredSplitter> restore_splitter(const InputFormat& format,
                                          const SplitLimits& limits,
                                          std::string_view checkpoint) {
  TALLY_TRY_ASSIGN(auto splitter, restore(format, limits, checkpoint));
  const std::uint64_t resume_offset = splitter->resume_offset();
  return RestoredSplitter{std::move(splitter), resume_offset};
}

}  // namespace tallyman
