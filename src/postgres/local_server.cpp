// SPDX-License-Identifier: Apache-2.0
// Remembering the postmaster.
#include "postgres/local_server.h"

#include "base/log.h"

namespace tanist::postgres {

LocalServer::LocalServer(os::Executor loop_executor, os::DiskPool& disk_pool,
                         ServerSettingsPtr first_settings, ServerHooks given_hooks)
    : loop(std::move(loop_executor)),
      disk(&disk_pool),
      hooks(std::move(given_hooks)),
      settings(std::move(first_settings)),
      addresses(disk_pool),
      callbacks(loop, disk_pool) {}

void LocalServer::remember(os::ProcessPtr process, bool single_user) {
  if (hooks.postmaster_started) hooks.postmaster_started(process->identity());
  postmaster = process;
  is_single_user = single_user;
  ++generation;
  idle_session = nullptr;
  configuration_loaded_at.clear();
  os::start(loop, watch(shared_from_this(), std::move(process)));
}

void LocalServer::tell(EffectId id, const StopProgress& progress) const {
  if (hooks.progress) hooks.progress(id, progress);
}

os::Awaitable<void> LocalServer::watch(std::shared_ptr<LocalServer> self, os::ProcessPtr process) {
  co_await process->exited(os::Limit{});
  const auto& identity = process->identity();
  log_info("postmaster {} ended: {}", identity.pid, os::describe_status(process->status()));
  if (self->postmaster == process) {
    self->postmaster = nullptr;
    self->is_single_user = false;
    self->idle_session = nullptr;
  }
  if (self->hooks.postmaster_exited) self->hooks.postmaster_exited(identity, process->status());
}

ServerResult succeeded() {
  ServerResult result;
  result.ok = true;
  return result;
}

ServerResult failed(std::string error) {
  ServerResult result;
  result.error = std::move(error);
  return result;
}

}  // namespace tanist::postgres
