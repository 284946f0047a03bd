// SPDX-License-Identifier: Apache-2.0
// The race for the free lock: may this member take it, and if not, why not (contract ha 7).
// Pure; knows nothing of how the lock is stored.
#pragma once

#include <optional>
#include <string>

#include "core/draft.h"

namespace tanist {

// An unlocked cluster and a running server: take the lock, or follow as well as one can.
Why race(Draft& draft);

enum class Verdict { yes, no, undecided, asking };

// The attempt to take it: valid only while everything stands that the decision was made on (safety
// 1.2). `memory`: for what the node tells of itself.
TakeLock attempt_on_lock(const Observation& obs, const Memory& memory);

// Whether this node may take the lock now (contract ha 7.3); `asking` waits for peers. A "no"
// logs its cause.
Verdict may_take_lock(Draft& draft);

// Is this node as good as everybody that answered (contract ha 7.4)? `lag_limit` off: no lag check.
struct Comparison {
  bool lag_limit = true;
  std::map<MemberName, MemberView> members;  // to compare with
  MemberName former_leader;
};
Verdict compare_with_peers(Draft& draft, const Comparison& comparison);

// The members of the last locked view and of the present one, later entries replacing earlier.
std::map<MemberName, MemberView> known_members(const Observation& obs);

}  // namespace tanist
