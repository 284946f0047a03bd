// SPDX-License-Identifier: Apache-2.0
// Settings that change while the agent runs, and what opens or reads files for it: on the disk
// pool, awaited on the loop's thread.
#include <algorithm>

#include "agent/certificate_expiry.h"
#include "agent/driver.h"
#include "base/log.h"
#include "os/clock.h"
#include "postgres/server.h"
#include "rest/client.h"
#include "rest/server.h"
#include "store/store.h"

namespace tanist::agent {

namespace {

constexpr Duration file_time_max = seconds(30);
constexpr Duration certificate_interval = seconds(5);
constexpr Duration expiry_interval = seconds(20);

os::Limit soon() { return os::Limit{}.within(file_time_max); }

void tell(const LogLine& line) {
  if (line.level == LineLevel::error) {
    log_error("{}", line.text);
  } else {
    log_warning("{}", line.text);
  }
}

ServerResult ended(const Result<void>& how) {
  ServerResult result;
  result.ok = how.has_value();
  if (!how) result.error = how.error().message;
  return result;
}

}  // namespace

os::Awaitable<void> Driver::adopt_config(EffectId id, Tree config) {
  auto adopt = [source = source_.get(), config = std::move(config)] {
    return source->adopt(config);
  };
  const auto limit = soon();
  auto made = co_await os::on_disk(disk_, limit, std::move(adopt));
  if (!made) {
    log_error("dynamic configuration: {}", made.error().message);
    co_return finish(id, ended(pass_on(made.error())));
  }
  co_await take_settings(std::move(*made), Reload::if_changed);
  finish(id, ended({}));
}

os::Awaitable<void> Driver::reload_settings(EffectId id) {
  auto reload = [source = source_.get()] { return source->reload(); };
  const auto limit = soon();
  auto made = co_await os::on_disk(disk_, limit, std::move(reload));
  if (!made) {
    log_error("the configuration was not reloaded, the old one stays in use: {}",
              made.error().message);
    notifier_.ready();
    co_return finish(id, ended(pass_on(made.error())));
  }
  if (!made->local_changed) log_info("No local configuration items changed.");
  co_await take_settings(std::move(*made), Reload::always);
  notifier_.ready();
  finish(id, ended({}));
}

os::Awaitable<void> Driver::take_settings(NewSettings made, Reload reload) {
  for (const auto& warning : made.warnings) log_warning("{}", warning);
  const auto before = settings_;
  const auto taken = std::make_shared<const Settings>(std::move(made.settings));
  settings_ = taken;
  const auto& now = *taken;
  configure_log(now.log, os::wall_now);
  server_->set_settings(std::make_shared<const ServerSettings>(now.server));
  store_->set_credentials(now.store.username, now.store.password);
  if (reload == Reload::always) {
    auto settings = now.peer_client;
    co_await renew_peer_client(std::move(settings));
  }
  watchdog_->use(now.watchdog, loop_->observation().timing);
  if (made.routing != routing_settings_) {
    routing_settings_ = std::move(made.routing);
    routing_->configure(routing_settings_);
  }
  deliver(SettingsChanged{std::make_shared<const NodeSettings>(now.node), reload});
  co_await reconfigure_api(now.rest, now.rest != before->rest);
}

// The certificate may have changed although no setting did (contract config 11).
os::Awaitable<void> Driver::reconfigure_api(RestSettings settings, bool changed) {
  auto take = [api = api_.get(), settings = std::move(settings), changed]() -> Result<void> {
    if (changed) return api->reconfigure(settings);
    const auto reloaded = api->reload_certificate();
    if (!reloaded) return pass_on(reloaded.error());
    return {};
  };
  const auto limit = soon();
  const auto taken = co_await os::on_disk(disk_, limit, std::move(take));
  if (!taken) log_error("restapi: the old settings stay in use: {}", taken.error().message);
}

// Looks now and then whether certificate, key or CA of the API were replaced (by certbot, say).
// Files that do not fit together yet keep the old ones in use; that is said once.
os::Awaitable<void> Driver::watch_certificate() {
  std::string said;
  while (!leaving_) {
    const auto next = os::Limit{}.within(certificate_interval);
    co_await os::pause(next);
    auto look = [api = api_.get()] { return api->reload_certificate(); };
    const auto limit = soon();
    const auto renewed = co_await os::on_disk(disk_, limit, std::move(look));
    const std::string trouble = renewed ? "" : renewed.error().message;
    if (renewed && *renewed) log_info("restapi: a new certificate is in use");
    if (!trouble.empty() && trouble != said) {
      log_error("restapi: the old certificate stays in use: {}", trouble);
    }
    said = trouble;
  }
}

// From the very beginning: an etcd that refuses an expired certificate shows no cluster, and
// without one there is no API.
os::Awaitable<void> Driver::watch_expiry() {
  ExpiryNews news;
  while (!leaving_) {
    auto read = [settings = settings_]() -> Result<Certificates> {
      return read_certificates(*settings);
    };
    const auto limit = soon();
    const auto found = co_await os::on_disk(disk_, limit, std::move(read));
    if (found) {
      CertificateEnds ends{};
      for (std::size_t i = 0; i < ends.size(); ++i) ends[i] = (*found)[i].until;
      measurements_.set_certificate_ends(ends);
      for (const auto& line : news.about(*found, os::wall_now())) tell(line);
    }
    const auto next = os::Limit{}.within(expiry_interval);
    co_await os::pause(next);
  }
}

// Reads certificate files: not on this thread.
os::Awaitable<void> Driver::renew_peer_client(PeerClientSettings settings) {
  auto make = [executor = io_.get_executor(), settings = std::move(settings)] {
    return std::make_shared<rest::Client>(executor, settings);
  };
  const auto limit = soon();
  auto made = co_await os::on_disk(disk_, limit, std::move(make));
  if (!made) {
    log_error("ctl: the old settings stay in use: {}", made.error().message);
    co_return;
  }
  peers_->set_client(std::move(*made));
}

os::Awaitable<void> Driver::start_api(EffectId id) {
  auto begin = [api = api_.get()] { return api->start(); };
  const auto limit = soon();
  const auto begun = co_await os::on_disk(disk_, limit, std::move(begin));
  if (!begun) {
    log_critical("restapi: {}", begun.error().message);
    co_return leave(1);
  }
  notifier_.ready();
  os::start(io_.get_executor(), watch_certificate());
  finish(id, ended({}));
}

os::Awaitable<void> Driver::renew_hold(EffectId id, ServerResult result) {
  auto renew = [hold = hold_] { return hold->renew(); };
  const auto limit = soon();
  const auto renewed = co_await os::on_disk(disk_, limit, std::move(renew));
  if (!renewed) log_error("{}", renewed.error().message);
  finish(id, std::move(result));
}

}  // namespace tanist::agent
