// SPDX-License-Identifier: Apache-2.0
// Pages of the manual, printed from the command table and from the table of the agent's options,
// so that they cannot go stale. Pure; any thread.
#pragma once

#include <string>

namespace tanist::ctl {

std::string tool_manual();           // tanistctl.1
std::string configuration_manual();  // tanist.yml.5
std::string tool_reference();        // docs/reference/tanistctl.md

}  // namespace tanist::ctl
