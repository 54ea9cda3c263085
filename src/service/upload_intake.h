// UploadIntake: one part of an upload on its way from its sender into the payload.
//
//   TALLY_TRY_ASSIGN(auto intake, UploadIntake::open(payloads, job, limits, judge));
//   TALLY_TRY(intake->receive(source, false, nullptr));
//   TALLY_TRY(intake->checkpoint());               // durable: the part may be
//   acknowledged TALLY_TRY_ASSIGN(auto whole, intake->finish());  // or: it was the last
//   one
//
// Between parts all that is known lies in the payload's last checkpoint: an intake is
// made anew for each part, on whichever node the part arrives.
//
// Threads: one. Memory: the splitter's and the payload writer's buffers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/content_hash.h"
#include "base/result.h"
#include "format/splitter.h"
#include "model/content.h"
#include "model/ids.h"
#include "payload/payload.h"
#include "service/job_service.h"

namespace tallyman {

// How many records the upload may have, and by which limit.
struct RecordsMax {
  std::uint64_t records;
  std::string_view setting;      // "delete_keys_max"
  std::string_view what;         // "keys, the most for a delete job"
  std::string_view detail_code;  // Or empty.
};

class UploadIntake {
 public:
  struct Options {
    InputFormat format;
    SplitLimits split;
    std::uint64_t upload_bytes_max = limits::kUploadBytesMax;
    std::optional<RecordsMax> records_max;
    // Asked before the upload grows to so many bytes.
    std::function<Result<void>(std::uint64_t)> may_grow_to =
        [](std::uint64_t) -> Result<void> { return {}; };
    // Called once, with the CSV header's cells, as soon as they are here.
    std::function<Result<void>(const std::vector<std::string>&)> judge_header;
  };

  // Goes on where the last checkpoint stands (a new payload: at 0).
  static Result<std::unique_ptr<UploadIntake>> open(PayloadStore& payloads,
                                                    const JobId& job, Options options);
  // From 0, whatever was there.
  static Result<std::unique_ptr<UploadIntake>> start_over(PayloadStore& payloads,
                                                          const JobId& job,
                                                          Options options);

  std::uint64_t offset() const { return writer_->offset(); }

  // Takes bytes until the source ends. What cannot be read, and, with `all_or_nothing`,
  // what breaks off, leaves the payload at an earlier checkpoint.
  Result<void> receive(const ByteSource& source, bool all_or_nothing, ContentHash* hash);

  // What was received survives a crash, and the upload can go on after it.
  Result<void> checkpoint();

  // The upload is whole: the payload is sealed, and durable.
  Result<UploadReceived> finish();

  // The same of a payload that is sealed already (a crash came between sealing and saying
  // so): reads it through once more.
  static Result<UploadReceived> read_again(PayloadReader& sealed, Options options);

 private:
  UploadIntake(Options options, std::unique_ptr<PayloadWriter> writer,
               std::unique_ptr<Splitter> splitter);

  Result<void> take(std::string_view bytes);
  Result<void> judge();
  Result<void> judge_records() const;

  Options options_;
  std::unique_ptr<PayloadWriter> writer_;
  std::unique_ptr<Splitter> splitter_;
  bool header_judged_ = false;
};

}  // namespace tallyman
