// Structured logs: one line an event, `name key=value ...`, to standard error.
//
//   log_info("job_claimed", {{"job", id}, {"window", "3"}});
//
// Never pass a value of a user's record: logs are read by people who may not see it.
//
// Threads: any.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tallyman {

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

void set_log_level(LogLevel level);

void log_debug(std::string_view event, LogFields fields = {});
void log_info(std::string_view event, LogFields fields = {});
void log_warning(std::string_view event, LogFields fields = {});
void log_error(std::string_view event, LogFields fields = {});

}  // namespace tallyman
