#!/bin/sh
# Firewall of host pg-1, cluster postgres-ha, by ufw. Written by `tanistctl provision`.
# Run it again after a change. Rules of hosts that left: `ufw status numbered`, `ufw delete NUMBER`.
set -eu
if [ "$(id -u)" -ne 0 ]; then
  echo "$0: has to run as root; try: sudo sh $0" >&2
  exit 1
fi

# First of all, so that nobody locks himself out.
ufw allow proto tcp to any port 22 comment 'ssh'
ufw allow proto tcp from 192.168.122.24/32 to any port 5432 comment 'PostgreSQL'
ufw allow proto tcp from 192.168.122.48/32 to any port 5432 comment 'PostgreSQL'
ufw allow proto tcp from 192.168.122.65/32 to any port 5432 comment 'PostgreSQL'
ufw allow proto tcp from 192.168.122.66/32 to any port 5432 comment 'PostgreSQL'
ufw allow proto tcp from 192.168.122.24/32 to any port 8008 comment 'REST API of the agent'
ufw allow proto tcp from 192.168.122.48/32 to any port 8008 comment 'REST API of the agent'
ufw allow proto tcp from 192.168.122.65/32 to any port 8008 comment 'REST API of the agent'
ufw allow proto tcp from 192.168.122.66/32 to any port 8008 comment 'REST API of the agent'
ufw allow proto tcp from 192.168.122.66/32 to any port 8009 comment 'agent check of HAProxy'
ufw allow proto tcp from 192.168.122.24/32 to any port 2379 comment 'etcd, agents'
ufw allow proto tcp from 192.168.122.48/32 to any port 2379 comment 'etcd, agents'
ufw allow proto tcp from 192.168.122.65/32 to any port 2379 comment 'etcd, agents'
ufw allow proto tcp from 192.168.122.24/32 to any port 2380 comment 'etcd, members'
ufw allow proto tcp from 192.168.122.48/32 to any port 2380 comment 'etcd, members'
ufw allow proto tcp from 192.168.122.65/32 to any port 2380 comment 'etcd, members'

ufw default deny incoming
ufw --force enable
ufw status
