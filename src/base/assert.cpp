// SPDX-License-Identifier: Apache-2.0
// Tells of the broken invariant and aborts; no log queue, no allocation, no waiting. Any thread.
#include "base/assert.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace tanist {

void broken_invariant(const char* what, const char* file, int line) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), "tanist: broken invariant: %s (%s:%d)", what, file, line);
  log_last_words(text.data());
  std::abort();
}

}  // namespace tanist
