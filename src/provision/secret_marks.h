// SPDX-License-Identifier: Apache-2.0
// The passwords of a cluster, and the marks that stand for them in planned text. A plan holds
// marks only, so that it can be shown, compared and kept as a golden file. Pure.
#pragma once

#include <array>
#include <string>

#include "base/fields.h"

namespace tanist::provision {

enum class SecretName {
  superuser,    // of PostgreSQL: postgres, usable through the Unix socket only
  replication,  // replicator
  rewind,       // rewinder
  rest,         // tanist: unsafe methods of the agents' REST API
  statistics,   // admin: HAProxy's statistics page
};

constexpr auto names_of(SecretName) {
  using S = SecretName;
  return std::array{EnumName<S>{S::superuser, "superuser"},
                    EnumName<S>{S::replication, "replication"}, EnumName<S>{S::rewind, "rewind"},
                    EnumName<S>{S::rest, "rest"}, EnumName<S>{S::statistics, "statistics"}};
}

// "@rewind-password@": contains a character that no password and no other planned text has, and
// that YAML wants quoted, so that the password put in its place is quoted too.
inline std::string mark_of(SecretName name) {
  return "@" + std::string(name_of(name)) + "-password@";
}

}  // namespace tanist::provision
