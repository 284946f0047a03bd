// SPDX-License-Identifier: Apache-2.0
// Reading of a custom method's section.
#include "postgres/bootstrap_method.h"

#include "postgres/tool_options.h"

namespace tanist::postgres {

namespace {

std::string text_under(const Tree& section, std::string_view key) {
  const auto* value = section.find(key);
  return value != nullptr && value->truthy() ? text_form(*value) : std::string();
}

}  // namespace

bool has_custom_bootstrap(const ServerSettings& settings) {
  return settings.bootstrap_method != "initdb" &&
         !text_under(settings.bootstrap_method_section, "command").empty();
}

Result<std::vector<std::string>> custom_bootstrap_command(const ServerSettings& settings) {
  const auto& section = settings.bootstrap_method_section;
  auto words = split_command(text_under(section, "command"));
  if (!words) return pass_on(words.error(), "bootstrap.{}.command", settings.bootstrap_method);
  if (!switched_on(section, "no_params")) {
    words->push_back("--scope=" + settings.scope);
    words->push_back("--datadir=" + settings.data_dir);
  }
  const auto more = method_arguments(
      section,
      {"command", "no_params", "keep_existing_recovery_conf", "recovery_conf", "scope", "datadir"});
  words->insert(words->end(), more.begin(), more.end());
  return words;
}

std::optional<BootstrapRecoveryPlan> bootstrap_recovery_of(const ServerSettings& settings,
                                                           std::int64_t major_version) {
  if (!has_custom_bootstrap(settings)) return std::nullopt;
  const auto& section = settings.bootstrap_method_section;
  BootstrapRecoveryPlan plan;
  const auto* recovery_conf = section.find("recovery_conf");
  if (recovery_conf != nullptr && recovery_conf->is_map() && recovery_conf->truthy()) {
    auto recovery = bootstrap_recovery(*recovery_conf, major_version);
    plan.settings = std::move(recovery.settings);
    plan.signal = recovery.standby ? RecoverySignal::standby : RecoverySignal::recovery;
    plan.hot_standby_off = ends_in_promotion(plan.settings);
  } else {
    plan.kept_as_found = switched_on(section, "keep_existing_recovery_conf");
    plan.hot_standby_off = plan.kept_as_found;
  }
  return plan;
}

}  // namespace tanist::postgres
