// SPDX-License-Identifier: Apache-2.0
// Names of the error codes. Any thread.
#include "base/result.h"

namespace tanist {

std::string_view to_text(Errc code) {
  switch (code) {
    case Errc::invalid: return "invalid";
    case Errc::not_found: return "not_found";
    case Errc::refused: return "refused";
    case Errc::unavailable: return "unavailable";
    case Errc::timeout: return "timeout";
    case Errc::cancelled: return "cancelled";
    case Errc::failed: return "failed";
  }
  return "failed";
}

}  // namespace tanist
