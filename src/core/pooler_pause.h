// SPDX-License-Identifier: Apache-2.0
// Poolers hold their clients back over a switchover (safety 5.1), so that nobody sees an error: the
// old leader pauses them before its server stops, the new one resumes them when it takes writes.
// What is paused stands in the store before it is paused: whoever leads afterwards, also the old
// leader when the switchover came to nothing, resumes it until every pooler has confirmed. A
// switchover waits for the record a second at most, for the poolers another, and half a second more
// for letting go one that did not pause in time. Pure; any thread.
#pragma once

#include "core/job_steps.h"

namespace tanist {

// The step of a switchover: record, then pause. Done at once where nothing is to be paused: not
// configured, or a member could become leader that would not resume. Never fails.
StepState pause_poolers(Draft& draft);

// The leader's duty while a record stands.
void resume_poolers(Draft& draft);

}  // namespace tanist
