// SPDX-License-Identifier: Apache-2.0
// The engine of long actions: asks before each step whether and how to take it, digests what the
// last one gave, and says what the end of the whole means. Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// Takes the job of `draft.next` as far as it goes now. When it ended, `draft.next.job` is empty.
void continue_job(Draft& draft);

// Ends the job as failed, with its consequences, and cancels its effect if one is under way.
void abandon_job(Draft& draft, std::string error);

// The status line while a job is under way (contract ha 4.1).
Why job_status(const Draft& draft);

}  // namespace tanist
