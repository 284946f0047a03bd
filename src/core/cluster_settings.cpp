// SPDX-License-Identifier: Apache-2.0
// Reading of the shared settings and the timing rules. Pure; any thread.
#include "core/cluster_settings.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "base/format.h"

namespace tanist {

namespace {

struct Unit {
  std::string_view name;
  bool is_time;
  double size;  // in bytes or microseconds
};

// Ascending within each kind.
constexpr std::array<Unit, 11> units{{{"B", false, 1.0},
                                      {"kB", false, 1024.0},
                                      {"MB", false, 1048576.0},
                                      {"GB", false, 1073741824.0},
                                      {"TB", false, 1099511627776.0},
                                      {"us", true, 1.0},
                                      {"ms", true, 1e3},
                                      {"s", true, 1e6},
                                      {"min", true, 6e7},
                                      {"h", true, 3.6e9},
                                      {"d", true, 8.64e10}}};

const Unit* find_unit(std::string_view name) {
  const auto at = std::ranges::find(units, name, &Unit::name);
  return at == units.end() ? nullptr : &*at;
}

// `amount` of `unit` in `base`; a fraction counts only to the next smaller unit (0.01h is 1min).
double converted(double amount, const Unit& unit, const Unit& base) {
  amount *= unit.size;
  const bool has_smaller = &unit != units.data() && (&unit - 1)->is_time == unit.is_time;
  if (has_smaller) amount = std::rint(amount / (&unit - 1)->size) * (&unit - 1)->size;
  return amount / base.size;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

// The number at the start of `text` and what follows it: decimal with fraction, or 0x, or 0 octal.
std::optional<std::pair<double, std::string_view>> leading_number(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  double value = static_cast<double>(std::strtoll(copy.c_str(), &end, 0));
  if (*end == '.' || *end == 'e' || *end == 'E') value = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str() || !std::isfinite(value)) return std::nullopt;
  return std::pair{value, trimmed(text.substr(static_cast<std::size_t>(end - copy.c_str())))};
}

}  // namespace

std::optional<std::int64_t> int_with_unit(const Tree& value, std::string_view base_unit) {
  if (const auto* number = value.as_int()) return *number;
  if (const auto* real = value.as_real()) {
    if (!std::isfinite(*real) || std::abs(*real) > 9e18) return std::nullopt;
    return std::llrint(*real);
  }
  const auto* text = value.as_string();
  if (text == nullptr) return std::nullopt;
  const auto number = leading_number(trimmed(*text));
  if (!number) return std::nullopt;
  auto [amount, rest] = *number;
  if (!rest.empty()) {
    const auto* base = find_unit(base_unit);
    const auto* unit = find_unit(rest);
    if (base == nullptr || unit == nullptr || base->is_time != unit->is_time) return std::nullopt;
    amount = converted(amount, *unit, *base);
  }
  if (std::abs(amount) > 9e18) return std::nullopt;
  return std::llrint(amount);
}

namespace {

// 31 years: sums of times must stay far from the end of 64 bits.
constexpr std::int64_t seconds_max = 1'000'000'000;

// One look-up in the document with a default for what is absent or unusable.
class Reader {
 public:
  explicit Reader(const Tree& config) : config_(config) {}

  void integer(std::string_view key, std::string_view unit, std::int64_t& out) const {
    const auto* value = config_.find(key);
    if (value == nullptr) return;
    if (const auto number = int_with_unit(*value, unit)) out = *number;
  }
  void time(std::string_view key, seconds& out) const {
    std::int64_t number = out.count();
    integer(key, "s", number);
    out = seconds(std::clamp(number, -seconds_max, seconds_max));
  }
  // The old name counts only when the new one is absent.
  void time_with_alias(std::string_view key, std::string_view alias, seconds& out) const {
    time(config_.find(key) != nullptr ? key : alias, out);
  }
  void boolean(std::string_view key, bool& out) const {
    const auto* value = config_.find(key);
    if (value != nullptr) out = to_bool(*value).value_or(false);
  }

 private:
  const Tree& config_;
};

SynchronousMode synchronous_mode_from(const Tree& config) {
  const auto* value = config.find("synchronous_mode");
  if (value == nullptr) return SynchronousMode::off;
  auto word = text_form(*value);
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  if (word == "quorum") return SynchronousMode::quorum;
  return to_bool(*value).value_or(false) ? SynchronousMode::priority : SynchronousMode::off;
}

std::string text_of(const Tree& map, std::string_view key) {
  const auto* value = map.find(key);
  return value != nullptr && value->truthy() ? text_form(*value) : std::string();
}

std::optional<StandbyCluster> standby_cluster_from(const Tree& config) {
  const auto* map = config.find("standby_cluster");
  if (map == nullptr || !map->is_map()) return std::nullopt;
  StandbyCluster standby;
  standby.host = text_of(*map, "host");
  standby.port = text_of(*map, "port");
  standby.restore_command = text_of(*map, "restore_command");
  if (standby.host.empty() && standby.port.empty() && standby.restore_command.empty()) {
    return std::nullopt;
  }
  standby.archive_cleanup_command = text_of(*map, "archive_cleanup_command");
  standby.recovery_min_apply_delay = text_of(*map, "recovery_min_apply_delay");
  if (const auto slot = text_of(*map, "primary_slot_name"); !slot.empty()) {
    standby.primary_slot_name = slot;
  }
  if (const auto* methods = map->find("create_replica_methods"); methods != nullptr) {
    for (const auto& method : methods->as_list() ? *methods->as_list() : Tree::List{}) {
      standby.create_replica_methods.push_back(text_form(method));
    }
  }
  return standby;
}

Tree permanent_slots(const Tree& config) {
  for (const auto* key : {"permanent_replication_slots", "permanent_slots", "slots"}) {
    const auto* slots = config.find(key);
    if (slots != nullptr && slots->truthy()) return *slots;
  }
  return {};
}

Result<seconds> plain_seconds(const Tree& config, std::string_view key, seconds fallback) {
  const auto* value = config.find(key);
  if (value == nullptr) return fallback;
  const auto number = to_int(*value);
  if (!number || *number > seconds_max || *number < -seconds_max) {
    return fail(Errc::invalid, "{}: \"{}\" is not a whole number of seconds", key,
                text_form(*value).substr(0, 40));
  }
  return seconds(*number);
}

Result<Timing> timing_from(const Tree& config) {
  const Timing usual;
  const auto ttl = plain_seconds(config, "ttl", usual.ttl);
  if (!ttl) return pass_on(ttl.error());
  const auto loop_wait = plain_seconds(config, "loop_wait", usual.loop_wait);
  if (!loop_wait) return pass_on(loop_wait.error());
  const auto retry_timeout = plain_seconds(config, "retry_timeout", usual.retry_timeout);
  if (!retry_timeout) return pass_on(retry_timeout.error());
  return Timing{*ttl, *loop_wait, *retry_timeout};
}

}  // namespace

Result<ClusterSettings> cluster_settings_from(const Tree& config) {
  if (!config.is_map()) return fail(Errc::invalid, "the configuration is not a JSON object");
  ClusterSettings settings;
  const auto timing = timing_from(config);
  if (!timing) return pass_on(timing.error());
  settings.timing = *timing;
  const Reader read(config);
  read.integer("maximum_lag_on_failover", "B", settings.lag_bytes_max_on_failover);
  read.integer("maximum_lag_on_syncnode", "B", settings.lag_bytes_max_on_syncnode);
  read.boolean("check_timeline", settings.check_timeline);
  read.integer("max_timelines_history", "", settings.timelines_history_max);
  read.time_with_alias("primary_start_timeout", "master_start_timeout",
                       settings.primary_start_timeout);
  read.time_with_alias("primary_stop_timeout", "master_stop_timeout",
                       settings.primary_stop_timeout);
  read.time("primary_race_backoff", settings.primary_race_backoff);
  settings.standby_cluster = standby_cluster_from(config);
  if (!settings.standby_cluster) settings.synchronous_mode = synchronous_mode_from(config);
  read.boolean("synchronous_mode_strict", settings.synchronous_mode_strict);
  read.integer("synchronous_node_count", "", settings.synchronous_node_count);
  read.boolean("failsafe_mode", settings.failsafe_mode);
  read.boolean("pause", settings.pause);
  read.time("member_slots_ttl", settings.member_slots_ttl);
  settings.slots = permanent_slots(config);
  if (const auto* ignored = config.find("ignore_slots")) settings.ignore_slots = *ignored;
  return settings;
}

namespace {

void warn(std::vector<std::string>* warnings, std::string text) {
  if (warnings != nullptr) warnings->push_back(std::move(text));
}

struct Minimum {
  std::string_view name;
  seconds Timing::* member;
};

constexpr std::array<Minimum, 3> minima{{{"ttl", &Timing::ttl},
                                         {"loop_wait", &Timing::loop_wait},
                                         {"retry_timeout", &Timing::retry_timeout}}};

}  // namespace

Timing effective_timing(Timing written, const Timing& minimum, std::vector<std::string>* warnings) {
  for (const auto& [name, member] : minima) {
    if (written.*member >= minimum.*member) continue;
    warn(warnings, format_text("{}={} can't be smaller than {}, adjusting...", name,
                               (written.*member).count(), (minimum.*member).count()));
    written.*member = minimum.*member;
  }
  const auto fitted = [&](seconds loop_wait, seconds retry_timeout) {
    return Timing{written.ttl, loop_wait, retry_timeout};
  };
  if (seconds{1} + 2 * written.retry_timeout > written.ttl) {
    const auto adjusted = fitted(seconds{1}, (written.ttl - seconds{1}) / 2);
    warn(warnings,
         format_text("Violated the rule \"loop_wait + 2*retry_timeout <= ttl\", where ttl={}. "
                     "Adjusting loop_wait from {} to {} and retry_timeout from {} to {}",
                     written.ttl.count(), written.loop_wait.count(), adjusted.loop_wait.count(),
                     written.retry_timeout.count(), adjusted.retry_timeout.count()));
    return adjusted;
  }
  if (written.loop_wait + 2 * written.retry_timeout > written.ttl) {
    const auto adjusted = fitted(written.ttl - 2 * written.retry_timeout, written.retry_timeout);
    warn(warnings,
         format_text("Violated the rule \"loop_wait + 2*retry_timeout <= ttl\", where ttl={} and "
                     "retry_timeout={}. Adjusting loop_wait from {} to {}",
                     written.ttl.count(), written.retry_timeout.count(), written.loop_wait.count(),
                     adjusted.loop_wait.count()));
    return adjusted;
  }
  return written;
}

}  // namespace tanist
