// SPDX-License-Identifier: Apache-2.0
// Where settings come from while the agent runs: the local files and environment, and the dynamic
// document that the store last told. Blocking (reads files); called on the disk pool, one call at a
// time.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/routing.h"

namespace tanist::agent {

struct NewSettings {
  Settings settings;
  RoutingSettings routing;
  bool local_changed = false;         // the files say something else than before
  std::vector<std::string> warnings;  // for the log
};

class SettingsSource {
 public:
  SettingsSource(std::string path, config::Environment environment, config::LocalConfig local,
                 Tree dynamic);

  // The settings as of now.
  Result<NewSettings> current();
  // With another dynamic document, which is also cached in the data directory.
  Result<NewSettings> adopt(const Tree& dynamic);
  // With the local files read anew. An error leaves everything as it was.
  Result<NewSettings> reload();

 private:
  Result<NewSettings> make() const;

  std::mutex mutex_;  // calls come from different threads of the pool
  const std::string path_;
  const config::Environment environment_;
  config::LocalConfig local_;
  Tree dynamic_;
};

}  // namespace tanist::agent
