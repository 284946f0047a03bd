// SPDX-License-Identifier: Apache-2.0
// Settings while the agent runs. Blocking.
#include "agent/settings_source.h"

#include "os/file.h"

namespace tanist::agent {

SettingsSource::SettingsSource(std::string path, config::Environment environment,
                               config::LocalConfig local, Tree dynamic)
    : path_(std::move(path)),
      environment_(std::move(environment)),
      local_(std::move(local)),
      dynamic_(std::move(dynamic)) {}

Result<NewSettings> SettingsSource::make() const {
  NewSettings made;
  auto settings = config::effective_settings(local_, dynamic_, &made.warnings);
  if (!settings) return pass_on(settings.error());
  auto routing = config::routing_settings(local_);
  if (!routing) return pass_on(routing.error());
  made.settings = std::move(*settings);
  made.routing = std::move(*routing);
  config::add_paused_poolers(made.routing, made.settings.node);
  return made;
}

Result<NewSettings> SettingsSource::current() {
  const std::scoped_lock lock(mutex_);
  return make();
}

Result<NewSettings> SettingsSource::adopt(const Tree& dynamic) {
  const std::scoped_lock lock(mutex_);
  const auto before = dynamic_;
  dynamic_ = dynamic;
  auto made = make();
  if (!made) {
    dynamic_ = before;
    return made;
  }
  // No cache before there is data: the folder must stay empty for initdb and base backup.
  const auto& data_dir = made->settings.server.data_dir;
  if (os::exists(data_dir + "/PG_VERSION")) {
    if (auto written = config::write_dynamic_cache(data_dir, dynamic); !written) {
      made->warnings.push_back(written.error().message);
    }
  }
  return made;
}

Result<NewSettings> SettingsSource::reload() {
  const std::scoped_lock lock(mutex_);
  auto local = config::load_local(path_, environment_);
  if (!local) return pass_on(local.error());
  const auto before = local_;
  local_ = std::move(*local);
  auto made = make();
  if (!made) {
    local_ = before;
    return made;
  }
  made->local_changed = !(local_.tree == before.tree);
  made->warnings.insert(made->warnings.begin(), local_.warnings.begin(), local_.warnings.end());
  return made;
}

}  // namespace tanist::agent
