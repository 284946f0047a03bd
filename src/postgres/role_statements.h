// SPDX-License-Identifier: Apache-2.0
// SQL that makes the roles of a new cluster (contract postgres 7.3). Passwords in it are hashed,
// and the session that runs it logs nothing (trap 130). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace tanist::postgres {

// To be run first on the session: no statement with a password reaches a log or a statistics view.
extern const std::string_view silence_session;

// CREATE ROLE, or ALTER ROLE for one that exists. `attributes`: SUPERUSER, REPLICATION or nothing;
// LOGIN is added. An empty password leaves it alone.
Secret role_statement(bool exists, const std::string& name, std::string_view attributes,
                      const Secret& hashed_password);

// What pg_rewind's user needs (contract postgres 7.3, 4).
std::vector<std::string> rewind_grants(const std::string& role);

// True for passwords that are hashes already: md5 and SCRAM.
bool is_hashed(const Secret& password);

}  // namespace tanist::postgres
