// SPDX-License-Identifier: Apache-2.0
// Which files each role needs, in rows; their contents come from one source file a subject.
#include "provision/plan.h"

#include <algorithm>
#include <cctype>

#include "base/format.h"
#include "provision/agent_config.h"
#include "provision/etcd.h"
#include "provision/firewall.h"
#include "provision/haproxy.h"
#include "provision/readme.h"
#include "provision/site.h"
#include "provision/systemd.h"

namespace tanist::provision {

namespace {

constexpr mode_t secret_mode = 0600;
constexpr mode_t public_mode = 0644;
constexpr mode_t program_mode = 0755;

// A Unix socket's path is at most 107 bytes (sockaddr_un), and PostgreSQL adds its own name.
constexpr std::size_t socket_path_max = 107;
constexpr std::string_view socket_name = "/.s.PGSQL.12345.lock";

class Planner {
 public:
  Planner(const Topology& topology, const std::string& output)
      : topology_(topology), output_(output) {}

  Plan plan() {
    for (const auto& host : topology_.hosts) add_host(host);
    add_cluster_readme();
    return std::move(plan_);
  }

 private:
  void add_host(const Host& host);
  void add_etcd(const Site& site);
  void add_node(const Site& site);
  void add_haproxy(const Site& site);
  void add_host_documents(const Site& site);
  void add_cluster_readme();

  void add(const Site& site, std::string_view path, PlannedFile file);
  void add_certificate(const Site& site, std::string_view stem, const CertificateRequest& request,
                       std::string_view purpose);
  CertificateRequest request_for(const Host& host, KeyUse use) const;

  const Topology& topology_;
  const std::string& output_;
  std::string owner_;  // of the secrets being added, on their host
  Plan plan_;
};

void Planner::add(const Site& site, std::string_view path, PlannedFile file) {
  file.host = site.host.name;
  file.path = site.host.name + std::string(path);
  const bool installed = path.starts_with("/etc/") && !topology_.one_machine;
  if (installed) file.install = path;
  // A service owns its secrets only: who breaks into it must not be able to change whom it trusts.
  // On one machine everything is its user's anyway.
  if (!topology_.one_machine) file.owner = file.mode == secret_mode ? owner_ : "root:root";
  plan_.files.push_back(std::move(file));
}

void Planner::add_certificate(const Site& site, std::string_view stem,
                              const CertificateRequest& request, std::string_view purpose) {
  const auto index = plan_.certificates.size();
  plan_.certificates.push_back({site.host.name + std::string(stem), request});
  add(site, std::string(stem) + ".crt",
      {.mode = public_mode,
       .content = CertificatePart{index, false},
       .purpose = format_text("certificate of {}", purpose)});
  add(site, std::string(stem) + ".key",
      {.mode = secret_mode, .content = CertificatePart{index, true}, .purpose = "its key"});
}

// The host itself, under all names by which it or one on it is called.
CertificateRequest Planner::request_for(const Host& host, KeyUse use) const {
  CertificateRequest request{.common_name = host.name, .dns_names = {host.name, "localhost"}};
  request.addresses = {host.address, *Address::parse("127.0.0.1")};
  request.use = use;
  return request;
}

void Planner::add_etcd(const Site& site) {
  owner_ = "etcd:etcd";
  add(site, paths::etcd_config,
      {.mode = public_mode, .content = etcd_config(site), .purpose = "settings of etcd"});
  add(site, paths::etcd_authority,
      {.mode = public_mode, .content = TrustBundle{}, .purpose = "whom etcd trusts"});
  const auto request = request_for(site.host, KeyUse::server_and_client);
  add_certificate(site, paths::etcd_server, request, "etcd towards its clients");
  add_certificate(site, paths::etcd_peer, request, "etcd towards its peers");
  if (topology_.one_machine) return;
  add(site, paths::etcd_unit,
      {.mode = public_mode, .content = etcd_unit(site), .purpose = "how systemd runs etcd"});
}

void Planner::add_node(const Site& site) {
  owner_ = "postgres:postgres";
  add(site, paths::agent_config,
      {.mode = secret_mode, .content = agent_config(site), .purpose = "settings of the agent"});
  add(site, paths::agent_authority,
      {.mode = public_mode, .content = TrustBundle{}, .purpose = "whom agent and server trust"});
  auto agent = request_for(site.host, KeyUse::client);
  agent.common_name = "tanist";  // the user that etcd sees, should its users be turned on
  add_certificate(site, paths::agent, agent, "the agent as a client of etcd and of other agents");
  add_certificate(site, paths::rest, request_for(site.host, KeyUse::server), "the agent's API");
  // Applications connect through HAProxy but the TLS ends here, so the names that they verify are
  // the proxies' and the operator's.
  auto postgresql = request_for(site.host, KeyUse::server);
  for (const auto& proxy : topology_.hosts_with(&Roles::haproxy)) {
    postgresql.dns_names.push_back(proxy.name);
    postgresql.addresses.push_back(proxy.address);
  }
  const auto& [days, authority_days, names, addresses] = topology_.certificates;
  postgresql.dns_names.insert(postgresql.dns_names.end(), names.begin(), names.end());
  postgresql.addresses.insert(postgresql.addresses.end(), addresses.begin(), addresses.end());
  add_certificate(site, paths::postgresql, postgresql, "PostgreSQL");
  if (topology_.one_machine) return;
  add(site, paths::agent_unit,
      {.mode = public_mode, .content = agent_unit(site), .purpose = "how systemd runs the agent"});
}

void Planner::add_haproxy(const Site& site) {
  owner_ = "root:root";
  add(site, paths::haproxy_config,
      {.mode = secret_mode, .content = haproxy_config(site), .purpose = "settings of HAProxy"});
  add(site, paths::haproxy_authority,
      {.mode = public_mode, .content = TrustBundle{}, .purpose = "whom HAProxy trusts"});
  add_certificate(site, paths::statistics, request_for(site.host, KeyUse::server),
                  "the statistics page");
}

// What is read or run by a person; nothing of it is installed.
void Planner::add_host_documents(const Site& site) {
  owner_ = "root:root";
  add(site, "/hosts.fragment",
      {.mode = public_mode,
       .content = hosts_fragment(topology_),
       .purpose = "lines for /etc/hosts"});
  add(site, paths::ufw_script,
      {.mode = program_mode, .content = ufw_script(site), .purpose = "firewall, by ufw"});
  add(site, paths::nftables_file,
      {.mode = public_mode, .content = nftables_file(site), .purpose = "firewall, by nftables"});
  add(site, "/install",
      {.mode = program_mode,
       .content = install_script(site, plan_.files),
       .purpose = "puts the files of this host in their places"});
}

void Planner::add_host(const Host& host) {
  const auto root = topology_.one_machine ? output_ + "/" + host.name : std::string();
  const Site site{topology_, host, root};
  if (host.roles.etcd) add_etcd(site);
  if (host.roles.node) add_node(site);
  if (host.roles.haproxy) add_haproxy(site);
  if (!topology_.one_machine) add_host_documents(site);
}

void Planner::add_cluster_readme() {
  plan_.files.push_back({.path = "README.md",
                         .mode = public_mode,
                         .content = readme(topology_, output_, plan_.files),
                         .purpose = "where to go on"});
}

bool is_plain_path(const std::string& path) {
  return std::ranges::all_of(path, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("/._-+").find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<Plan> make_plan(const Topology& topology, const std::string& output) {
  if (topology.one_machine && !is_plain_path(output)) {
    return fail(Errc::invalid,
                "output folder {}: configuration files cannot carry this path; choose one of "
                "letters, digits and /._-+",
                output);
  }
  for (const auto& node : topology.hosts_with(&Roles::node)) {
    const Site site{topology, node, topology.one_machine ? output + "/" + node.name : ""};
    const auto folder = site.at(topology.directories.sockets);
    if (folder.size() + socket_name.size() <= socket_path_max) continue;
    return fail(Errc::invalid,
                "the path of PostgreSQL's Unix socket in {} would be longer than {} bytes; choose "
                "{}",
                folder, socket_path_max,
                topology.one_machine ? "a shorter output folder" : "shorter `directories.sockets`");
  }
  return Planner(topology, output).plan();
}

}  // namespace tanist::provision
