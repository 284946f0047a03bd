// SPDX-License-Identifier: Apache-2.0
// What a primary with the lock does beside leading: the checkpoint after a promotion, the history
// key, replication slots (contract ha 6.4 and 22.1, postgres 10). Pure; any thread.
#pragma once

#include "core/draft.h"

namespace tanist {

void keep_up(Draft& draft);

// The same of the leader of a standby cluster: what does not need a primary.
void keep_up_standby_leader(Draft& draft);

// The last line of the stored history is the one from which this server's timeline began. A
// timeline's number follows its ancestor's, unless another server had taken that number.
bool history_leads_here(const Observation& obs);

// Before a primary gives its lock away: what the others have is measured by `/history` (seed
// 10306176). False while its line of this reign is being written; one attempt is waited for.
bool history_is_told(Draft& draft);

// The content of `history` for a primary.
// `file` are the lines of the local history file, the last one's timestamp being the file's.
Tree history_value(const Observation& obs, const std::vector<HistoryLine>& file);

}  // namespace tanist
