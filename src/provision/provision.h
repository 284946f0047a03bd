// SPDX-License-Identifier: Apache-2.0
// The folder's entry: reads a topology file and writes everything a cluster needs into one folder.
// Blocking file access; not for the agent's loop. Prints nothing and logs nothing.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "provision/authority.h"
#include "provision/topology.h"

namespace tanist::provision {

// Errc::not_found or failed when the file cannot be read; Errc::invalid with one line per finding
// (FILE:LINE: key: what is wrong; remedy) when it is no topology.
Result<Topology> read_topology(const std::string& path);

struct WriteOptions {
  WallTime now;  // begins the validity of certificates, and ends that of expired ones
  Renew renew = Renew::nothing;
  // Replace files that were edited, or that somebody else wrote, instead of refusing to.
  bool overwrite = false;
};

struct Report {
  std::string folder;  // absolute
  // Paths below the folder, in the order of the plan.
  std::vector<std::string> created;
  std::vector<std::string> updated;
  std::vector<std::string> kept;
  // Written by an earlier run and no longer wanted; left alone.
  std::vector<std::string> left_over;
  // "pg-1/etc/etcd/ssl/server.crt: first issue"
  std::vector<std::string> issued;
  std::vector<std::string> advice;
  WallTime first_expiry;  // of any certificate
};

// Writes the files of `topology` below `output_folder` (created when missing, mode 0700), each
// host's in a folder of its name, keys and passwords with mode 0600. A second run keeps the
// authority, unexpired certificates and passwords, and rewrites only what changed. Nothing is
// written at all when a file in the way was not written by provision or was edited since
// (Errc::refused, all of them named), or when anything else fails before the first write.
Result<Report> write(const Topology& topology, const std::string& output_folder,
                     const WriteOptions& options);

}  // namespace tanist::provision
