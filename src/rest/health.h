// SPDX-License-Identifier: Apache-2.0
// The code of a health check or probe, computed per request from what the loop last published
// (contract rest 5 and 6). 200 on a primary path means "writable now": safety 3.6 stands above the
// contract there. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "core/status.h"
#include "rest/routes.h"

namespace tanist::rest {

// What is asked anew for every request.
struct Moment {
  Instant now;
  std::optional<Instant> lease_deadline;  // when the guard would fence; absent = no lease
};

// The node holds the lock at this moment: its last step said so, demotion has not begun, and the
// lease runs.
bool holds_lock(const Status& status, const Moment& moment);

// 200 or 503. Past `status.good_until` always 503: the loop is dead and nobody vouches for more.
int health_code(std::string_view path, const Query& query, const Status& status,
                const Moment& moment);

// Only a primary passes the check of this path: 200 lets writes come.
bool demands_primary(std::string_view path);

// `GET /liveness`: is the loop still turning? Past `good_until` 503, in pause too.
int liveness_code(const Status& status, Instant now);

// `GET /readiness`: may traffic be sent here? Reads the parameters `lag` and `mode`.
int readiness_code(const Query& query, const Status& status, const Moment& moment);

}  // namespace tanist::rest
