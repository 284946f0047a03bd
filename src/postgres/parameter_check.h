// SPDX-License-Identifier: Apache-2.0
// Is a value good for a parameter of this server version (contract config 8.1, trap 113)? Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tanist::postgres {

enum class Verdict { good, adjusted, invalid, not_known };

struct CheckedValue {
  Verdict verdict = Verdict::good;
  std::string value;    // good: as given; adjusted: the limit, in the parameter's own unit
  std::string warning;  // the contract's text; empty when good
};

// Letters, digits, _ and $, in parts joined by dots, no part beginning with a digit: what may stand
// in a configuration file.
bool is_parameter_name(std::string_view name);

// Names with a dot belong to extensions and pass. `not_known`: in no row for this version; the
// server's own list (describe-config) then decides.
CheckedValue check_parameter(const std::string& name, const std::string& value,
                             std::int64_t major_version);

// "Removing unexpected parameter=... value=... from the config".
std::string unexpected_parameter(const std::string& name, const std::string& value);

}  // namespace tanist::postgres
