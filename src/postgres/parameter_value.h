// SPDX-License-Identifier: Apache-2.0
// Values of server parameters as the server reads them: booleans, numbers with units, enumerations.
// Nothing here knows names or versions. Pure; any thread. Source: contract config 3, trap 115.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "postgres/parameter_catalogue.h"

namespace tanist::postgres {

std::string lower_case(std::string_view text);
std::string_view without_spaces_around(std::string_view text);

// on, off, true, false, yes, no, 1, 0 and unambiguous beginnings of the words, in any case.
std::optional<bool> parse_boolean(std::string_view text);

// A number, in `base_unit` ("" = none, "8kB" = blocks): decimal, 0x, leading-0 octal, fractions, an
// optional unit of the same kind. Integers are rounded half to even, as the server does.
std::optional<double> parse_number(std::string_view text, std::string_view base_unit,
                                   ParameterType type);

// The shortest text that reads back as `value`.
std::string number_text(double value, ParameterType type);

// "128MB", "30s": the largest unit that leaves a whole number, as SHOW prints it.
std::string with_unit(double value, std::string_view base_unit, ParameterType type);

// Do both mean the same to the server? `type` and `unit` as in pg_settings (vartype, unit).
bool same_value(std::string_view a, std::string_view b, ParameterType type, std::string_view unit);

// vartype of pg_settings.
ParameterType parameter_type(std::string_view vartype);

}  // namespace tanist::postgres
