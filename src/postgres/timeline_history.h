// SPDX-License-Identifier: Apache-2.0
// Timeline history files (contract postgres 4.3). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/cluster_view.h"

namespace tanist::postgres {

// "00000002.history"
std::string history_file_name(Timeline timeline);

// Lines of exactly three fields separated by tabs; everything else is ignored.
std::vector<HistoryLine> parse_history(std::string_view content);

}  // namespace tanist::postgres
