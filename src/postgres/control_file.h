// SPDX-License-Identifier: Apache-2.0
// Reading pg_control. The program pg_controldata reads it; our own reading only tells whether it
// changed since, so that polling costs a small read and not a process. Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

// The raw bytes, to be compared only. Blocking.
Result<std::string> read_control_bytes(const std::string& data_directory);

// pg_control as pg_controldata reports it; the last answer while the bytes are the same. A file
// caught in the middle of being written is read again.
os::Awaitable<Result<ControlData>> read_control(Job job);

}  // namespace tanist::postgres
