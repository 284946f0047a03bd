// SPDX-License-Identifier: Apache-2.0
// The language of transcripts (docs/testing.md): one command a line, and what it does to a World.
// Test code only.
#pragma once

#include <string>
#include <string_view>

#include "world.h"

namespace tanist::scenarios {

// Carries out one line. The text of an error; empty = done.
std::string carry_out_line(World& world, std::string_view line);

}  // namespace tanist::scenarios
