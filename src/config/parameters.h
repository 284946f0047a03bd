// SPDX-License-Identifier: Apache-2.0
// Server parameters: those that the agent controls (contract config 7), and how local and dynamic
// ones are laid over each other. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/tree.h"

namespace tanist::config {

// Names compare without regard to case; the spelling of whoever set it last stays.
struct NameLess {
  bool operator()(std::string_view a, std::string_view b) const;
};
using Parameters = std::map<std::string, std::string, NameLess>;

// One parameter that only the dynamic configuration sets, on all members alike.
struct ControlledParameter {
  std::string_view name;
  std::string_view fallback;  // empty: absent unless configured, or never settable
  std::string_view accepted;  // for people
  bool (*accepts)(const Tree& value);
  std::string_view since;  // server version, for people
};
const std::vector<ControlledParameter>& controlled_parameters();
bool is_controlled(std::string_view name);

// What the agent itself decides.
struct OwnParameters {
  std::string listen_addresses;
  std::string port;
  std::string cluster_name;
};

// All parameters in text form: controlled ones from `dynamic` or their default (wal_keep_* only
// when configured: which of them counts is known with the server's version), the others from
// `dynamic` and over it `local`. A null in `local` removes what `dynamic` sets.
Parameters merged_parameters(const Tree* dynamic, const Tree* local, const OwnParameters& own,
                             std::vector<std::string>& warnings);

// Role overrides: without controlled names, which are told in `warnings`.
Parameters role_parameters(const Tree* overrides, std::vector<std::string>& warnings);

}  // namespace tanist::config
