// `tallyman token ...`: makes, lists and revokes tokens, in the server's database. The
// server may be running or not.
//
// Each gives the program's exit code.
#pragma once

#include "app/command_line.h"
#include "app/console.h"
#include "base/random.h"

namespace tallyman {

// Prints the token, and nothing else, on console.out.
int run_token_create(const TokenCreateCommand& command, Random& random, Console& console);
int run_token_list(const TokenListCommand& command, Random& random, Console& console);
int run_token_revoke(const TokenRevokeCommand& command, Random& random, Console& console);

}  // namespace tallyman
