// SPDX-License-Identifier: Apache-2.0
// From layers to typed settings. Pure; any thread.
#include <algorithm>
#include <cctype>

#include "base/format.h"
#include "config/address.h"
#include "config/config.h"
#include "config/findings.h"
#include "config/settings_parts.h"
#include "core/cluster_settings.h"

namespace tanist::config {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void warn(const Layers& layers, std::string_view path, std::string_view text) {
  layers.warnings.push_back(format_text("{}{} {}", layers.origin.location(path), path, text));
}

GuardMode guard_mode(const Layers& layers) {
  const auto* value = local_section(layers, "guard").find("mode");
  if (value == nullptr) return GuardMode::automatic;
  if (to_bool(*value) == false) return GuardMode::off;  // YAML's `off`
  if (const auto mode = from_name<GuardMode>(lower(text_form(*value)))) return *mode;
  warn(layers, "guard.mode", "is none of automatic, required, off; automatic is used");
  return GuardMode::automatic;
}

WatchdogMode watchdog_mode(const Layers& layers, const Section& watchdog) {
  const auto* value = watchdog.find("mode");
  if (value == nullptr) return WatchdogMode::automatic;
  const auto word = lower(text_form(*value));
  if (word == "automatic" || word == "auto") return WatchdogMode::automatic;
  if (word == "required" || word == "require") return WatchdogMode::required;
  if (word != "off" && word != "disable" && word != "disabled" && word != "false") {
    warn(layers, "watchdog.mode", "is none of off, automatic, required; the watchdog is off");
  }
  return WatchdogMode::off;
}

std::string service_url(std::string_view scheme, const HostPort& address, std::string_view path) {
  return format_text("{}://{}/{}", scheme, to_text(address), path);
}

// conn_url and proxy_url (contract dcs 4.3).
Result<void> read_server_urls(const Layers& layers, const ServerSettings& server,
                              NodeSettings& node) {
  const Section postgresql(&layers.postgresql);
  auto address = local_address(server.listen_hosts, server.port);
  if (const auto text = postgresql.text("connect_address"); !text.empty()) {
    auto connect = parse_host_port(text, 5432);
    if (!connect) return unusable(layers, "postgresql.connect_address", connect.error().message);
    address = std::move(*connect);
  } else if (address.host == "localhost") {
    warn(layers, "postgresql.connect_address",
         "is missing and postgresql.listen names no single address: other members cannot reach "
         "this one; add \"connect_address: HOST:5432\"");
  }
  node.conn_url = service_url("postgres", address, server.database);
  if (const auto text = postgresql.text("proxy_address"); !text.empty()) {
    const auto proxy = parse_host_port(text, 5432);
    if (!proxy) return unusable(layers, "postgresql.proxy_address", proxy.error().message);
    node.proxy_url = service_url("postgres", *proxy, server.database);
  }
  return {};
}

Tags tags_of(const Layers& layers) {
  const auto* configured = layers.local.find("tags");
  if (configured == nullptr) return tags_from(Tree());
  for (auto& conflict : tag_conflicts(*configured)) layers.warnings.push_back(std::move(conflict));
  auto tags = tags_from(*configured);
  tags.published = published_tags(*configured);
  return tags;
}

std::vector<std::string> leaderless_methods(const ServerSettings& server) {
  std::vector<std::string> names;
  for (const auto& [name, section] : server.replica_methods) {
    const auto* word = section.find("no_leader");
    if (name != "basebackup" && word != nullptr && word->truthy()) names.push_back(name);
  }
  return names;
}

bool has_leaderless_method(const ServerSettings& server, const std::vector<std::string>& names) {
  return std::ranges::any_of(server.create_replica_methods, [&](const std::string& method) {
    return std::ranges::find(names, method) != names.end();
  });
}

Result<NodeSettings> node_settings_from(const Layers& layers, const ServerSettings& server,
                                        const RestSettings& rest) {
  NodeSettings node;
  node.name = server.name;
  node.scope = server.scope;
  const auto urls = read_server_urls(layers, server, node);
  if (!urls) return pass_on(urls.error());
  node.api_url = service_url(rest.cert_file.empty() ? "http" : "https", rest.connect, "patroni");
  node.tags = tags_of(layers);
  const auto* bootstrap = layers.local.find("bootstrap");
  node.has_bootstrap = bootstrap != nullptr && bootstrap->truthy();
  node.use_slots = server.use_slots;
  node.use_pg_rewind = server.use_pg_rewind;
  node.remove_data_on_rewind_failure = server.remove_data_on_rewind_failure;
  node.remove_data_on_divergence = server.remove_data_on_divergence;
  node.has_pre_promote = !server.pre_promote.empty();
  node.leaderless_methods = leaderless_methods(server);
  node.leaderless_clone = has_leaderless_method(server, node.leaderless_methods);
  node.guard = guard_mode(layers);
  return node;
}

Result<void> check_names(const Layers& layers) {
  const Section top(&layers.local);
  if (top.text("scope").empty()) {
    return missing(layers, "scope", "name the cluster: \"scope: NAME\"");
  }
  const auto name = top.text("name");
  if (name.empty()) return missing(layers, "name", "name this member: \"name: NAME\"");
  if (name == strict_sync_placeholder) {
    return unusable(layers, "name", "this name is reserved; choose another");
  }
  if (name.find('/') != std::string::npos) {
    return unusable(layers, "name", "a member's name cannot hold \"/\"; choose another");
  }
  return {};
}

Result<Settings> settings_from(const Layers& layers) {
  const auto names = check_names(layers);
  if (!names) return pass_on(names.error());
  const auto shared = cluster_settings_from(layers.dynamic);
  if (!shared) return pass_on(shared.error(), "dynamic configuration");
  auto store = store_settings_from(layers);
  if (!store) return pass_on(store.error());
  auto rest = rest_settings_from(layers);
  if (!rest) return pass_on(rest.error());
  auto peer_client = peer_client_settings_from(layers);
  if (!peer_client) return pass_on(peer_client.error());
  auto server = server_settings_from(layers);
  if (!server) return pass_on(server.error());
  auto node = node_settings_from(layers, *server, *rest);
  if (!node) return pass_on(node.error());
  Settings settings;
  settings.node = std::move(*node);
  settings.server = std::move(*server);
  settings.store = std::move(*store);
  settings.rest = std::move(*rest);
  settings.peer_client = std::move(*peer_client);
  settings.watchdog = watchdog_settings_from(layers);
  settings.node.watchdog = settings.watchdog.mode;
  settings.log = log_settings_from(layers);
  settings.storage = storage_settings_from(layers);
  settings.node.storage_demote_after = settings.storage.demote_after;
  settings.node.unreachable_demote_after = settings.storage.unreachable_demote_after;
  settings.server.salvage = salvage_settings_from(layers);
  settings.journal = journal_settings_from(layers, settings.server.data_dir);
  if (const auto* first = layers.local.find_path({"bootstrap", "dcs"})) {
    settings.bootstrap_dcs = *first;
  }
  return settings;
}

}  // namespace

tl::unexpected<Error> missing(const Layers& layers, std::string_view path,
                              std::string_view remedy) {
  return fail(Errc::invalid, "{}{} is missing; {}", layers.origin.location(path), path, remedy);
}

tl::unexpected<Error> unusable(const Layers& layers, std::string_view path,
                               std::string_view cause) {
  return fail(Errc::invalid, "{}{}: {}", layers.origin.location(path), path, cause);
}

// Beside the data directory, not in it: what lies in there is copied, rewound and emptied.
JournalSettings journal_settings_from(const Layers& layers, std::string data_dir) {
  const auto journal = local_section(layers, "journal");
  JournalSettings out;
  out.enabled = journal.flag("enabled", true);
  while (data_dir.size() > 1 && data_dir.ends_with('/')) data_dir.pop_back();
  out.directory = journal.text("directory", data_dir + ".journal");
  const auto bytes =
      journal.integer("file_size", static_cast<std::int64_t>(out.file_bytes_max), "B");
  out.file_bytes_max =
      static_cast<std::size_t>(std::clamp<std::int64_t>(bytes, 65536, 1'073'741'824));
  return out;
}

WatchdogSettings watchdog_settings_from(const Layers& layers) {
  const auto watchdog = local_section(layers, "watchdog");
  WatchdogSettings out;
  out.mode = watchdog_mode(layers, watchdog);
  out.device = watchdog.text("device", out.device);
  const auto margin = watchdog.integer("safety_margin", out.safety_margin.count(), "s");
  out.safety_margin = seconds(std::clamp<std::int64_t>(margin, -1, 1'000'000));
  const auto driver = watchdog.text("driver", "default");
  out.plain_text = driver == "testing";
  if (driver != "default" && driver != "testing") out.mode = WatchdogMode::off;
  return out;
}

StorageSettings storage_settings_from(const Layers& layers) {
  const auto storage = local_section(layers, "storage");
  StorageSettings out;
  out.canary = storage.flag("canary", true);
  const auto silent_after = storage.integer("silent_after", out.silent_after.count(), "s");
  out.silent_after = seconds(std::clamp<std::int64_t>(silent_after, 3, 1'000'000));
  const auto patience = [&](std::string_view key) {
    return seconds(std::clamp<std::int64_t>(storage.integer(key, 0, "s"), 0, 1'000'000));
  };
  out.demote_after = patience("demote_after");
  out.unreachable_demote_after = patience("unreachable_demote_after");
  return out;
}

SalvageSettings salvage_settings_from(const Layers& layers) {
  const auto salvage = local_section(layers, "salvage");
  SalvageSettings out;
  out.directory = salvage.text("directory");
  const auto bytes_max = salvage.integer("max_size", static_cast<std::int64_t>(out.bytes_max), "B");
  out.bytes_max = static_cast<std::uint64_t>(std::max<std::int64_t>(bytes_max, 0));
  out.count_max = std::clamp<std::int64_t>(salvage.integer("keep", out.count_max), 1, 1000);
  return out;
}

LogSettings log_settings_from(const Layers& layers) {
  const auto log = local_section(layers, "log");
  LogSettings out;
  out.json = log.text("type") == "json";
  out.level = log.text("level", out.level);
  out.traceback_level = log.text("traceback_level", out.traceback_level);
  if (const auto* format = log.find("format")) out.format = *format;
  out.date_format = log.text("dateformat");
  out.static_fields = log.collection("static_fields");
  out.queue_records_max = log.integer("max_queue_size", out.queue_records_max);
  out.directory = log.text("dir");
  if (const auto mode = log.integer("mode", -1); mode >= 0 && mode <= 0777) out.mode = mode;
  out.file_bytes_max = log.integer("file_size", out.file_bytes_max);
  out.file_count = log.integer("file_num", out.file_count);
  out.loggers = log.text_map("loggers");
  out.deduplicate_heartbeat = log.flag("deduplicate_heartbeat_logs", false);
  return out;
}

Result<Settings> effective_settings(const LocalConfig& local, const Tree& dynamic,
                                    std::vector<std::string>* warnings) {
  std::vector<std::string> ignored;
  auto& told = warnings != nullptr ? *warnings : ignored;
  const auto layers = lay_together(local, dynamic, told);
  for (const auto& finding : findings_in_dynamic(dynamic)) {
    told.push_back("dynamic configuration: " + finding.text);
  }
  return settings_from(layers);
}

Result<StoreSettings> store_settings(const LocalConfig& local) {
  std::vector<std::string> ignored;
  return store_settings_from(lay_together(local, Tree(), ignored));
}

Result<PeerClientSettings> peer_client_settings(const LocalConfig& local) {
  std::vector<std::string> ignored;
  return peer_client_settings_from(lay_together(local, Tree(), ignored));
}

}  // namespace tanist::config
