// SPDX-License-Identifier: Apache-2.0
// One cluster in the store, as the verbs read and change it. Blocks the caller.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "core/store_actions.h"
#include "ctl/reading.h"
#include "ctl/tool_config.h"
#include "store/client.h"

namespace tanist::ctl {

class Cluster {
 public:
  // Asks nobody yet. Errors are those of ToolConfig::store.
  static Result<Cluster> open(const ToolConfig& config, const std::string& name);

  const std::string& name() const { return name_; }

  // As the store has it now. A cluster that it does not know reads as an empty one.
  // Errc::unavailable after 10 s without an answer, with the remedy.
  Result<Reading> read();
  // Errc::refused when a compared key has changed.
  Result<Revision> commit(Commit commit);
  // Deletes all keys of the cluster.
  Result<void> remove();

 private:
  Cluster(std::string name, StoreSettings settings)
      : name_(std::move(name)), client_(std::make_unique<store::Client>(std::move(settings))) {}

  std::string name_;
  std::unique_ptr<store::Client> client_;
};

}  // namespace tanist::ctl
