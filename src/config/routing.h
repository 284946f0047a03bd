// SPDX-License-Identifier: Apache-2.0
// The local section `routing` (docs/reference/config.md) as typed settings. Pure; any thread.
#pragma once

#include "config/config.h"
#include "core/routing_settings.h"

namespace tanist::config {

// Errc::invalid with key, location and remedy when it names nothing that could be told.
Result<RoutingSettings> routing_settings(const LocalConfig& local);

// The poolers that this node pauses over a switchover: where `routing.pgbouncer.pause` is on, those
// that every member reaches, which a socket's folder is not.
void add_paused_poolers(const RoutingSettings& routing, NodeSettings& node);

}  // namespace tanist::config
