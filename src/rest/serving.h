// SPDX-License-Identifier: Apache-2.0
// One configuration of the server in use: RestSettings made ready for sessions. Immutable; any
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "core/settings.h"
#include "rest/access.h"
#include "rest/tls.h"

namespace tanist::rest {

struct Serving {
  RestSettings settings;
  AccessRules access;
  TlsContext tls;                               // nullptr = plain HTTP
  std::string fingerprint;                      // of the files that `tls` was made from
  std::optional<WallTime> certificate_expires;  // with TLS
  std::map<std::string, std::string> extra_headers;
  std::string server;           // value of the header of this name
  std::uint64_t transport = 0;  // another one than a connection began under: it has to end
};

using ServingPtr = std::shared_ptr<const Serving>;

// Reads the certificates: not for the loop's thread. `previous` may be nullptr. What is only partly
// usable (allowlist, extra headers) is used in part, with a warning in the log; a certificate that
// cannot be used is an error.
Result<ServingPtr> make_serving(RestSettings settings, const Serving* previous);

}  // namespace tanist::rest
