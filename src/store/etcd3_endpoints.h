// SPDX-License-Identifier: Apache-2.0
// The known members of etcd and which to ask first; and whether an answer is fit to be believed
// (contract dcs 6.4 and 8; traps 10, 154 and 160). Pure; owned by one machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/settings.h"
#include "store/etcd3_wire.h"

namespace tanist::store {

// "host:port"; IPv6 in brackets.
std::string address_of(const HostPort& endpoint);
// Of a client URL such as http://10.0.0.1:2379; nothing when it is none, or of the other protocol.
std::optional<std::string> address_of_url(std::string_view url, bool tls);

class Endpoints {
 public:
  // `seed` chooses which is asked first, so that not all agents ask the same.
  Endpoints(const std::vector<HostPort>& configured, std::uint64_t seed);

  const std::vector<std::string>& all() const { return addresses_; }
  // The one that reads, writes and the watch use; empty when none is known.
  const std::string& current() const { return current_; }

  // The current one; when it is in `except`, the next of the ring that is not, those first that
  // did not fail lately. Empty when all are in `except`.
  std::string best(const std::vector<std::string>& except, Instant now) const;

  // Remembers the failure; a failed current one gives way to the next best.
  void failed(const std::string& address, Instant now);
  // Forgets its failures; it becomes the current one if that has failed.
  void answered(const std::string& address);

  // What etcd itself (or DNS) says its members are. Configured ones stay as fallback; loopback
  // addresses count only if a configured one is loopback too. True when the list changed.
  bool learn(std::vector<std::string> discovered);

 private:
  struct Failed {
    std::string address;
    Instant at;
  };
  std::optional<Instant> failed_at(const std::string& address) const;
  void forget_failure(const std::string& address);

  std::vector<std::string> configured_;
  std::vector<std::string> addresses_;
  std::string current_;
  std::vector<Failed> failures_;  // at most one of each address
};

// The etcd cluster that we talk to. Replies of a lower raft term than seen, of another cluster, or
// of one that has lost its past are not believed; after `patience` without any other answer the
// cluster counts as replaced (rebuilt or restored from a backup) and everything begins anew.
//
// An etcd that is rebuilt from the same configuration has the same cluster id, and soon the same
// term: its revisions alone tell. Behind an answer stands a quorum (a read, a transaction, a
// granted lease) or one member, which may lag.
class Allegiance {
 public:
  enum class Verdict { believed, stale, foreign, replaced };

  // `floor`: what the store had shown before it was asked, if a quorum stands behind the answer;
  // 0 = one member alone does.
  Verdict judge(const wire::Header& header, Duration patience, Instant now,
                Revision floor = Revision(0));

 private:
  bool has_lost_its_past(const wire::Header& header, Revision floor);

  std::uint64_t cluster_id_ = 0;
  std::uint64_t raft_term_ = 0;
  Instant believed_at_;
  Revision doubted_below_;  // since an answer had lost its past: who says less than this has too
};

}  // namespace tanist::store
