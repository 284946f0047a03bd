// SPDX-License-Identifier: Apache-2.0
// Broken invariants end the process, in every build: the lease and the guard then take over.
// Any thread; never returns on failure.
#pragma once

namespace tanist {

[[noreturn]] void broken_invariant(const char* what, const char* file, int line);

}  // namespace tanist

// Ends the process when `condition` is false. On in release builds too.
#define TANIST_REQUIRE(condition) \
  ((condition) ? static_cast<void>(0) : ::tanist::broken_invariant(#condition, __FILE__, __LINE__))
