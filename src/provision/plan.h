// SPDX-License-Identifier: Apache-2.0
// From a topology to the list of everything that will be written. Pure: a plan holds marks where
// passwords will stand and numbers where certificates will be, so it can be printed and compared.
#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

#include "provision/certificate.h"
#include "provision/topology.h"

namespace tanist::provision {

struct PlannedCertificate {
  std::string path;  // below the output folder, without .crt and .key
  CertificateRequest request;
};

// A file whose content is one half of certificates[index].
struct CertificatePart {
  std::size_t index = 0;
  bool is_key = false;
};

// The certificates of the authority and of those it replaces.
struct TrustBundle {};

// Text with marks (secret_marks.h), or what is made while writing.
using Content = std::variant<std::string, CertificatePart, TrustBundle>;

struct PlannedFile {
  std::string host;     // name of its folder in the output; empty = for the whole cluster
  std::string path;     // below the output folder
  std::string install;  // absolute path on the host; empty = is not installed
  std::string owner;    // "postgres:postgres" on the host; empty = who wrote it
  mode_t mode = 0644;
  Content content;
  std::string purpose;  // a few words, for the README
};

struct Plan {
  std::vector<PlannedFile> files;
  std::vector<PlannedCertificate> certificates;
};

// `output` is the absolute path of the output folder: on one machine, files refer to each other by
// it, and Errc::invalid says when it does not fit (characters that some file could not carry, or
// so long that a Unix socket below it would not work).
Result<Plan> make_plan(const Topology& topology, const std::string& output);

}  // namespace tanist::provision
