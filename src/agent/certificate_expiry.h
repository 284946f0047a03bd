// SPDX-License-Identifier: Apache-2.0
// The certificates that this node shows to others, and what is to be said when one of them expires:
// once when the end is near, once when it has come. Connections that stand go on without it, so
// nothing else happens then; what is lost is the next connection.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/settings.h"
#include "rest/figures.h"

namespace tanist::agent {

struct CertificateFile {
  std::string path;  // empty = this section names none
  std::optional<WallTime> until;
};

// In the order of rest::certificate_owners.
using Certificates = std::array<CertificateFile, rest::certificate_owners.size()>;
using CertificateEnds = std::array<std::optional<WallTime>, rest::certificate_owners.size()>;

// Blocking: for the disk pool.
Certificates read_certificates(const Settings& settings);

// Remembers what was said. A value.
class ExpiryNews {
 public:
  std::vector<LogLine> about(const Certificates& certificates, WallTime now);

 private:
  enum class Said { nothing, soon, expired };
  std::array<Said, rest::certificate_owners.size()> said_{};
  CertificateEnds of_{};  // a renewed one is a new story
};

}  // namespace tanist::agent
