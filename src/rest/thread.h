// SPDX-License-Identifier: Apache-2.0
// Starting of threads beside the main one: named, and deaf to signals, which are the main
// thread's. Any thread.
#pragma once

#include <functional>
#include <thread>

namespace tanist::rest {

// `name` has at most 15 characters. Throws std::system_error when there is no more room.
std::thread start_thread(const char* name, std::function<void()> work);

}  // namespace tanist::rest
