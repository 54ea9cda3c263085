// The type of the exception being handled, for the log: "std::bad_alloc".
//
// Its text is left out on purpose: what a library says may quote a value of a record.
//
// REQUIRES: inside a catch clause. Threads: any.
#pragma once

#include <string>

namespace tallyman::http {

std::string current_exception_name();

}  // namespace tallyman::http
