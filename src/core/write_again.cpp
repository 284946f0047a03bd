// SPDX-License-Identifier: Apache-2.0
// Rest after a failed write. Pure; any thread.
#include "core/write_again.h"

namespace tanist {

namespace {

constexpr Duration write_again = seconds(1);

}  // namespace

bool rests_after_failure(Draft& draft, Task task) {
  const auto end = draft.obs.ends.find(task);
  if (end == draft.obs.ends.end() || end->second.ok) return false;
  const auto again = end->second.at + write_again;
  if (draft.obs.now < again) draft.wake(again);
  return draft.obs.now < again;
}

}  // namespace tanist
