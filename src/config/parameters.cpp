// SPDX-License-Identifier: Apache-2.0
// Merging and checking of server parameters. Pure; any thread.
#include "config/parameters.h"

#include <algorithm>
#include <cctype>

#include "base/format.h"
#include "core/cluster_settings.h"

namespace tanist::config {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

template <std::int64_t Min>
bool at_least(const Tree& value) {
  const auto number = int_with_unit(value, "");
  return number && *number >= Min;
}

bool at_least_16mb(const Tree& value) {
  const auto megabytes = int_with_unit(value, "MB");
  return megabytes && *megabytes >= 16;
}

bool is_boolean(const Tree& value) { return to_bool(value).has_value(); }
bool is_true(const Tree& value) { return to_bool(value).value_or(false); }
bool is_never_set(const Tree&) { return false; }

bool is_wal_level(const Tree& value) {
  const auto word = lower(text_form(value));
  return word == "hot_standby" || word == "replica" || word == "logical";
}

// Lists and maps have no text that PostgreSQL could read.
bool is_text(const Tree& value) { return value.is_scalar() && !value.is_null(); }

void put(Parameters& parameters, const std::string& name, std::string value) {
  parameters.erase(name);  // so that the new spelling stays
  parameters.emplace(name, std::move(value));
}

const Tree::Map& entries_of(const Tree* tree) {
  static const Tree::Map none;
  const auto* map = tree != nullptr ? tree->as_map() : nullptr;
  return map != nullptr ? *map : none;
}

void put_ordinary(Parameters& parameters, const Tree* from, std::vector<std::string>& warnings) {
  for (const auto& [name, value] : entries_of(from)) {
    if (is_controlled(name)) continue;
    if (value.is_null()) {
      parameters.erase(name);
    } else if (is_text(value)) {
      put(parameters, name, text_form(value));
    } else {
      warnings.push_back(format_text(
          "postgresql.parameters.{} is a list or a map; write it as one text. It is ignored",
          name.substr(0, 100)));
    }
  }
}

const ControlledParameter* find_controlled(std::string_view name) {
  const auto& all = controlled_parameters();
  const auto at = std::ranges::find(all, lower(name), &ControlledParameter::name);
  return at == all.end() ? nullptr : &*at;
}

void put_controlled(Parameters& parameters, const Tree* dynamic,
                    std::vector<std::string>& warnings) {
  for (const auto& one : controlled_parameters()) {
    if (!one.fallback.empty() && !one.name.starts_with("wal_keep_")) {
      put(parameters, std::string(one.name), std::string(one.fallback));
    }
  }
  for (const auto& [name, value] : entries_of(dynamic)) {
    const auto* one = find_controlled(name);
    if (one == nullptr || one->fallback.empty() || value.is_null()) continue;
    const bool fits = is_text(value) && one->accepts(value);
    put(parameters, std::string(one->name), fits ? text_form(value) : std::string(one->fallback));
    if (fits) continue;
    warnings.push_back(format_text("postgresql parameter {}={} failed validation, defaulting to {}",
                                   one->name, text_form(value).substr(0, 100), one->fallback));
  }
}

}  // namespace

bool NameLess::operator()(std::string_view a, std::string_view b) const {
  return std::ranges::lexicographical_compare(
      a, b, {}, [](unsigned char c) { return std::tolower(c); },
      [](unsigned char c) { return std::tolower(c); });
}

const std::vector<ControlledParameter>& controlled_parameters() {
  static const std::vector<ControlledParameter> all{
      {"listen_addresses", "", "never: postgresql.listen", is_never_set, ""},
      {"port", "", "never: postgresql.listen", is_never_set, ""},
      {"cluster_name", "", "never: scope", is_never_set, "9.5"},
      {"wal_level", "hot_standby", "hot_standby, replica, logical", is_wal_level, ""},
      {"hot_standby", "on", "true", is_true, ""},
      {"max_connections", "100", ">= 25", at_least<25>, ""},
      {"max_wal_senders", "10", ">= 3", at_least<3>, ""},
      {"max_prepared_transactions", "0", ">= 0", at_least<0>, ""},
      {"max_locks_per_transaction", "64", ">= 32", at_least<32>, ""},
      {"track_commit_timestamp", "off", "boolean", is_boolean, "9.5"},
      {"max_replication_slots", "10", ">= 4", at_least<4>, "9.4"},
      {"max_worker_processes", "8", ">= 2", at_least<2>, "9.4"},
      {"wal_log_hints", "on", "boolean", is_boolean, "9.4"},
      {"wal_keep_segments", "8", ">= 1", at_least<1>, "up to 12"},
      {"wal_keep_size", "128MB", ">= 16MB", at_least_16mb, "13"},
  };
  return all;
}

bool is_controlled(std::string_view name) { return find_controlled(name) != nullptr; }

Parameters merged_parameters(const Tree* dynamic, const Tree* local, const OwnParameters& own,
                             std::vector<std::string>& warnings) {
  Parameters parameters;
  put_controlled(parameters, dynamic, warnings);
  put_ordinary(parameters, dynamic, warnings);
  put_ordinary(parameters, local, warnings);
  put(parameters, "listen_addresses", own.listen_addresses);
  put(parameters, "port", own.port);
  put(parameters, "cluster_name", own.cluster_name);
  return parameters;
}

Parameters role_parameters(const Tree* overrides, std::vector<std::string>& warnings) {
  for (const auto& [name, value] : entries_of(overrides)) {
    if (is_controlled(name)) {
      warnings.push_back(format_text(
          "Role-based config attempted to override protected parameter '{}', ignoring", name));
    }
  }
  Parameters parameters;
  put_ordinary(parameters, overrides, warnings);
  return parameters;
}

}  // namespace tanist::config
