// SPDX-License-Identifier: Apache-2.0
// Changing one key of the dynamic configuration as `-s` and `-p` say it (contract ctl 4.12). Pure;
// any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/tree.h"

namespace tanist::ctl {

// KEY=VALUE: the key a dotted path, the value YAML. Null and empty values delete the key, and the
// parents that are empty then. Below postgresql.parameters the rest of the path is one name.
// Errc::invalid without '=' or with a value that is no YAML.
Result<void> apply_setting(Tree& config, std::string_view setting);

}  // namespace tanist::ctl
