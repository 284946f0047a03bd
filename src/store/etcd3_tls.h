// SPDX-License-Identifier: Apache-2.0
// The certificates for speaking with etcd, as they are in their files (contract dcs 8). Waits for
// the disk: never on the loop's thread once that runs.
#pragma once

#include <string>

#include "base/result.h"
#include "core/settings.h"

namespace tanist::store {

// PEM texts; `cert` and `key` are empty when etcd asks for no client certificate.
struct TlsFiles {
  std::string ca;
  std::string cert;
  std::string key;

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// Without `ca_file` the system's trust store counts; without `key_file` the key stands in
// `cert_file`. Errors name the file.
Result<TlsFiles> read_tls_files(const StoreSettings& settings);

}  // namespace tanist::store
