// SPDX-License-Identifier: Apache-2.0
// One text of SQL on one server, for `query` (contract ctl 4.4). Blocks the caller.
#pragma once

#include <map>
#include <string>

#include "sql/connection.h"

namespace tanist::ctl {

struct SqlRequest {
  sql::Keywords keywords;
  Secret password;
  std::string text;
  // Whether the server has to be in recovery; nothing = it does not matter.
  std::optional<bool> in_recovery;
};

// The rows of the last statement. Errc::not_found: the server's recovery state does not fit.
sql::SqlResult<sql::Rows> run_sql(const SqlRequest& request);

// A value as its type prints it: booleans and numbers are such, NULL is null, the rest is text.
Tree cell_of(const sql::Value& value, std::uint32_t type);

}  // namespace tanist::ctl
