// `tallyman load`: sends a file as a job in steps, so that an interrupted upload goes on
// where it stopped.
#pragma once

#include <optional>
#include <string_view>

#include "app/command_line.h"
#include "app/console.h"
#include "app/upload_memory.h"

namespace tallyman {

// What a file's name says of what is in it.
struct FileKind {
  std::optional<ContentType> type;
  bool gzip = false;
};
// "people.csv.gz" is gzipped text/csv.
FileKind kind_of_file(std::string_view path);

// Prints the job's id on console.out. The program's exit code.
int run_load(const LoadCommand& command, UploadMemory& memory, Console& console);

}  // namespace tallyman
