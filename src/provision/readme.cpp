// SPDX-License-Identifier: Apache-2.0
// Texts with holes, and tables of the planned files.
#include "provision/readme.h"

#include "base/format.h"

namespace tanist::provision {

namespace {

using fmt::arg;

constexpr auto* hosts_readme = R"~(# Cluster {cluster}

Written by `tanistctl provision`. One folder for each host, and two that stay here:

- `ca/`: the authority that signed all certificates. `ca.key` can make anybody a member of the
  cluster: keep it away from the hosts, best off-line.
- `secrets/`: one file for each password. A second run keeps them.

Everything is readable by you alone. Keep this folder: running `tanistctl provision` again with a
changed topology changes only what has to change.

## On each host

1. **Time.** `timedatectl set-ntp on`; then `timedatectl` has to say `System clock synchronized:
   yes`. Leases do not depend on the wall clock, but certificates do, and the logs of several hosts
   can only be read side by side when their clocks agree.
2. **Names.** Append `hosts.fragment` to `/etc/hosts`, unless your DNS knows these names.
3. **Programs.** From the distribution: PostgreSQL {version}, etcd and HAProxy, as the host needs
   them. {programs}/tanist, tanist-guard and tanistctl from this project. The distribution starts
   a PostgreSQL of its own, and that has to stay off: `systemctl disable --now postgresql`.
4. **Files.** Copy the host's folder there and run `sudo ./install` in it. It puts each file of the
   table below in its place, with owner and mode, and starts nothing.
5. **Firewall.** `sudo sh firewall/ufw.sh`, or load `firewall/nftables.conf`, not both.

## Starting

etcd on all its hosts first; a member waits until most of them are there:

    sudo systemctl enable etcd && sudo systemctl restart --no-block etcd

Then the agent, on all nodes. The first one creates the database, the others copy it:

    sudo systemctl enable --now tanist
    sudo -u postgres tanistctl -c /etc/tanist/tanist.yml list

{haproxy}
## Files

Paths below a host's folder are the paths on the host.
)~";

constexpr auto* with_haproxy = R"~(Then HAProxy:

    sudo systemctl enable haproxy && sudo systemctl restart haproxy

Applications connect to it; TLS goes through to PostgreSQL, so they can verify all of the way:

    psql "host={proxy} port={read_write} dbname=postgres user=USER sslmode=verify-full
          sslrootcert=ca.crt"

Port {read_write} leads to the primary, port {read_only} to the replicas. `ca.crt` is the one in
`ca/`. The firewall closes the statistics page to the network. To look at it:

    ssh -L {statistics}:{proxy_address}:{statistics} {proxy}

and then https://localhost:{statistics}/ with user admin and the password in `secrets/statistics`.
)~";

constexpr auto* without_haproxy =
    R"~(There is no HAProxy in this topology. Applications name all nodes and ask for the primary:

    psql "host={nodes} port={port} dbname=postgres user=USER sslmode=verify-full sslrootcert=ca.crt
          target_session_attrs=read-write"
)~";

constexpr auto* one_machine_readme = R"~(# Cluster {cluster}, on one machine

Written by `tanistctl provision`. Everything lives in this folder; nothing is installed, nothing
needs root, and PostgreSQL refuses to run as root anyway. `scripts/demo` does all of this for you.
By hand, each command in a terminal of its own:

{commands}
Then:

    tanistctl -c {agent_config} list

`ca/` holds the authority of all certificates, `secrets/` one file for each password.

## Files
)~";

// The first host's way in stands for all: the others differ in name and address only.
std::string entry_points(const Topology& topology) {
  const auto proxies = topology.hosts_with(&Roles::haproxy);
  if (!proxies.empty()) {
    const auto& proxy = proxies.front();
    return format_text(
        with_haproxy, arg("proxy", proxy.name), arg("proxy_address", proxy.address.in_url()),
        arg("read_write", proxy.ports.read_write), arg("read_only", proxy.ports.read_only),
        arg("statistics", proxy.ports.statistics));
  }
  std::vector<std::string> names;
  std::vector<int> ports;
  for (const auto& node : topology.hosts_with(&Roles::node)) {
    names.push_back(node.name);
    ports.push_back(node.ports.postgresql);
  }
  return format_text(without_haproxy, arg("nodes", fmt::join(names, ",")),
                     arg("port", fmt::join(ports, ",")));
}

std::string start_commands(const Topology& topology, const std::string& output) {
  std::string commands;
  const auto add = [&](const Host& host, std::string_view program, std::string_view config) {
    const Site site{topology, host, output + "/" + host.name};
    commands += format_text("    {}{}\n", program, site.at(config));
  };
  for (const auto& host : topology.hosts_with(&Roles::etcd)) {
    add(host, "etcd --config-file=", paths::etcd_config);
  }
  for (const auto& host : topology.hosts_with(&Roles::node)) {
    add(host, "tanist ", paths::agent_config);
  }
  for (const auto& host : topology.hosts_with(&Roles::haproxy)) {
    const Site site{topology, host, output + "/" + host.name};
    commands += format_text("    mkdir -p {}\n", site.at("/run/haproxy"));
    add(host, "haproxy -f ", paths::haproxy_config);
  }
  return commands;
}

std::string file_tables(const Topology& topology, const std::vector<PlannedFile>& files) {
  std::string text;
  for (const auto& host : topology.hosts) {
    text += format_text("\n### {} ({})\n\n| file | owner | mode | what |\n|---|---|---|---|\n",
                        host.name, host.address.text());
    for (const auto& file : files) {
      if (file.host != host.name) continue;
      const auto path = file.path.substr(host.name.size());
      text +=
          format_text("| {} | {} | {:04o} | {} |\n", file.install.empty() ? path.substr(1) : path,
                      file.owner.empty() ? "you" : file.owner, file.mode, file.purpose);
    }
  }
  return text;
}

constexpr auto* install_head = R"~(#!/bin/sh
# Puts the files of host {name}, cluster {cluster}, in their places.
# Written by `tanistctl provision`.
# Run it on {name}, as root, in the folder where it lies. It starts nothing.
set -eu
cd "$(dirname "$0")"
if [ "$(id -u)" -ne 0 ]; then
  echo "$0: has to run as root; try: sudo $0" >&2
  exit 1
fi

need_user() {{
  id "$1" >/dev/null 2>&1 && return
  echo "$0: there is no user $1; install the package first: apt install $2" >&2
  exit 1
}}

put() {{
  if [ -e "$3" ] && ! [ -e "$3.before-tanist" ] && ! grep -q 'tanistctl provision' "$3"; then
    case "$3" in
      *.cfg|*.yml|*.service) cp -p "$3" "$3.before-tanist" ;;
    esac
  fi
  install -D -o "${{1%:*}}" -g "${{1#*:}}" -m "$2" ".$3" "$3"
  echo "$3"
}}

)~";

std::string data_folder_line(std::string_view owner, const std::string& folder) {
  return format_text("[ -d {} ] || install -d -o {} -g {} -m 0700 {}\n", folder, owner, owner,
                     folder);
}

std::string next_step(std::string_view command, std::string_view note) {
  return format_text("  {}{}{}\n", command, note.empty() ? "" : "   # ", note);
}

}  // namespace

std::string hosts_fragment(const Topology& topology) {
  auto text = format_text("# Cluster {}: append to /etc/hosts.\n", topology.cluster);
  for (const auto& host : topology.hosts) {
    text += format_text("{:<15} {}\n", host.address.text(), host.name);
  }
  return text;
}

std::string install_script(const Site& site, const std::vector<PlannedFile>& files) {
  const auto& roles = site.host.roles;
  auto script =
      format_text(install_head, arg("name", site.host.name), arg("cluster", site.topology.cluster));
  if (roles.etcd) script += "need_user etcd 'etcd-server etcd-client'\n";
  if (roles.node) {
    script += format_text("need_user postgres postgresql-{}\n", site.topology.postgresql.version);
  }
  if (roles.haproxy) script += "need_user haproxy haproxy\n";
  script += "\n";
  for (const auto& file : files) {
    if (file.host != site.host.name || file.install.empty()) continue;
    script += format_text("put {} {:04o} {}\n", file.owner, file.mode, file.install);
  }
  script += "\n";
  if (roles.etcd) script += data_folder_line("etcd", site.topology.etcd_dir());
  if (roles.node) script += data_folder_line("postgres", site.topology.data_dir());
  script += "systemctl daemon-reload\n\ncat <<'END'\n\nNext, as root:\n";
  if (roles.etcd) {
    script += next_step("systemctl enable etcd; systemctl restart --no-block etcd",
                        "on all hosts of etcd");
  }
  if (roles.node) {
    script += next_step("systemctl disable --now postgresql", "the distribution's own server");
    script += next_step("systemctl enable tanist; systemctl restart tanist", "once etcd runs");
  }
  if (roles.haproxy) {
    script += next_step("systemctl enable haproxy; systemctl restart haproxy", "");
  }
  return script + "END\n";
}

std::string readme(const Topology& topology, const std::string& output,
                   const std::vector<PlannedFile>& files) {
  const auto tables = file_tables(topology, files);
  if (topology.one_machine) {
    const auto nodes = topology.hosts_with(&Roles::node);
    const Site first{topology, nodes.front(), output + "/" + nodes.front().name};
    return format_text(one_machine_readme, arg("cluster", topology.cluster),
                       arg("commands", start_commands(topology, output)),
                       arg("agent_config", first.at(paths::agent_config))) +
           tables;
  }
  return format_text(hosts_readme, arg("cluster", topology.cluster),
                     arg("version", topology.postgresql.version),
                     arg("programs", topology.directories.programs),
                     arg("haproxy", entry_points(topology))) +
         tables;
}

}  // namespace tanist::provision
