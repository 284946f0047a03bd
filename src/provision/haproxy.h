// SPDX-License-Identifier: Apache-2.0
// The configuration file of HAProxy 2.6 or newer: where applications connect. Pure.
#pragma once

#include <string>

#include "provision/site.h"

namespace tanist::provision {

// Requires: the host has the role haproxy. Holds the mark of the statistics page's password.
std::string haproxy_config(const Site& site);

}  // namespace tanist::provision
