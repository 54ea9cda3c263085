// `tallyman routes`: every path of the server, with its method and what a token needs.
//
//   METHOD  PATH                        NEEDS
//   GET     /healthz/                   nothing
//   POST    /api/{resource}/bulk/v2/    operation
//
// Read from the table that the server dispatches by, so that nothing is missing: for
// whoever writes a firewall's rules, a client, or a test of every endpoint.
#pragma once

#include "app/command_line.h"
#include "app/console.h"

namespace tallyman {

int run_routes(const RoutesCommand& command, Console& console);

}  // namespace tallyman
