// SPDX-License-Identifier: Apache-2.0
// The keys of the topology file, one function per section, in the order of the guide
// (docs/guide/provision.md).
#include "provision/topology_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/format.h"
#include "provision/section.h"
#include "provision/topology_checks.h"

namespace tanist::provision {

namespace {

// Folders of the output that are no host's.
constexpr std::array<std::string_view, 2> reserved_names{"ca", "secrets"};

// Written by provision itself, or by the agent: a value under postgresql.parameters would be
// ignored, which is worse than an error.
constexpr std::array<std::string_view, 13> owned_parameters{"listen_addresses",
                                                            "port",
                                                            "cluster_name",
                                                            "hot_standby",
                                                            "ssl",
                                                            "ssl_cert_file",
                                                            "ssl_key_file",
                                                            "ssl_ca_file",
                                                            "hba_file",
                                                            "ident_file",
                                                            "data_directory",
                                                            "synchronous_standby_names",
                                                            "unix_socket_directories"};

constexpr int days_max = 36500;
constexpr int seconds_max = 86400;

class Reader {
 public:
  Reader(const Tree& tree, Findings& findings) : findings_(findings), file_(&tree, "", findings) {}

  Topology read() {
    read_cluster();
    read_ports("", file_.find("ports"), default_ports_);
    read_hosts("nodes", &Roles::node);
    read_hosts("etcd", &Roles::etcd);
    read_hosts("haproxy", &Roles::haproxy);
    give_etcd_to_nodes();
    read_applications();
    read_timing();
    read_synchronous_mode();
    read_postgresql();
    read_directories();
    read_certificates();
    return std::move(topology_);
  }

 private:
  void read_cluster();
  void read_ports(const std::string& path, const Tree* tree, Ports& ports);
  void read_hosts(std::string_view key, bool Roles::* role);
  void read_new_host(const Tree& tree, const std::string& path, bool Roles::* role);
  void give_role(const std::string& name, const std::string& path, bool Roles::* role);
  void give_etcd_to_nodes();
  void read_applications();
  void read_timing();
  void read_synchronous_mode();
  void read_postgresql();
  void read_directories();
  void read_certificates();

  Findings& findings_;
  Section file_;
  Topology topology_;
  Ports default_ports_;
};

bool is_fit_for_cluster_name(std::string_view name) {
  constexpr std::size_t length_max = 63;  // PostgreSQL cuts cluster_name there
  return name.size() <= length_max && name.front() != '.' && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                  std::string_view("_.-").find(c) != std::string_view::npos;
         });
}

void Reader::read_cluster() {
  file_.read("cluster", topology_.cluster);
  if (topology_.cluster.empty()) {
    file_.add("cluster", "is missing; give the cluster a name: `cluster: postgres-ha`");
  } else if (!is_fit_for_cluster_name(topology_.cluster)) {
    file_.add("cluster", "has to be a name of at most 63 letters, digits, '_', '.' and '-'");
  }
  file_.read_path("namespace", topology_.namespace_);
  file_.read("one_machine", topology_.one_machine);
}

void Reader::read_ports(const std::string& path, const Tree* tree, Ports& ports) {
  Section section(tree, path.empty() ? "ports" : path + ".ports", findings_);
  section.read_port("postgresql", ports.postgresql);
  section.read_port("rest", ports.rest);
  section.read_port("etcd_client", ports.etcd_client);
  section.read_port("etcd_peer", ports.etcd_peer);
  section.read_port("read_write", ports.read_write);
  section.read_port("read_only", ports.read_only);
  section.read_port("statistics", ports.statistics);
  section.read_port("agent_check", ports.agent_check);
  section.read_port("ssh", ports.ssh);
}

// An entry is a host of its own ({name, address, ports}), or the name of one described before.
void Reader::read_hosts(std::string_view key, bool Roles::* role) {
  const auto entries = file_.list(key);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto path = format_text("{}.{}", key, i);
    if (entries[i].is_map()) {
      read_new_host(entries[i], path, role);
    } else {
      give_role(entries[i].is_scalar() ? text_form(entries[i]) : "", path, role);
    }
  }
  if (role == &Roles::node && entries.empty()) {
    file_.add(key, "are missing; list them: `nodes: [{name: pg-1, address: 192.168.122.48}, ...]`");
  }
}

std::string read_host_name(Section& entry) {
  std::string name;
  entry.read("name", name);
  if (name.empty()) {
    entry.add("name", "is missing; every host has a name, such as pg-1");
  } else if (!is_host_name(name)) {
    entry.add("name", format_text("'{}' is no host name; use letters, digits, '-' and '.'", name));
  } else if (std::ranges::find(reserved_names, name) != reserved_names.end()) {
    entry.add("name",
              format_text("'{}' is the name of a folder of the output; choose another", name));
  }
  return name;
}

std::optional<Address> read_address(Section& entry, const std::string& name) {
  std::string text;
  entry.read("address", text);
  if (text.empty()) {
    entry.add("address", format_text("is missing; give the IP address of {}",
                                     name.empty() ? "this host" : name));
    return std::nullopt;
  }
  const auto address = Address::parse(text);
  if (!address) {
    entry.add("address", address.error().message + "; write a number such as 192.168.122.48");
    return std::nullopt;
  }
  return *address;
}

void Reader::read_new_host(const Tree& tree, const std::string& path, bool Roles::* role) {
  Section entry(&tree, path, findings_);
  const auto name = read_host_name(entry);
  const auto address = read_address(entry, name);
  auto ports = default_ports_;
  read_ports(path, entry.find("ports"), ports);
  if (!address) return;
  Host host{name, *address, Roles{}, ports, Origin{path, findings_.line_of(path)}};
  host.roles.*role = true;
  topology_.hosts.push_back(std::move(host));
}

void Reader::give_role(const std::string& name, const std::string& path, bool Roles::* role) {
  const auto host = std::ranges::find(topology_.hosts, name, &Host::name);
  if (host != topology_.hosts.end() && role != &Roles::node) {
    host->roles.*role = true;
    return;
  }
  std::vector<std::string> names;
  for (const auto& known : topology_.hosts) names.push_back(known.name);
  const auto meant = nearest(name, names);
  if (role == &Roles::node || name.empty()) {
    findings_.add(path, "has to be a host; write `{name: pg-1, address: 192.168.122.48}`");
  } else if (!meant.empty()) {
    findings_.add(path, format_text("no host is named '{}'; did you mean {}?", name, meant));
  } else {
    findings_.add(path, format_text("no host is named '{}'; describe it here: `{{name: {}, "
                                    "address: IP}}`",
                                    name, name));
  }
}

void Reader::give_etcd_to_nodes() {
  if (file_.find("etcd") != nullptr) return;
  for (auto& host : topology_.hosts) host.roles.etcd = host.roles.etcd || host.roles.node;
}

void Reader::read_applications() {
  const auto items = file_.list("applications");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto network = Network::parse(items[i].is_scalar() ? text_form(items[i]) : "");
    if (network) {
      topology_.applications.push_back(*network);
    } else {
      findings_.add(format_text("applications.{}", i),
                    network.error().message + "; write a network such as 192.168.122.0/24");
    }
  }
  if (!topology_.applications.empty()) return;
  topology_.applications = {Network::everything_v4(), Network::everything_v6()};
}

void Reader::read_timing() {
  Section section(file_.find("timing"), "timing", findings_);
  const auto read = [&](std::string_view key, seconds smallest, seconds& target) {
    int value = static_cast<int>(target.count());
    section.read(key, value, static_cast<int>(smallest.count()), seconds_max);
    target = seconds{value};
  };
  read("ttl", tanist_timing_min.ttl, topology_.timing.ttl);
  read("loop_wait", tanist_timing_min.loop_wait, topology_.timing.loop_wait);
  read("retry_timeout", tanist_timing_min.retry_timeout, topology_.timing.retry_timeout);
}

void Reader::read_synchronous_mode() {
  file_.read("synchronous_mode_strict", topology_.synchronous_mode_strict);
  const auto* value = file_.find("synchronous_mode");
  if (value == nullptr) return;
  if (const auto flag = to_bool(*value)) {
    topology_.synchronous_mode = *flag ? SynchronousMode::priority : SynchronousMode::off;
  } else if (value->as_string() != nullptr && *value->as_string() == "quorum") {
    topology_.synchronous_mode = SynchronousMode::quorum;
  } else {
    file_.add("synchronous_mode", "is unknown; choose off, on or quorum");
  }
}

bool is_fit_for_locale(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_.@-").find(c) != std::string_view::npos;
  });
}

void Reader::read_postgresql() {
  Section section(file_.find("postgresql"), "postgresql", findings_);
  auto& options = topology_.postgresql;
  section.read("version", options.version, 12, 99);
  section.read_path("bin_dir", options.bin_dir);
  section.read("locale", options.locale);
  if (!is_fit_for_locale(options.locale)) {
    section.add("locale", "has to be a locale's name, such as C.UTF-8 or de_DE.UTF-8");
  }
  const auto* parameters = section.find("parameters");
  if (parameters == nullptr) return;
  if (!parameters->is_map()) return section.add("parameters", "has to hold `name: value` pairs");
  for (const auto& [name, value] : *parameters->as_map()) {
    const auto path = "postgresql.parameters." + name;
    if (std::ranges::find(owned_parameters, name) != owned_parameters.end()) {
      findings_.add(path, "is set by provision or by the agent; remove it here");
    } else if (!value.is_scalar() || value.is_null()) {
      findings_.add(path, "has to be a single value");
    }
  }
  options.parameters = *parameters;
}

void Reader::read_directories() {
  Section section(file_.find("directories"), "directories", findings_);
  section.read_path("data", topology_.directories.data);
  section.read_path("etcd", topology_.directories.etcd);
  section.read_path("sockets", topology_.directories.sockets);
  section.read_path("programs", topology_.directories.programs);
}

void Reader::read_certificates() {
  Section section(file_.find("certificates"), "certificates", findings_);
  auto& options = topology_.certificates;
  section.read("days", options.days, 1, days_max);
  section.read("authority_days", options.authority_days, 1, days_max);
  const auto names = section.list("names");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto text = names[i].is_scalar() ? text_form(names[i]) : "";
    if (const auto address = Address::parse(text)) {
      options.addresses.push_back(*address);
    } else if (is_host_name(text)) {
      options.names.push_back(text);
    } else {
      findings_.add(format_text("certificates.names.{}", i),
                    format_text("'{}' is neither a host name nor an IP address", text));
    }
  }
}

}  // namespace

Result<Topology> topology_from(const Tree& tree, const std::map<std::string, int>& lines,
                               const std::string& file) {
  Findings findings(file, lines);
  auto topology = Reader(tree, findings).read();
  // Between hosts of which some could not be read, hardly a rule would hold.
  if (findings.empty()) check(topology, findings);
  if (!findings.empty()) return tl::unexpected<Error>(findings.error());
  return topology;
}

}  // namespace tanist::provision
