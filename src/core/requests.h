// SPDX-License-Identifier: Apache-2.0
// Requests of operators, from their arrival to their reply: validation in the contract's order and
// its exact texts (contract rest 8, 9, 11-14). Pure; any thread.
#pragma once

#include <string>

#include "core/draft.h"

namespace tanist {

// Takes every pending request as far as it goes now.
void answer_requests(Draft& draft);

// The long action that served a request has ended.
void finish_request(Draft& draft, RequestId id, bool ok, const std::string& error);

// All pending requests are told that this process ends.
void refuse_requests(Draft& draft);

}  // namespace tanist
