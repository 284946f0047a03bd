// SPDX-License-Identifier: Apache-2.0
// Prints the broken invariant to stderr and aborts; no log queue, no allocation. Any thread.
#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace tanist {

void broken_invariant(const char* what, const char* file, int line) {
  std::fprintf(stderr, "tanist: broken invariant: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace tanist
