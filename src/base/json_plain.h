// SPDX-License-Identifier: Apache-2.0
// A short cut for the JSON that is read all the time: keys of the store and answers of peers. It
// takes nothing but plain documents (no escapes, only ASCII, whole numbers, no repeated keys) and
// leaves everything else, mistakes included, to the real parser. Pure; any thread.
#pragma once

#include <string_view>

#include "base/tree.h"

namespace tanist {

// True when `text` is such a document; `out` is then what parse_json() makes of it. Otherwise `out`
// may hold anything.
bool read_plain_json(std::string_view text, Tree& out);

}  // namespace tanist
