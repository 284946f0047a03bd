// SPDX-License-Identifier: Apache-2.0
// Does a server answer at all? One start-up message and the first byte of the answer: no log-in,
// no password, no libpq (which hides the SQLSTATE of a refused connection). Loop thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "os/deadline.h"

namespace tanist::sql {

// As pg_isready: accepting also when it refuses this very user; rejecting while it starts up,
// recovers or shuts down; none when nothing listens or nothing is said in time.
enum class Answer { accepting, rejecting, none, unknown };

struct ProbeTarget {
  std::string address;  // numeric address, or the folder of the Unix socket
  std::uint16_t port = 5432;
  std::string user;
  std::string database;
};

os::Awaitable<Answer> probe(ProbeTarget target, os::Limit limit);

// The start-up message, protocol 3.0. Pure.
std::string startup_message(const std::string& user, const std::string& database);
// What the first bytes of the server's answer mean; nothing when more bytes are needed. Pure.
std::optional<Answer> read_answer(std::string_view bytes);

}  // namespace tanist::sql
