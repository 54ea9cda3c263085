// A small JSON body: one object, its members as options.
//
//   TALLY_TRY_ASSIGN(const auto members, read_json_request(request));
//   // {"operation": "insert", "expect": {"count": 2}}
//   //   -> {"operation", "insert"}, {"expect", R"({"count": 2})"}
//
// Numbers keep their digits. A member that is null is as if it were not there.
//
// Memory: at most limits::kRequestJsonBytesMax.
// Errors: kUnsupportedMedia  the body is of another type, or encoded
//         kTooLarge          it is longer
//         kInvalidArgument   it is not one JSON object
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/rest/options.h"
#include "base/result.h"
#include "http/message.h"

namespace tallyman::rest {

Result<std::vector<SentOption>> read_json_request(http::Request& request);

Result<std::vector<SentOption>> members_of_json(std::string_view json);

// Takes the member out of `members`; nothing where it is not there.
std::optional<SentOption> take_member(std::vector<SentOption>& members,
                                      std::string_view name);

}  // namespace tallyman::rest
