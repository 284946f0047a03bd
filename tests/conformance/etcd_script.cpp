// SPDX-License-Identifier: Apache-2.0
// Transcripts.
#include "base/format.h"
#include "etcd_subject.h"

namespace tanist::conformance {

EtcdScript::EtcdScript(EtcdSubject& subject) : subject_(subject) { base_ = now().value(); }

Revision EtcdScript::now() {
  const auto read = subject_.ask(wire::RangeRequest{"/none", {}});
  return read ? std::get<wire::RangeAnswer>(*read).header.revision : Revision(0);
}

wire::RpcResult EtcdScript::ask(const std::string& what, wire::Request request) {
  auto result = subject_.ask(std::move(request));
  say(what + ": " + text(result));
  return result;
}

LeaseId EtcdScript::grant(const std::string& what, std::int64_t ttl) {
  const auto result = subject_.ask(wire::GrantRequest{ttl});
  const auto lease = result ? std::get<wire::GrantAnswer>(*result).lease : LeaseId();
  leases_.emplace(lease, format_text("lease {}", leases_.size() + 1));
  say(what + ": " + text(result));
  return lease;
}

// The events count, and which of them belong together; several revisions in one message are the
// same as a message for each.
void EtcdScript::hear(const std::string& what, int watch, Duration time) {
  say(what + ":");
  Revision last;
  for (const auto& message : subject_.heard(watch, time)) {
    if (message.created) say("  created");
    if (message.cancelled) say("  cancelled, compacted to " + text(message.compact_revision));
    for (const auto& event : message.events) {
      const auto revision = event.kv.mod_revision;
      if (revision != last) say("  at " + text(revision));
      last = revision;
      say(event.deleted ? "    deleted " + event.kv.key : "    put " + text(event.kv));
    }
    const bool progress = !message.created && !message.cancelled && message.events.empty();
    if (progress) say("  progress to " + text(message.header.revision));
  }
}

// ---- Texts -----------------------------------------------------------------------------------

std::string EtcdScript::text(Revision revision) const {
  return revision == Revision(0) ? "0" : format_text("+{}", revision.value() - base_);
}

std::string EtcdScript::text(LeaseId lease) const {
  const auto at = leases_.find(lease);
  return at != leases_.end() ? at->second : lease == LeaseId() ? "no lease" : "another lease";
}

std::string EtcdScript::text(const wire::KeyValue& kv) const {
  return format_text("{}={} created {} changed {} {}", kv.key, kv.value, text(kv.create_revision),
                     text(kv.mod_revision), text(kv.lease));
}

std::string EtcdScript::text(const wire::RangeAnswer& answer) const {
  std::string out = "[";
  for (const auto& kv : answer.kvs) out += (out.size() > 1 ? "; " : "") + text(kv);
  return out + "]";
}

std::string EtcdScript::text(const wire::TxnAnswer& answer) const {
  std::string out = answer.succeeded ? "succeeded" : "failed";
  for (const auto& each : answer.answers) {
    if (const auto* range = std::get_if<wire::RangeAnswer>(&each.content)) {
      out += ", read " + text(*range);
    } else if (const auto* deleted = std::get_if<wire::DeleteAnswer>(&each.content)) {
      out += format_text(", deleted {}", deleted->deleted);
    } else {
      out += ", put";
    }
  }
  return out + " at " + text(answer.header.revision);
}

std::string EtcdScript::text(const wire::Answer& answer) const {
  if (const auto* range = std::get_if<wire::RangeAnswer>(&answer)) {
    return text(*range) + " at " + text(range->header.revision);
  }
  if (const auto* txn = std::get_if<wire::TxnAnswer>(&answer)) return text(*txn);
  if (const auto* grant = std::get_if<wire::GrantAnswer>(&answer)) {
    return format_text("{} of {} s at {}", text(grant->lease), grant->ttl_seconds,
                       text(grant->header.revision));
  }
  if (const auto* kept = std::get_if<wire::KeepAliveAnswer>(&answer)) {
    return format_text("{} kept for {} s at {}", text(kept->lease), kept->ttl_seconds,
                       text(kept->header.revision));
  }
  if (const auto* left = std::get_if<wire::TimeToLiveAnswer>(&answer)) {
    return format_text("{} s left of {} s", left->ttl_seconds, left->granted_seconds);
  }
  if (const auto* revoked = std::get_if<wire::RevokeAnswer>(&answer)) {
    return "revoked at " + text(revoked->header.revision);
  }
  return format_text("answer {}", answer.index());
}

std::string EtcdScript::text(const wire::RpcResult& result) const {
  if (result) return text(*result);
  return format_text("error {}: {}", static_cast<int>(result.error().code), result.error().message);
}

}  // namespace tanist::conformance
