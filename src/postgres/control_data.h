// SPDX-License-Identifier: Apache-2.0
// pg_controldata's words (contract postgres 5.1). Pure; any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "core/server_facts.h"

namespace tanist::postgres {

// Reads the output of `LC_ALL=C pg_controldata`, of any version from 12 on. Errc::invalid when the
// lines that every version prints are missing, or when the program warns that the file's checksum
// does not match (a torn read, or a file of another version: trap 114).
Result<ControlData> parse_control_data(std::string_view output);

}  // namespace tanist::postgres
