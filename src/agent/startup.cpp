// SPDX-License-Identifier: Apache-2.0
// Before the loop: configuration, log, checks. Blocking.
#include "agent/startup.h"

#include <unistd.h>

#include "base/log.h"
#include "os/clock.h"

namespace tanist::agent {

namespace {

// The cached document; null when there is none or it cannot be used.
Tree cached_document(const std::string& data_dir, std::vector<std::string>* warnings) {
  auto cached = config::read_dynamic_cache(data_dir);
  if (cached) return std::move(*cached);
  if (cached.error().code != Errc::not_found) warnings->push_back(cached.error().message);
  return {};
}

void say_what_is_odd(const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings) log_warning("{}", warning);
  if (!os::wall_clock_synchronised()) {
    log_warning(
        "the kernel says that the clock is not synchronised: scheduled switchovers and the times "
        "in the logs may be wrong. Remedy: run chrony or systemd-timesyncd");
  }
}

}  // namespace

Result<Startup> prepare_startup(const std::string& config_file, config::Environment environment) {
  if (geteuid() == 0) {
    return fail(Errc::refused,
                "tanist does not run as root, because PostgreSQL refuses to. Remedy: run it as the "
                "user who owns the data, for instance: setpriv --reuid=postgres --regid=postgres "
                "--init-groups tanist CONFIG.yml");
  }
  auto local = config::load_local(config_file, environment);
  if (!local) return pass_on(local.error());
  auto warnings = local->warnings;
  // The first reading finds the data directory, the second counts.
  auto settings = config::effective_settings(*local, Tree(), nullptr);
  if (!settings) return pass_on(settings.error());
  auto dynamic = cached_document(settings->server.data_dir, &warnings);
  settings = config::effective_settings(*local, dynamic, &warnings);
  if (!settings) return pass_on(settings.error());
  auto routing = config::routing_settings(*local);
  if (!routing) return pass_on(routing.error());
  config::add_paused_poolers(*routing, settings->node);
  configure_log(settings->log, os::wall_now);
  say_what_is_odd(warnings);
  auto hold = DataHold::take(settings->server.data_dir);
  if (!hold) return pass_on(hold.error());
  Startup startup{.source = std::make_unique<SettingsSource>(config_file, std::move(environment),
                                                             std::move(*local), dynamic),
                  .settings = std::make_shared<const Settings>(std::move(*settings)),
                  .routing = std::move(*routing),
                  .dynamic = std::move(dynamic),
                  .hold = std::move(*hold)};
  if (startup.dynamic.is_null()) startup.dynamic = startup.settings->bootstrap_dcs;
  return startup;
}

}  // namespace tanist::agent
