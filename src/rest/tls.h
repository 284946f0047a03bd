// SPDX-License-Identifier: Apache-2.0
// TLS contexts from files: of the server (contract rest 2 and 3) and of this node as a client of
// its peers (contract rest 16). All functions read files: not for the loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "core/settings.h"

namespace boost::asio::ssl {
class context;
}

namespace tanist::rest {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// Errors name the file and its cause, never a key phrase. TLS 1.2 is the floor. A key file that
// is not given is looked for in the certificate file.
Result<TlsContext> make_server_tls(const RestSettings& settings);

// How far a peer's certificate is believed.
enum class Trust {
  agent,  // between agents: with a client certificate the chain is verified, else nothing
  ctl,    // the operator's tool: chain and host name, unless `insecure`
};

struct PeerTls {
  TlsContext context;
  bool verify_host_name = false;
};

Result<PeerTls> make_peer_tls(const PeerClientSettings& settings, Trust trust);

// What certificate, key and CA file hold now, as a digest: another one when any of them changed.
Result<std::string> fingerprint_of(const RestSettings& settings);

// When the certificate that a context presents expires.
std::optional<WallTime> expiry_of(const TlsContext& context);
// The same of the first certificate in a PEM file; nothing when there is none.
std::optional<WallTime> expiry_of_file(const std::string& path);

}  // namespace tanist::rest
