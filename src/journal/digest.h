// SPDX-License-Identifier: Apache-2.0
// The store's key `tanist/digests`: the last changes of leadership as the new leaders told them, so
// that something is known of a change whose nodes are all lost (docs/store-format.md). A list,
// oldest first, bounded in number and size. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "journal/incident.h"

namespace tanist::journal {

inline constexpr std::size_t digests_max = 20;
inline constexpr std::size_t digests_bytes_max = 48 * 1024;

// What stands in the key; entries that are none are left out.
std::vector<Incident> digests_in(const Tree& value);

// The key's new value: `incident` replaces what stands there of its reign, or is added.
std::string with_digest(const Tree& value, Incident incident);

}  // namespace tanist::journal
