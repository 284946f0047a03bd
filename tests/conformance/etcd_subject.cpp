// SPDX-License-Identifier: Apache-2.0
// The real etcd through our transport, and the simulator's.
#include "etcd_subject.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "sim/etcd_stream.h"
#include "store/etcd3_transport.h"
#include "store/test_etcd.h"

namespace tanist::conformance {

namespace {

constexpr Duration patience = seconds(10);

class RealEtcd final : public EtcdSubject {
 public:
  explicit RealEtcd(int members)
      : etcd_({.nodes = members, .token_ttl = {}, .more_flags = {}}),
        transport_(std::in_place, etcd_.settings(), loop_.get_executor(),
                   [this](store::Input input) { take(std::move(input)); }) {}

  wire::RpcResult ask(wire::Request request) override {
    const store::RpcId id(++last_id_);
    const auto now = os::now();
    transport_->send({id, endpoint(), std::move(request), now + patience, {}}, now);
    run_until([&] { return answers_.contains(id); }, patience + seconds(5));
    return answers_.at(id);
  }
  int open(wire::WatchRequest request) override {
    const store::RpcId id(++last_id_);
    transport_->open({id, endpoint(), std::move(request), {}}, os::now());
    return static_cast<int>(id.value());
  }
  void ask_progress(int watch) override { transport_->ask_progress(id_of(watch)); }
  void close(int watch) override { transport_->close(id_of(watch)); }
  std::vector<wire::WatchMessage> heard(int watch, Duration time) override {
    pass(time);
    return std::exchange(messages_[id_of(watch)], {});
  }
  void pass(Duration time) override {
    run_until([end = os::now() + time] { return os::now() >= end; }, time + seconds(5));
  }
  void compact() override {
    const auto read = ask(wire::RangeRequest{"/none", {}});
    const auto revision = std::get<wire::RangeAnswer>(read.value()).header.revision;
    etcd_.must({"compaction", std::to_string(revision.value())});
  }
  // Whoever leads: the members are ended one after the other until the term changes.
  void lose_leader() override {
    const auto before = term();
    for (std::size_t victim = 0; victim < 2; ++victim) {
      etcd_.kill(victim);
      asked_ = victim + 1;
      store::test::demand(run_until([&] { return term() > 0; }, seconds(20)), etcd_.log());
      if (term() != before) return;
      etcd_.start(victim);
      pass(seconds(1));
    }
    etcd_.kill(2);
    asked_ = 0;
    store::test::demand(run_until([&] { return term() > before; }, seconds(20)), etcd_.log());
  }

 private:
  static store::RpcId id_of(int watch) { return store::RpcId(static_cast<std::uint64_t>(watch)); }
  std::string endpoint() const { return etcd_.address(asked_) + ":2379"; }
  std::uint64_t term() {
    const auto read = ask(wire::RangeRequest{"/none", {}});
    return read ? std::get<wire::RangeAnswer>(*read).header.raft_term : 0;
  }
  bool run_until(const std::function<bool()>& condition, Duration limit) {
    const auto end = os::now() + limit;
    while (!condition()) {
      if (os::now() >= end) return false;
      loop_.run_one_for(milliseconds(10));
    }
    return true;
  }
  void take(store::Input input) {
    if (auto* answer = std::get_if<store::RpcAnswered>(&input)) {
      answers_[answer->id] = std::move(answer->result);
    } else if (auto* said = std::get_if<store::WatchSaid>(&input)) {
      messages_[said->stream].push_back(std::move(said->message));
    }
  }

  store::test::TestEtcd etcd_;
  std::size_t asked_ = 0;
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  std::uint64_t last_id_ = 0;
  std::map<store::RpcId, wire::RpcResult> answers_;
  std::map<store::RpcId, std::vector<wire::WatchMessage>> messages_;
  std::optional<store::Etcd3Transport> transport_;
};

class ModelledEtcd final : public EtcdSubject {
 public:
  explicit ModelledEtcd(int members)
      : world_(1, false), network_(world_, members + 1), etcd_(world_, network_, members, 1) {}

  wire::RpcResult ask(wire::Request request) override {
    std::optional<wire::RpcResult> result;
    const store::RpcId id(++last_id_);
    const auto tell = [&result](store::Input input) {
      result = std::get<store::RpcAnswered>(input).result;
    };
    const auto deadline = world_.now() + patience;
    etcd_.send(client, {id, endpoint(), std::move(request), deadline, {}}, deadline, tell);
    while (!result) world_.run_until(world_.now() + milliseconds(1));
    // The deadline's event refers to `result` no more: it was answered.
    return *result;
  }
  int open(wire::WatchRequest request) override {
    const store::RpcId id(++last_id_);
    const auto number = static_cast<int>(id.value());
    const auto tell = [this, number](store::Input input) {
      auto* said = std::get_if<store::WatchSaid>(&input);
      if (said != nullptr) messages_[number].push_back(std::move(said->message));
    };
    streams_[number] = etcd_.open(client, {id, endpoint(), std::move(request), {}}, tell);
    return number;
  }
  void ask_progress(int watch) override { etcd_.ask_progress(streams_.at(watch)); }
  void close(int watch) override { etcd_.close(streams_.at(watch)); }
  std::vector<wire::WatchMessage> heard(int watch, Duration time) override {
    pass(time);
    return std::exchange(messages_[watch], {});
  }
  void pass(Duration time) override { world_.run_until(world_.now() + time); }
  void compact() override { etcd_.compact(); }
  void lose_leader() override {
    const auto before = etcd_.state().header().raft_term;
    const auto victim = etcd_.leader();
    etcd_.take_down(victim);
    asked_ = (victim + 1) % etcd_.count();
    while (etcd_.state().header().raft_term == before) pass(milliseconds(10));
  }

 private:
  static constexpr sim::Host client = 0;
  std::string endpoint() const { return "e" + std::to_string(asked_ + 1) + ":2379"; }

  sim::World world_;
  sim::Network network_;
  sim::EtcdMembers etcd_;
  int asked_ = 0;
  std::uint64_t last_id_ = 0;
  std::map<int, sim::EtcdMembers::StreamPtr> streams_;
  std::map<int, std::vector<wire::WatchMessage>> messages_;
};

}  // namespace

std::unique_ptr<EtcdSubject> real_etcd(int members) { return std::make_unique<RealEtcd>(members); }
std::unique_ptr<EtcdSubject> modelled_etcd(int members) {
  return std::make_unique<ModelledEtcd>(members);
}

}  // namespace tanist::conformance
