// SPDX-License-Identifier: Apache-2.0
// This node holds the lock and its server runs (contract ha 6.1-6.4). Pure; any thread.
#pragma once

#include "core/draft.h"

namespace tanist {

Why lead(Draft& draft);

}  // namespace tanist
