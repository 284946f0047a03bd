// SPDX-License-Identifier: Apache-2.0
// For conformance tests: an etcd that a script talks to, real or modelled, and the transcript of
// what it said. In it revisions count from the beginning of the script, and leases are named in
// the order in which they were granted, so that two transcripts can be compared.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/time.h"
#include "store/etcd3_wire.h"

namespace tanist::conformance {

namespace wire = store::wire;

class EtcdSubject {
 public:
  virtual ~EtcdSubject() = default;

  virtual wire::RpcResult ask(wire::Request request) = 0;
  // Number of the watch.
  virtual int open(wire::WatchRequest request) = 0;
  virtual void ask_progress(int watch) = 0;
  virtual void close(int watch) = 0;
  // What it said so far, after `time` has passed.
  virtual std::vector<wire::WatchMessage> heard(int watch, Duration time) = 0;
  virtual void pass(Duration time) = 0;
  // Forgets what was before the present revision, as an operator would have it.
  virtual void compact() = 0;
  // Its leader dies; returns when another one leads.
  virtual void lose_leader() = 0;
};

std::unique_ptr<EtcdSubject> real_etcd(int members);
std::unique_ptr<EtcdSubject> modelled_etcd(int members);

// Asks, and writes down what was answered.
class EtcdScript {
 public:
  explicit EtcdScript(EtcdSubject& subject);

  // Each adds a line that begins with `what`.
  wire::RpcResult ask(const std::string& what, wire::Request request);
  LeaseId grant(const std::string& what, std::int64_t ttl);
  void hear(const std::string& what, int watch, Duration time = milliseconds(500));
  void say(std::string line) { lines_.push_back(std::move(line)); }

  // `offset` revisions after the beginning.
  Revision revision(std::int64_t offset) const { return Revision(base_ + offset); }
  // The store's revision now.
  Revision now();
  EtcdSubject& subject() { return subject_; }
  // All lines.
  std::string transcript() const { return format_text("{}\n", fmt::join(lines_, "\n")); }

 private:
  std::string text(Revision revision) const;
  std::string text(LeaseId lease) const;
  std::string text(const wire::KeyValue& kv) const;
  std::string text(const wire::RangeAnswer& answer) const;
  std::string text(const wire::TxnAnswer& answer) const;
  std::string text(const wire::Answer& answer) const;
  std::string text(const wire::RpcResult& result) const;

  EtcdSubject& subject_;
  std::int64_t base_ = 0;
  std::map<LeaseId, std::string> leases_;
  std::vector<std::string> lines_;
};

}  // namespace tanist::conformance
