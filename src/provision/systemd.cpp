// SPDX-License-Identifier: Apache-2.0
// Two texts with holes; the comments in them are for the operator who reads the unit.
#include "provision/systemd.h"

#include "base/format.h"

namespace tanist::provision {

namespace {

constexpr auto* etcd_text = R"(# etcd for cluster {cluster}. Written by `tanistctl provision`.
# In /etc/systemd/system it takes the place of the package's unit of the same name.
[Unit]
Description=etcd, the store of PostgreSQL cluster {cluster}
Documentation=https://etcd.io/docs man:etcd
After=network-online.target time-sync.target
Wants=network-online.target

[Service]
# Started means: is part of a quorum. The agent is not made to wait for that, only ordered after.
Type=notify
User=etcd
Group=etcd
ExecStart={programs}/etcd --config-file={config}
# The first start of a member waits for the others.
TimeoutStartSec=infinity
Restart=always
RestartSec=1s
LimitNOFILE=65536

# A slow write of etcd's log is a late heartbeat, and a late heartbeat is an election.
Nice=-5
IOSchedulingClass=best-effort
IOSchedulingPriority=0
OOMScoreAdjust=-900

# etcd needs its data, its certificates and the network, nothing else.
StateDirectory=etcd
StateDirectoryMode=0700
ReadWritePaths={data}
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
CapabilityBoundingSet=
LockPersonality=yes
RestrictNamespaces=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictSUIDSGID=yes

[Install]
WantedBy=multi-user.target
)";

constexpr auto* agent_text = R"(# tanist for cluster {cluster}. Written by `tanistctl provision`.
# The agent starts and stops PostgreSQL. The distribution's own units for it have to be off:
#   systemctl disable --now postgresql
[Unit]
Description=tanist, high availability agent of PostgreSQL cluster {cluster}
After=network-online.target time-sync.target{after_etcd}
Wants=network-online.target
# A member that gives up restarting would stay out of the cluster for good.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User=postgres
Group=postgres
ExecStart={programs}/tanist {config}
ExecReload=/bin/kill -HUP $MAINPID

# A restarted agent finds PostgreSQL and its guard alive and goes on with them, if it is back before
# the lease ends. So systemd ends the agent only (process), does not take the rest down when memory
# ran out (continue), is quick, and leaves the guard's socket where it is (Preserve). What systemd
# would kill, the guard kills at the deadline.
KillMode=process
OOMPolicy=continue
Restart=always
RestartSec=100ms
RuntimeDirectory=tanist
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes

# Stopping means a shutdown checkpoint, and waiting until a replica holds it.
TimeoutStopSec=10min

# PostgreSQL inherits the limit: files of each session, max_files_per_process times the sessions.
LimitNOFILE=102400
# The guard may raise its priority.
LimitNICE=-10
LimitRTPRIO=1
# The agent and the postmaster are the last to go when memory runs out; the sessions, which use the
# memory, are put back to normal.
OOMScoreAdjust=-900
Environment=PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj PG_OOM_ADJUST_VALUE=0

# Files are private to the server's user; /usr, /boot and /etc are read-only for it.
UMask=0077
ProtectSystem=full
# A callback that uses sudo needs `systemctl edit tanist` with NoNewPrivileges=no.
NoNewPrivileges=yes
# Not set, because each breaks something that a server may need: PrivateTmp (sockets and files in
# /tmp, shared with a server that outlives the agent), ProtectHome (tablespaces), PrivateDevices
# and ProtectClock (the hardware watchdog), MemoryDenyWriteExecute (JIT), RestrictRealtime (the
# guard), ProtectControlGroups and RemoveIPC (a server that outlives the agent).

[Install]
WantedBy=multi-user.target
)";

}  // namespace

std::string etcd_unit(const Site& site) {
  const auto& topology = site.topology;
  using fmt::arg;
  // ReadWritePaths= of a missing folder would keep the unit from starting: "-" forgives.
  return format_text(etcd_text, arg("cluster", topology.cluster),
                     arg("programs", topology.directories.programs),
                     arg("config", paths::etcd_config), arg("data", "-" + topology.etcd_dir()));
}

std::string agent_unit(const Site& site) {
  const auto& topology = site.topology;
  using fmt::arg;
  return format_text(agent_text, arg("cluster", topology.cluster),
                     arg("programs", topology.directories.programs),
                     arg("config", paths::agent_config),
                     arg("after_etcd", site.host.roles.etcd ? " etcd.service" : ""));
}

}  // namespace tanist::provision
