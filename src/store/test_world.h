// SPDX-License-Identifier: Apache-2.0
// For tests only: a tiny etcd, and a world in which the machine talks to it through endpoints that
// may fall silent, refuse, lag or lose answers. Virtual time: an answer takes two milliseconds.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "store/etcd3_machine.h"

namespace tanist {

inline void PrintTo(StoreVerdict verdict, std::ostream* out) { *out << name_of(verdict); }

}  // namespace tanist

namespace tanist::store::test {

// Keys, leases, transactions. One for all endpoints, as if etcd's members always agreed.
class TinyEtcd {
 public:
  std::map<std::string, wire::KeyValue> keys;
  Revision revision{100};
  std::uint64_t term = 7;
  std::uint64_t cluster_id = 1;
  bool no_space = false;
  std::int64_t ttl_min = 2;  // ceil(1.5 election timeouts)
  std::string version = "3.5.25";
  std::vector<wire::Member> members;

  wire::RpcResult perform(const wire::Request& request, Instant now) {
    return std::visit([&](const auto& each) { return answer(each, now); }, request);
  }

  // As another client would do it.
  void put(const std::string& key, const std::string& value, LeaseId lease = LeaseId()) {
    revision = Revision(revision.value() + 1);
    change(wire::PutRequest{key, value, lease});
  }
  void erase(const std::string& key) {
    revision = Revision(revision.value() + 1);
    change(wire::DeleteRequest{key, {}});
  }
  LeaseId grant(seconds ttl) {
    const LeaseId id(++last_lease_);
    leases_[id] = {ttl.count()};
    return id;
  }
  // The lease and all keys on it are gone, in one revision.
  void revoke(LeaseId lease) {
    leases_.erase(lease);
    std::vector<std::string> doomed;
    for (const auto& [key, kv] : keys) {
      if (kv.lease == lease) doomed.push_back(key);
    }
    if (!doomed.empty()) revision = Revision(revision.value() + 1);
    for (const auto& key : doomed) change(wire::DeleteRequest{key, {}});
  }
  // As `etcdctl snapshot restore` does it: terms and revisions begin anew.
  void restore_from_an_empty_backup() {
    lose_all_data();
    term = 2;
  }
  // All members begin with empty folders: the cluster id is the same, and the term may be, too.
  void lose_all_data() {
    keys.clear();
    leases_.clear();
    events_.clear();
    revision = Revision(5);
  }
  bool has_lease(LeaseId lease) const { return leases_.contains(lease); }
  // A lease past its time that etcd has not revoked yet.
  void let_run_out(LeaseId lease) { leases_.at(lease).run_out = true; }

  wire::Header header() const { return {cluster_id, 1, revision, term}; }
  const std::vector<wire::WatchEvent>& events() const { return events_; }

 private:
  struct Lease {
    std::int64_t ttl = 0;
    bool run_out = false;
  };

  static tl::unexpected<wire::RpcError> error(wire::Code code, std::string text) {
    return tl::unexpected(wire::RpcError{code, "etcdserver: " + text});
  }

  wire::RpcResult answer(const wire::RangeRequest& request, Instant) { return range(request); }
  wire::RangeAnswer range(const wire::RangeRequest& request) const {
    wire::RangeAnswer out{header(), {}};
    for (const auto& [key, kv] : keys) {
      const bool in = request.range_end.empty() ? key == request.key
                                                : key >= request.key && key < request.range_end;
      if (in) out.kvs.push_back(kv);
    }
    return out;
  }

  bool holds(const wire::Compare& compare) const {
    using Target = wire::Compare::Target;
    const auto at = keys.find(compare.key);
    const bool there = at != keys.end();
    const auto kv = there ? at->second : wire::KeyValue{};
    switch (compare.target) {
      case Target::create_revision: return kv.create_revision.value() == compare.number;
      case Target::mod_revision: return kv.mod_revision.value() == compare.number;
      case Target::lease: return kv.lease.value() == compare.number;
      case Target::value: return there && kv.value == compare.value;
      case Target::version: return false;
    }
    return false;
  }

  wire::RpcResult answer(const wire::TxnRequest& request, Instant) {
    bool good = true;
    for (const auto& compare : request.compare) good = good && holds(compare);
    const auto& branch = good ? request.success : request.failure;
    bool writes = false;
    for (const auto& each : request.success) {
      writes = writes || !std::holds_alternative<wire::RangeRequest>(each.content);
      const auto* put = std::get_if<wire::PutRequest>(&each.content);
      if (put != nullptr && no_space) {
        return error(wire::Code::resource_exhausted, "mvcc: database space exceeded");
      }
    }
    for (const auto& each : branch) {
      const auto* put = std::get_if<wire::PutRequest>(&each.content);
      if (put != nullptr && put->lease != LeaseId() && !has_lease(put->lease)) {
        return error(wire::Code::not_found, "requested lease not found");
      }
    }
    if (good && writes) revision = Revision(revision.value() + 1);
    wire::TxnAnswer out{{}, good, {}};
    for (const auto& each : branch) {
      if (const auto* read = std::get_if<wire::RangeRequest>(&each.content)) {
        out.answers.push_back({range(*read)});
      } else {
        std::visit([&](const auto& operation) { change(operation); }, each.content);
        out.answers.push_back({wire::PutAnswer{}});
      }
    }
    out.header = header();
    return out;
  }

  void change(const wire::PutRequest& put) {
    auto& kv = keys[put.key];
    const auto created = kv.create_revision == Revision(0) ? revision : kv.create_revision;
    kv = {put.key, put.value, created, revision, put.lease};
    events_.push_back({false, kv});
  }
  void change(const wire::DeleteRequest& erased) {
    const auto end = erased.range_end.empty() ? erased.key + '\0' : erased.range_end;
    for (auto at = keys.lower_bound(erased.key); at != keys.end() && at->first < end;) {
      events_.push_back({true, {at->first, {}, {}, revision, {}}});
      at = keys.erase(at);
    }
  }
  void change(const wire::RangeRequest&) {}
  void change(const wire::TxnRequest&) {}

  wire::RpcResult answer(const wire::GrantRequest& request, Instant) {
    if (no_space) return error(wire::Code::resource_exhausted, "mvcc: database space exceeded");
    const auto ttl = std::max(request.ttl_seconds, ttl_min);
    return wire::GrantAnswer{header(), grant(seconds(ttl)), ttl};
  }
  wire::RpcResult answer(const wire::RevokeRequest& request, Instant) {
    revoke(request.lease);
    return wire::RevokeAnswer{header()};
  }
  wire::RpcResult answer(const wire::KeepAliveRequest& request, Instant) {
    const auto at = leases_.find(request.lease);
    const auto ttl = at == leases_.end() ? 0 : at->second.ttl;
    return wire::KeepAliveAnswer{header(), request.lease, ttl};
  }
  wire::RpcResult answer(const wire::TimeToLiveRequest& request, Instant) {
    const auto at = leases_.find(request.lease);
    if (at == leases_.end()) return wire::TimeToLiveAnswer{header(), request.lease, -1, 0};
    const auto left = at->second.run_out ? -1 : at->second.ttl;
    return wire::TimeToLiveAnswer{header(), request.lease, left, at->second.ttl};
  }
  wire::RpcResult answer(const wire::AuthenticateRequest&, Instant) {
    return error(wire::Code::failed_precondition, "authentication is not enabled");
  }
  wire::RpcResult answer(const wire::MemberListRequest&, Instant) {
    return wire::MemberListAnswer{header(), members};
  }
  wire::RpcResult answer(const wire::StatusRequest&, Instant) {
    return wire::StatusAnswer{header(), version, {}, false};
  }

  std::map<LeaseId, Lease> leases_;
  std::int64_t last_lease_ = 1000;
  std::vector<wire::WatchEvent> events_;
};

// What becomes of one request.
struct Fate {
  enum class Kind {
    answered,
    dropped,
    done_but_not_answered,
    failed,
    answered_with
  } kind = Kind::answered;
  wire::RpcError error;
  std::optional<wire::Answer> answer;
  Duration delay = milliseconds(2);

  static Fate dropped() { return {.kind = Kind::dropped}; }
  static Fate lost_answer() { return {.kind = Kind::done_but_not_answered}; }
  static Fate failed(wire::Code code, std::string text) {
    return {.kind = Kind::failed, .error = {code, std::move(text)}};
  }
  static Fate unavailable() { return failed(wire::Code::unavailable, "connection reset"); }
  static Fate answered_with(wire::Answer answer) {
    return {.kind = Kind::answered_with, .answer = std::move(answer)};
  }
  static Fate late(Duration delay) { return {.delay = delay}; }
};

class World {
 public:
  explicit World(std::vector<std::string> hosts = {"e1"}, bool follow = true)
      : World(settings_for(std::move(hosts)), follow) {}
  World(StoreSettings settings, bool follow) : machine_({std::move(settings), 0, follow}) {
    take(machine_.start(now_));
  }

  static StoreSettings settings_for(std::vector<std::string> hosts) {
    StoreSettings settings;
    settings.scope = "demo";
    settings.name = MemberName("n1");
    settings.fixed_endpoints = true;
    for (auto& host : hosts) settings.endpoints.push_back({std::move(host), 2379});
    return settings;
  }

  TinyEtcd etcd;
  // Decides on each request when it is sent; default: all are answered.
  std::function<Fate(const SendRpc&)> fate = [](const SendRpc&) { return Fate{}; };
  // Hosts that neither answer requests nor show events.
  std::set<std::string> silent;

  // ---- acting ----
  EffectId start(std::variant<StoreAction, RemoveCluster> action, Duration limit = seconds(10)) {
    const EffectId id(++last_effect_);
    step(StartAction{id, std::move(action), now_ + limit});
    return id;
  }
  StoreResult perform(StoreAction action, Duration limit = seconds(10)) {
    const auto id = start(std::move(action), limit);
    run_until_finished(id, limit + seconds(1));
    return results[id];
  }
  void step(Input input) { take(machine_.step(std::move(input), now_)); }

  // ---- time ----
  Instant now() const { return now_; }
  void run_for(Duration time) {
    run_to(now_ + time, [] { return false; });
  }
  bool run_until_finished(EffectId id, Duration limit = seconds(30)) {
    return run_to(now_ + limit, [&] { return results.contains(id); });
  }

  // ---- what came of it ----
  std::map<EffectId, StoreResult> results;
  std::map<EffectId, Instant> finished_at;
  std::vector<EffectId> unanswered;
  std::map<EffectId, Instant> unanswered_at;
  std::vector<ClusterViewPtr> views;
  StoreHealth health;
  std::vector<std::string> warnings;
  std::vector<SendRpc> sent;
  std::vector<Instant> sent_at;
  std::vector<OpenWatch> watches;
  std::set<RpcId> cancelled;
  int progress_asked = 0;
  std::vector<std::string> endpoints;  // of the last UseEndpoints

  const ClusterView& view() const { return *views.back(); }
  template <class Request>
  int count(const std::string& host = {}) const {
    int found = 0;
    for (const auto& rpc : sent) {
      const bool there = host.empty() || rpc.endpoint == host + ":2379";
      if (there && std::holds_alternative<Request>(rpc.request)) ++found;
    }
    return found;
  }
  bool warned(const std::string& part) const {
    for (const auto& each : warnings) {
      if (each.find(part) != std::string::npos) return true;
    }
    return false;
  }
  void forget_traffic() {
    sent.clear();
    sent_at.clear();
    watches.clear();
    views.erase(views.begin(), views.end() - (views.empty() ? 0 : 1));
  }

  // ---- the watch ----
  RpcId stream() const { return watch_.stream; }
  void say(wire::WatchMessage message) {
    message.header = etcd.header();
    step(WatchSaid{stream(), std::move(message)});
  }
  void end_watch(std::string text = "connection reset") {
    open_ = false;
    step(WatchEnded{stream(), {wire::Code::unavailable, std::move(text)}});
  }
  bool watch_delivers = true;

  // The lock held by this node, as a successful TakeLock leaves it.
  Reign hold_lock(seconds ttl = seconds(30)) {
    const auto taken = perform(TakeLock{.ttl = ttl});
    demand(taken.verdict == StoreVerdict::done, "the lock was not taken: " + taken.detail);
    run_for(milliseconds(10));
    forget_traffic();
    return *taken.reign;
  }

 private:
  static void demand(bool condition, const std::string& otherwise) {
    if (!condition) throw std::logic_error(otherwise);
  }

  static std::string host_of(const std::string& endpoint) {
    return endpoint.substr(0, endpoint.rfind(':'));
  }

  void later(Duration delay, std::function<void()> what) {
    queue_.emplace(std::pair(now_ + delay, ++last_event_), std::move(what));
  }

  bool run_to(Instant end, const std::function<bool()>& reached) {
    while (!reached()) {
      const auto event = queue_.empty() ? Instant::max() : queue_.begin()->first.first;
      const auto next = std::min(event, wake_at_);
      if (next > end) {
        now_ = end;
        return reached();
      }
      now_ = next;
      if (event <= wake_at_) {
        const auto what = std::move(queue_.begin()->second);
        queue_.erase(queue_.begin());
        what();
      } else {
        step(TimerRang{});
      }
    }
    return true;
  }

  void take(Outputs outputs) {
    wake_at_ = outputs.wake_at;
    for (auto& output : outputs.list) {
      std::visit([&](auto& each) { perform_output(each); }, output);
    }
  }

  bool shows() const { return open_ && !silent.contains(host_of(watch_.endpoint)); }

  void perform_output(const SendRpc& rpc) {
    demand(rpc.deadline > now_, "a request without time");
    sent.push_back(rpc);
    sent_at.push_back(now_);
    const auto what = fate(rpc);
    if (what.kind == Fate::Kind::dropped) return;
    later(what.delay / 2, [this, rpc, what] {
      if (silent.contains(host_of(rpc.endpoint))) return;
      auto result = what.kind == Fate::Kind::failed ? wire::RpcResult(tl::unexpected(what.error))
                    : what.answer                   ? wire::RpcResult(*what.answer)
                                                    : etcd.perform(rpc.request, now_);
      show_events();
      if (what.kind == Fate::Kind::done_but_not_answered) return;
      later(what.delay - what.delay / 2, [this, id = rpc.id, result = std::move(result)] {
        if (!cancelled.contains(id)) step(RpcAnswered{id, result});
      });
    });
  }
  void perform_output(const CancelRpc& rpc) { cancelled.insert(rpc.id); }
  void perform_output(const OpenWatch& watch) {
    watches.push_back(watch);
    watch_ = watch;
    open_ = true;
    shown_ = Revision(watch.request.start_revision.value() - 1);
    later(milliseconds(2), [this, stream = watch.stream] {
      if (stream != this->stream() || !shows()) return;
      say({.created = true});
      show_events();
    });
  }
  void perform_output(const AskProgress& ask) {
    ++progress_asked;
    later(milliseconds(2), [this, stream = ask.stream] {
      if (stream == this->stream() && shows()) say({});
    });
  }
  void perform_output(const CloseWatch& close) {
    if (close.stream == stream()) open_ = false;
  }
  void perform_output(const UseEndpoints& use) { endpoints = use.endpoints; }
  void perform_output(Finished& event) {
    demand(!results.contains(event.id), "an effect was finished twice");
    finished_at[event.id] = now_;
    results[event.id] = std::move(event.result);
  }
  void perform_output(const Unanswered& event) {
    unanswered.push_back(event.id);
    unanswered_at[event.id] = now_;
  }
  void perform_output(const ViewChanged& event) { views.push_back(event.view); }
  void perform_output(const HealthChanged& event) {
    health = event.health;
    warnings.insert(warnings.end(), health.warnings.begin(), health.warnings.end());
  }

 public:
  // What etcd has to show on the open watch; also after etcd.put() and the like.
  void show_events() {
    if (!shows() || !watch_delivers) return;
    wire::WatchMessage message;
    for (const auto& event : etcd.events()) {
      const auto& key = event.kv.key;
      const bool asked_for = key >= watch_.request.key && key < watch_.request.range_end;
      if (asked_for && event.kv.mod_revision > shown_) message.events.push_back(event);
    }
    if (message.events.empty()) return;
    shown_ = message.events.back().kv.mod_revision;
    later(milliseconds(2), [this, stream = stream(), message = std::move(message)] {
      if (stream == this->stream() && shows()) say(message);
    });
  }

 private:
  Etcd3Machine machine_;
  Instant now_{std::chrono::hours(1)};
  Instant wake_at_ = Instant::max();
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t last_event_ = 0;
  std::uint64_t last_effect_ = 0;
  OpenWatch watch_;  // the last one
  bool open_ = false;
  Revision shown_;
};

template <class Request>
bool is(const SendRpc& rpc) {
  return std::holds_alternative<Request>(rpc.request);
}

}  // namespace tanist::store::test
