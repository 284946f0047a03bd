// SPDX-License-Identifier: Apache-2.0
// The rows as written, before their placeholders are expanded; only schema.cpp reads them.
#pragma once

#include <span>

#include "config/schema.h"

namespace tanist::config {

// "{user}" stands for superuser, replication, rewind; "{USER}" for the same in upper case;
// "{role}" for primary, replica, standby_leader.
std::span<const Option> option_rows();

}  // namespace tanist::config
