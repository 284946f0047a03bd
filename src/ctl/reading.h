// SPDX-License-Identifier: Apache-2.0
// A cluster as it was read from the store, with its name and its settings. A value; any thread.
#pragma once

#include <string>

#include "core/cluster_settings.h"
#include "core/cluster_view.h"

namespace tanist::ctl {

struct Reading {
  std::string scope;
  ClusterViewPtr view;       // never null
  ClusterSettings settings;  // the defaults when there is no usable configuration
};

}  // namespace tanist::ctl
