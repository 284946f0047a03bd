// SPDX-License-Identifier: Apache-2.0
// Removing and setting aside a data directory with what its links point to (contract postgres 14,
// trap 111). The caller has made sure that no server runs there. Blocking, possibly for minutes.
#pragma once

#include <string>

#include "base/result.h"

namespace tanist::postgres {

// Empties it: content, target of a pg_wal link, targets of tablespace links, then the folder
// itself where that is allowed (a mount point stays, empty). A data directory that is a link is
// only unlinked. When something cannot be removed, the whole is set aside instead.
Result<void> remove_data(const std::string& data_directory);

// Renames data directory, linked WAL folder and tablespace targets to NAME.failed and makes the
// links follow; older ones of that name are removed.
Result<void> set_data_aside(const std::string& data_directory);

}  // namespace tanist::postgres
