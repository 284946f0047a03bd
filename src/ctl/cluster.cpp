// SPDX-License-Identifier: Apache-2.0
// Reading and writing of a cluster's keys.
#include "ctl/cluster.h"

namespace tanist::ctl {

namespace {

constexpr Duration store_limit = seconds(10);

Error with_remedy(Error error) {
  if (error.code == Errc::unavailable) {
    error.message = "The store does not answer (" + error.message +
                    "); check that etcd runs and that section etcd3, or -d, names it";
  }
  return error;
}

}  // namespace

Result<Cluster> Cluster::open(const ToolConfig& config, const std::string& name) {
  auto settings = config.store(name);
  if (!settings) return pass_on(settings.error());
  return Cluster(name, std::move(*settings));
}

Result<Reading> Cluster::read() {
  auto view = client_->read(store_limit);
  if (!view) return pass_on(with_remedy(view.error()));
  Reading reading{name_, std::move(*view), {}};
  if (reading.view->config && reading.view->config->valid) {
    reading.settings =
        cluster_settings_from(reading.view->config->value).value_or(ClusterSettings());
  }
  return reading;
}

Result<Revision> Cluster::commit(Commit commit) {
  auto revision = client_->commit(std::move(commit), store_limit);
  if (!revision) return pass_on(with_remedy(revision.error()));
  return revision;
}

Result<void> Cluster::remove() {
  auto removed = client_->remove_cluster(store_limit);
  if (!removed) return pass_on(with_remedy(removed.error()));
  return removed;
}

}  // namespace tanist::ctl
