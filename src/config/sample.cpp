// SPDX-License-Identifier: Apache-2.0
// The sample configuration.
#include "config/sample.h"

#include <array>

#include "base/format.h"
#include "config/address.h"
#include "config/environment.h"
#include "config/parameters.h"
#include "config/probe.h"
#include "config/section.h"
#include "core/cluster_settings.h"
#include "yaml/yaml.h"

namespace tanist::config {

namespace {

constexpr std::string_view fixme = "#FIXME";

constexpr std::array<std::string_view, 18> section_order{
    "scope", "namespace", "name",      "log",        "restapi",   "ctl",
    "citus", "consul",    "etcd",      "etcd3",      "exhibitor", "kubernetes",
    "raft",  "zookeeper", "bootstrap", "postgresql", "watchdog",  "tags"};

constexpr std::string_view bootstrap_comment =
    "# Used once, when the first member makes a new cluster; later changes here have no effect.\n"
    "# On all other members, and on a cluster that exists, it is not looked at.\n";
constexpr std::string_view dcs_comment =
    "  # First content of the dynamic configuration, which lives in the store under\n"
    "  # /NAMESPACE/SCOPE/config and is the same for all members. Once it is there, only\n"
    "  # \"tanistctl edit-config\" or the REST API (PATCH /config) changes it: editing this\n"
    "  # section of a cluster that exists does nothing.\n";

std::string address_of(const SampleFacts& facts, std::uint16_t port) {
  if (facts.address.empty()) return std::string(fixme);
  return to_text(HostPort{facts.address, port});
}

std::string password_method(const SampleFacts& facts) {
  return facts.major_version >= 10 && facts.major_version < 100 ? "scram-sha-256" : "md5";
}

bool is_at_least(const SampleFacts& facts, int major) {
  const bool old = facts.major_version > 100;  // 906 is 9.6
  if (major > 100) return !old || facts.major_version >= major;
  return !old && facts.major_version >= major;
}

Tree credentials(std::string_view username) {
  return Tree::map({{"username", username}, {"password", fixme}});
}

// Every controlled parameter that has a default and that this version knows.
Tree controlled_defaults(const SampleFacts& facts) {
  Tree out = Tree::map();
  for (const auto& one : controlled_parameters()) {
    if (one.fallback.empty()) continue;
    if (one.name == "wal_keep_size" && !is_at_least(facts, 13)) continue;
    if (one.name == "wal_keep_segments" && is_at_least(facts, 13)) continue;
    const auto number = int_with_unit(Tree(one.fallback), "");
    out.set(one.name, number ? Tree(*number) : Tree(one.fallback));
  }
  if (is_at_least(facts, 906)) out.set("wal_level", "replica");
  return out;
}

Tree sample_tree(const SampleFacts& facts) {
  const LogSettings log;
  const Timing timing;
  const auto method = password_method(facts);
  Tree users = Tree::map(
      {{"superuser", credentials("postgres")}, {"replication", credentials("replicator")}});
  if (is_at_least(facts, 11)) users.set("rewind", credentials("rewind_user"));
  const auto rest_address = address_of(facts, 8008);
  const auto server_address = address_of(facts, 5432);
  return Tree::map(
      {{"scope", fixme},
       {"name", facts.host_name},
       {"log", Tree::map({{"type", "plain"},
                          {"level", log.level},
                          {"traceback_level", log.traceback_level},
                          {"format", log.format},
                          {"max_queue_size", log.queue_records_max}})},
       {"restapi", Tree::map({{"listen", rest_address}, {"connect_address", rest_address}})},
       {"bootstrap",
        Tree::map({{"dcs", Tree::map({{"loop_wait", timing.loop_wait.count()},
                                      {"retry_timeout", timing.retry_timeout.count()},
                                      {"ttl", timing.ttl.count()},
                                      {"postgresql", Tree::map({{"use_slots", true},
                                                                {"use_pg_rewind", true},
                                                                {"parameters", controlled_defaults(
                                                                                   facts)}})}})}})},
       {"postgresql", Tree::map({{"data_dir", fixme},
                                 {"listen", server_address},
                                 {"connect_address", server_address},
                                 {"bin_dir", ""},
                                 {"authentication", std::move(users)},
                                 {"parameters", Tree::map({{"password_encryption", method}})}})},
       {"tags", Tree::map({{"failover_priority", 1},
                           {"sync_priority", 1},
                           {"noloadbalance", false},
                           {"clonefrom", true},
                           {"nosync", false},
                           {"nostream", false}})}});
}

// Names the replication user, so after the environment.
void add_pg_hba(Tree& tree, const SampleFacts& facts) {
  const auto* user = tree.find_path({"postgresql", "authentication", "replication", "username"});
  const auto method = password_method(facts);
  auto lines = Tree::list(
      {format_text("host all all all {}", method),
       format_text("host replication {} all {}", user != nullptr ? text_form(*user) : "", method)});
  tree.find("postgresql")->set("pg_hba", std::move(lines));
}

std::string section_text(std::string_view name, const Tree& value) {
  auto text = yaml::to_yaml(Tree::map({{std::string(name), value}}));
  if (!value.is_map()) return text;
  if (name == "bootstrap") {
    const auto dcs = text.find("  dcs:\n");
    if (dcs != std::string::npos) text.insert(dcs, dcs_comment);
    text.insert(0, bootstrap_comment);
  }
  return "\n" + text;
}

}  // namespace

Result<SampleFacts> sample_facts(const Environment& environment) {
  SampleFacts facts{own_host_name(), own_address()};
  const auto variables = tree_from(environment);
  const Section postgresql(variables.tree.find("postgresql"));
  const auto name = postgresql.section("bin_name").text("postgres", "postgres");
  const auto program = find_program(name, postgresql.text("bin_dir"));
  const auto text = version_text(program.empty() ? name : program, seconds(5));
  if (!text) return pass_on(text.error(), "Failed to get postgres version");
  const auto version = major_version_in(*text);
  if (!version) return pass_on(version.error(), "Failed to get postgres version");
  facts.major_version = *version;
  return facts;
}

std::string sample_config(const Environment& environment, const SampleFacts& facts) {
  auto tree = sample_tree(facts);
  deep_patch(tree, tree_from(environment).tree);
  add_pg_hba(tree, facts);
  std::string text;
  for (const auto name : section_order) {
    if (const auto* value = tree.find(name)) text += section_text(name, *value);
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace tanist::config
