// SPDX-License-Identifier: Apache-2.0
// One short exchange over a stream socket: connect, one line out, everything back until the other
// side closes. Loop thread only; nothing blocks.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "os/deadline.h"

namespace tanist::routing {

// `where`: an absolute path (a socket of the machine) or ADDRESS:PORT; names are not looked up.
// `line` is asked for the text when the connection stands, at the moment of writing; it ends with
// a line end. Errors: unavailable, timeout, cancelled; the message names `where`.
os::Awaitable<Result<std::string>> exchange(std::string where, std::function<std::string()> line,
                                            os::Limit limit);

// A socket that listens at ADDRESS:PORT, non-blocking; empty address = all.
Result<os::Descriptor> listen_at(const std::string& address, std::uint16_t port);

}  // namespace tanist::routing
