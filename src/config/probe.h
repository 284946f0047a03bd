// SPDX-License-Identifier: Apache-2.0
// Questions to the machine, for --validate-config and the sample file: is somebody listening there,
// which version has a program, what is this host called. They wait; command-line modes only.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "core/settings.h"

namespace tanist::config {

// True when a TCP connection succeeds within `limit`. An empty host or "*" is this machine.
bool answers(const HostPort& address, Duration limit);

// The full path of an executable `name` in `folder`, or in PATH when that is empty; "" = none.
std::string find_program(const std::string& name, const std::string& folder);

// What `program --version` prints, at most `limit`. The program's name when it cannot be run.
Result<std::string> version_text(const std::string& program, Duration limit);

// The major version in "postgres (PostgreSQL) 15.4": 15; before 10 two parts make one: 9.6 is 906.
Result<int> major_version_in(std::string_view text);

// This host's name, and the first of its addresses, IPv4 preferred ("" = unknown).
std::string own_host_name();
std::string own_address();

}  // namespace tanist::config
