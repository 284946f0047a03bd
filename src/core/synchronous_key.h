// SPDX-License-Identifier: Apache-2.0
// Writing `/sync`: compare-and-set on the revision in the view and on the reign, one write at a
// time, and no further step before it is certain what the key says. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/draft.h"
#include "core/quorum.h"

namespace tanist {

// The names in order, with `separator` between them.
std::string listed_text(const NameSet& names, std::string_view separator);

// Orders the write. Requires: the lock is held, no such write is under way.
void write_sync_key(Draft& draft, const MemberName& leader, const SyncKey& key);
void delete_sync_key(Draft& draft);

// The view shows what the last write came to. Otherwise orders what settles it: a fresh read after
// a refusal, and after an unknown outcome a write that makes a late one of the same revision
// impossible (safety 1.3). Requires: no such write is under way.
bool sync_key_is_settled(Draft& draft);

}  // namespace tanist
