// SPDX-License-Identifier: Apache-2.0
// Section etcd3 (contract dcs 8), and the refusal of other stores. Pure; any thread.
#include <algorithm>

#include "base/format.h"
#include "config/address.h"
#include "config/schema.h"
#include "config/settings_parts.h"
#include "core/cluster_settings.h"

namespace tanist::config {

namespace {

constexpr std::uint16_t etcd_port = 2379;

// The alphabetically first store counts; ours is the only one that can.
Result<void> choose_store(const Layers& layers) {
  const auto& foreign = foreign_sections();
  const auto is_wanted = [&](const ForeignSection& section) {
    const auto* value = layers.local.find(section.name);
    return section.is_store && value != nullptr && value->truthy();
  };
  const auto* own = layers.local.find("etcd3");
  const bool has_own = own != nullptr && own->truthy();
  const auto at = std::ranges::find_if(foreign, is_wanted);
  if (at == foreign.end() || (has_own && at->name > "etcd3")) {
    if (has_own) return {};
    return fail(Errc::invalid,
                "Can not find suitable configuration of distributed configuration store\n"
                "Available implementations: etcd3");
  }
  const auto remedy = at->name == "etcd" ? "rename the section to \"etcd3\", its keys are the same "
                                           "(the cluster's keys in etcd v2 are not seen through v3)"
                                         : "use section \"etcd3\"";
  return unusable(layers, at->name,
                  format_text("{} is not supported as store, only etcd3 is; {}", at->what,
                              has_own ? "remove this section" : remedy));
}

// A citus section that Patroni would use changes where the cluster lives in the store.
Result<void> refuse_citus(const Layers& layers) {
  const auto citus = local_section(layers, "citus");
  const auto* group = citus.find("group");
  const auto* database = citus.find("database");
  const bool is_used =
      group != nullptr && to_int(*group) && database != nullptr && database->as_string() != nullptr;
  if (!is_used) return {};
  return unusable(layers, "citus", "Citus clusters are not supported; remove the section");
}

struct Endpoints {
  std::vector<HostPort> list;
  bool use_tls = false;
  bool fixed = false;
};

Result<ServiceUrl> url_of(const Layers& layers, std::string_view path, const std::string& text) {
  auto url = parse_url(text, etcd_port);
  if (!url) return unusable(layers, path, url.error().message);
  return url;
}

Result<std::uint16_t> port_of(const Layers& layers, const Section& etcd, std::uint16_t fallback) {
  if (!etcd.has("port")) return fallback;
  const auto port = etcd.integer("port", 0);
  if (port < 1 || port > 65535) return unusable(layers, "etcd3.port", "not a port (1 to 65535)");
  return static_cast<std::uint16_t>(port);
}

Result<bool> tls_of(const Layers& layers, const Section& etcd) {
  const auto protocol = etcd.text("protocol", "http");
  if (protocol == "https") return true;
  if (protocol == "http") return false;
  return unusable(layers, "etcd3.protocol", "neither http nor https");
}

Result<Endpoints> endpoints_of_hosts(const Layers& layers, const Section& etcd) {
  const auto port = port_of(layers, etcd, etcd_port);
  if (!port) return pass_on(port.error());
  const auto tls = tls_of(layers, etcd);
  if (!tls) return pass_on(tls.error());
  Endpoints out{{}, *tls, etcd.flag("use_proxies", false)};
  for (const auto& text : etcd.texts("hosts", true)) {
    auto address = parse_host_port(text, *port);
    if (!address || address->host.empty()) {
      return unusable(layers, "etcd3.hosts", format_text("\"{}\" is not HOST:PORT", text));
    }
    out.list.push_back(std::move(*address));
  }
  if (!out.list.empty() || !etcd.has("host")) return out;
  auto address = parse_host_port(etcd.text("host"), *port);
  if (!address || address->host.empty()) {
    return unusable(layers, "etcd3.host", "expected HOST or HOST:PORT");
  }
  if (etcd.has("port")) address->port = *port;  // beside host it wins
  out.list.push_back(std::move(*address));
  return out;
}

// proxy, else url laid over host and port, else hosts or host; credentials of a URL win.
Result<Endpoints> endpoints_of(const Layers& layers, const Section& etcd, StoreSettings& store) {
  const auto take_credentials = [&](const ServiceUrl& url) {
    if (url.username.empty()) return;
    store.username = url.username;
    store.password = url.password;
  };
  if (const auto proxy = etcd.text("proxy"); !proxy.empty()) {
    const auto url = url_of(layers, "etcd3.proxy", proxy);
    if (!url) return pass_on(url.error());
    take_credentials(*url);
    return Endpoints{{url->address}, url->use_tls, true};
  }
  auto endpoints = endpoints_of_hosts(layers, etcd);
  if (!endpoints) return endpoints;
  if (const auto text = etcd.text("url"); !text.empty()) {
    const auto url = url_of(layers, "etcd3.url", text);
    if (!url) return pass_on(url.error());
    take_credentials(*url);
    endpoints->use_tls = url->use_tls;
    if (etcd.texts("hosts", true).empty()) endpoints->list = {url->address};
  }
  return endpoints;
}

seconds first_ttl(const Layers& layers) {
  const auto cluster = cluster_settings_from(layers.dynamic);
  return effective_timing(cluster ? cluster->timing : Timing(), tanist_timing_min, nullptr).ttl;
}

}  // namespace

Result<StoreSettings> store_settings_from(const Layers& layers) {
  const auto chosen = choose_store(layers);
  if (!chosen) return pass_on(chosen.error());
  const auto known = refuse_citus(layers);
  if (!known) return pass_on(known.error());
  const Section top(&layers.local);
  const auto etcd = top.section("etcd3");
  StoreSettings store;
  store.namespace_ = top.text("namespace", "service");
  store.scope = top.text("scope");
  store.name = MemberName(top.text("name"));
  store.username = etcd.text("username");
  store.password = etcd.secret("password");
  auto endpoints = endpoints_of(layers, etcd, store);
  if (!endpoints) return pass_on(endpoints.error());
  store.endpoints = std::move(endpoints->list);
  store.use_tls = endpoints->use_tls;
  store.fixed_endpoints = endpoints->fixed;
  for (const auto* name : {"srv_domain", "discovery_srv", "srv"}) {
    if (const auto domain = etcd.text(name); !domain.empty()) store.srv_domain = domain;
  }
  store.srv_suffix = etcd.text("srv_suffix");
  store.ca_file = etcd.text("cacert");
  store.cert_file = etcd.text("cert");
  store.key_file = etcd.text("key");
  store.ttl_initial = first_ttl(layers);
  if (store.endpoints.empty() && store.srv_domain.empty()) {
    return unusable(layers, "etcd3",
                    "Neither srv, hosts, host nor url are defined in etcd3 section of config; add "
                    "\"hosts: HOST:2379\"");
  }
  return store;
}

}  // namespace tanist::config
