// SPDX-License-Identifier: Apache-2.0
// docs/reference/config.md, printed from the table of options. Pure; any thread.
#pragma once

#include <string>

namespace tanist::config {

std::string reference_page();

}  // namespace tanist::config
