// SPDX-License-Identifier: Apache-2.0
// Text from a format string (fmt's rules), under a name of our own so that `core` needs no
// outside library and no call is ambiguous with std::format. Any thread.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace tanist {

template <class... Args>
std::string format_text(fmt::format_string<Args...> text, Args&&... args) {
  return fmt::format(text, std::forward<Args>(args)...);
}

}  // namespace tanist
