#!/bin/sh
# Firewall of host haproxy, cluster postgres-ha, by ufw. Written by `tanistctl provision`.
# Run it again after a change. Rules of hosts that left: `ufw status numbered`, `ufw delete NUMBER`.
set -eu
if [ "$(id -u)" -ne 0 ]; then
  echo "$0: has to run as root; try: sudo sh $0" >&2
  exit 1
fi

# First of all, so that nobody locks himself out.
ufw allow proto tcp to any port 22 comment 'ssh'
ufw allow proto tcp from 192.168.122.0/24 to any port 5000 comment 'HAProxy, read-write'
ufw allow proto tcp from 192.168.122.0/24 to any port 5001 comment 'HAProxy, read-only'

ufw default deny incoming
ufw --force enable
ufw status
