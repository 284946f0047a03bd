// SPDX-License-Identifier: Apache-2.0
// Loading of the tool's configuration.
#include "ctl/tool_config.h"

#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "ctl/dcs_url.h"
#include "os/file.h"

namespace tanist::ctl {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// One section with just the address takes the place of what the file says of stores.
Result<void> replace_store(Tree& tree, const std::string& text) {
  const auto url = parse_dcs_url(text);
  if (!url) return pass_on(url.error());
  for (const auto* section : {"consul", "etcd", "etcd3", "exhibitor", "zookeeper"}) {
    tree.erase(section);
  }
  tree.set(url->scheme, Tree::map({{"host", url->host}, {"port", static_cast<int>(url->port)}}));
  if (!url->namespace_.empty()) tree.set("namespace", url->namespace_);
  return {};
}

}  // namespace

std::string default_config_file() {
  auto folder = variable("XDG_CONFIG_HOME");
  if (folder.empty()) folder = variable("HOME") + "/.config";
  return folder + "/patroni/patronictl.yaml";
}

Result<ToolConfig> load_tool_config(const GlobalOptions& options, const std::string& default_file,
                                    const config::Environment& environment) {
  const bool is_named = !options.config_file.empty();
  if (is_named && access(options.config_file.c_str(), R_OK) != 0) {
    return fail(Errc::not_found,
                "Provided config file {} not existing or no read rights. Check the "
                "-c/--config-file parameter",
                options.config_file);
  }
  auto path = options.config_file;
  if (!is_named && os::exists(default_file)) path = default_file;
  ToolConfig out;
  auto local = config::load_local(path, environment);
  if (local) {
    out.local = std::move(*local);
  } else if (local.error().code != Errc::not_found) {
    return pass_on(local.error());
  }
  if (!options.dcs_url.empty()) {
    const auto replaced = replace_store(out.local.tree, options.dcs_url);
    if (!replaced) return pass_on(replaced.error());
  }
  const auto* scope = out.local.tree.find("scope");
  if (scope != nullptr && scope->truthy()) out.scope = text_form(*scope);
  out.insecure = options.insecure;
  return out;
}

Result<std::string> ToolConfig::cluster_name(const std::optional<std::string>& given) const {
  if (given) return *given;
  if (!scope.empty()) return scope;
  return fail(Errc::invalid,
              "No cluster name was given and none is configured; name the cluster, or set 'scope' "
              "in the file given with -c");
}

Result<StoreSettings> ToolConfig::store(const std::string& cluster) const {
  auto settings = config::store_settings(local);
  if (settings) settings->scope = cluster;
  return settings;
}

Result<PeerClientSettings> ToolConfig::peer_client() const {
  auto settings = config::peer_client_settings(local);
  if (settings) settings->insecure |= insecure;
  return settings;
}

}  // namespace tanist::ctl
