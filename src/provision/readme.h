// SPDX-License-Identifier: Apache-2.0
// What a person reads or runs beside the configuration files: the README of the output, a hosts
// fragment, and a script per host that puts the files in their places. Pure.
#pragma once

#include <string>
#include <vector>

#include "provision/plan.h"
#include "provision/site.h"

namespace tanist::provision {

// `files`: everything planned so far, for the tables.
std::string readme(const Topology& topology, const std::string& output,
                   const std::vector<PlannedFile>& files);

// Lines for /etc/hosts with all hosts of the cluster.
std::string hosts_fragment(const Topology& topology);

// A shell script that is run as root in the host's folder: installs each of the host's files with
// its owner and mode. Starts nothing.
std::string install_script(const Site& site, const std::vector<PlannedFile>& files);

}  // namespace tanist::provision
