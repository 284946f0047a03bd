// SPDX-License-Identifier: Apache-2.0
// Reading of replica methods' sections.
#include "postgres/replica_method.h"

#include "postgres/tool_options.h"

namespace tanist::postgres {

namespace {

constexpr std::string_view basebackup = "basebackup";

const Tree& section_of(const ServerSettings& settings, const std::string& method) {
  static const Tree none;
  const auto found = settings.replica_methods.find(method);
  return found == settings.replica_methods.end() ? none : found->second;
}

std::vector<std::string> names_for(const ServerSettings& settings, const CloneData& wanted) {
  const std::vector<std::string> only_builtin{std::string(basebackup)};
  if (wanted.only_basebackup) return only_builtin;
  const auto& names = wanted.methods.empty() ? settings.create_replica_methods : wanted.methods;
  return names.empty() ? only_builtin : names;
}

}  // namespace

std::vector<ReplicaMethod> replica_methods(const ServerSettings& settings,
                                           const CloneData& wanted) {
  std::vector<ReplicaMethod> methods;
  for (const auto& name : names_for(settings, wanted)) {
    const bool builtin = name == basebackup;
    const auto& section = section_of(settings, name);
    const bool usable = wanted.source || (!builtin && switched_on(section, "no_leader"));
    if (usable) methods.push_back({name, builtin, !builtin && switched_on(section, "keep_data")});
  }
  return methods;
}

Result<std::vector<std::string>> replica_method_command(const ServerSettings& settings,
                                                        const std::string& method,
                                                        const std::string& connstring) {
  const auto& section = section_of(settings, method);
  const auto* configured = section.find("command");
  const bool named = configured != nullptr && configured->truthy();
  auto words = split_command(named ? text_form(*configured) : method);
  if (!words) return pass_on(words.error(), "postgresql.{}.command", method);
  std::vector<std::string_view> reserved{"command"};
  if (switched_on(section, "no_params")) {
    reserved.insert(reserved.end(), {"no_params", "no_leader", "keep_data"});
  } else {
    reserved.insert(reserved.end(), {"scope", "role", "datadir", "connstring"});
    words->insert(words->end(), {"--scope=" + settings.scope, "--role=replica",
                                 "--datadir=" + settings.data_dir, "--connstring=" + connstring});
  }
  const auto own = method_arguments(section, reserved);
  words->insert(words->end(), own.begin(), own.end());
  return words;
}

}  // namespace tanist::postgres
