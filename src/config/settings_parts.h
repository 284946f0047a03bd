// SPDX-License-Identifier: Apache-2.0
// The parts of Settings, each made from its section. Errors and warnings as effective_settings
// (config.h). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/layers.h"
#include "config/section.h"
#include "core/settings.h"

namespace tanist::config {

Result<ServerSettings> server_settings_from(const Layers& layers);
Result<StoreSettings> store_settings_from(const Layers& layers);
Result<RestSettings> rest_settings_from(const Layers& layers);
Result<PeerClientSettings> peer_client_settings_from(const Layers& layers);
WatchdogSettings watchdog_settings_from(const Layers& layers);
StorageSettings storage_settings_from(const Layers& layers);
SalvageSettings salvage_settings_from(const Layers& layers);
JournalSettings journal_settings_from(const Layers& layers, std::string data_dir);
LogSettings log_settings_from(const Layers& layers);

// A section of the local file; an empty one when it is absent.
inline Section local_section(const Layers& layers, std::string_view name) {
  return Section(layers.local.find(name));
}

// "FILE:LINE: PATH is missing; REMEDY".
tl::unexpected<Error> missing(const Layers& layers, std::string_view path, std::string_view remedy);
// "FILE:LINE: PATH: CAUSE".
tl::unexpected<Error> unusable(const Layers& layers, std::string_view path, std::string_view cause);

// username and password of SECTION.authentication; one alone is an error.
struct BasicAuthentication {
  std::string username;
  Secret password;
};
Result<BasicAuthentication> authentication_from(const Layers& layers, std::string_view section);

// host:port as other members are told; where `listen` does not name one address, localhost or the
// first (contract config 4.7, "local address").
HostPort local_address(const std::vector<std::string>& listen_hosts, std::uint16_t port);

}  // namespace tanist::config
