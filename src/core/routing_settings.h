// SPDX-License-Identifier: Apache-2.0
// Section `routing`, tanist's own: who is told at once when this node's server begins or ends to
// take writes (safety 5.1 and 5.2). All of it is optional: polling keeps working. Values only; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "core/settings.h"

namespace tanist {

struct RoutingSettings {
  HostPort agent_check;                          // port 0 = none; where HAProxy's agent-check asks
  std::vector<std::string> haproxy_sockets;      // "/path" or ADDRESS:PORT of its runtime API
  std::string haproxy_backend = "primary";       // the backend that takes writes
  std::string haproxy_server;                    // this node's name in it
  std::vector<std::string> pgbouncer_hosts;      // ADDRESS:PORT, or FOLDER:PORT of a socket
  std::string pgbouncer_username = "pgbouncer";  // one of its admin_users
  Secret pgbouncer_password;
  std::vector<std::string> pgbouncer_databases;  // empty = all that it has
  bool pgbouncer_pause = false;                  // over a switchover

  friend bool operator==(const RoutingSettings&, const RoutingSettings&) = default;
};

}  // namespace tanist
