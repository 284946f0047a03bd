// SPDX-License-Identifier: Apache-2.0
// The simulator's etcd and the real one, through the same scripts: what they say has to be the same
// line by line.
#include <gtest/gtest.h>

#include <functional>

#include "etcd_subject.h"

namespace tanist::conformance {
namespace {

using Target = wire::Compare::Target;

void expect_same(const std::function<void(EtcdScript&)>& script, int members = 1) {
  const auto told_by = [&](const std::unique_ptr<EtcdSubject>& subject) {
    EtcdScript told(*subject);
    script(told);
    return told.transcript();
  };
  const auto real = told_by(real_etcd(members));
  const auto modelled = told_by(modelled_etcd(members));
  EXPECT_NE(real, "");
  EXPECT_EQ(real, modelled) << "the first is what the real one said";
}

wire::Operation put(const std::string& key, const std::string& value, LeaseId lease = LeaseId()) {
  return {wire::PutRequest{key, value, lease}};
}
wire::Operation read(const std::string& key, const std::string& end = {}) {
  return {wire::RangeRequest{key, end}};
}
wire::Operation erase(const std::string& key, const std::string& end = {}) {
  return {wire::DeleteRequest{key, end}};
}
wire::Compare has(Target target, const std::string& key, std::int64_t number) {
  return {target, key, number, {}};
}
wire::TxnRequest txn(std::vector<wire::Compare> compare, std::vector<wire::Operation> success,
                     std::vector<wire::Operation> failure = {}) {
  return {std::move(compare), std::move(success), std::move(failure)};
}
wire::TxnRequest just(std::vector<wire::Operation> operations) {
  return txn({}, std::move(operations));
}

// ---- Transactions ----------------------------------------------------------------------------

TEST(EtcdConformance, TransactionsCompareAndWrite) {
  expect_same([](EtcdScript& s) {
    const auto lease = s.grant("grant", 60);
    const auto absent = [](const auto* key) { return has(Target::create_revision, key, 0); };
    s.ask("take a free key", txn({absent("/k")}, {put("/k", "a", lease)}, {read("/k")}));
    s.ask("take it again", txn({absent("/k")}, {put("/k", "b")}, {read("/k")}));
    s.ask("no branch", txn({absent("/k")}, {put("/k", "b")}));
    s.ask("two keys at once", just({put("/k", "c", lease), put("/l", "d"), read("/k")}));
    const auto changed = s.now();
    s.ask("by its revision",
          txn({has(Target::mod_revision, "/k", changed.value())}, {put("/k", "e", lease)}));
    s.ask("by an old one",
          txn({has(Target::mod_revision, "/k", changed.value())}, {put("/k", "f")}, {read("/k")}));
    s.ask("by its lease", txn({has(Target::lease, "/k", lease.value())}, {read("/k")}));
    s.ask("by another lease", txn({has(Target::lease, "/k", 17)}, {}, {read("/k")}));
    s.ask("by its value", txn({{Target::value, "/k", 0, "e"}}, {read("/k")}));
    s.ask("by another value", txn({{Target::value, "/k", 0, "x"}}, {}, {read("/k")}));
    s.ask("by the value of none", txn({{Target::value, "/none", 0, ""}}, {read("/k")}));
    s.ask("by its version", txn({has(Target::version, "/k", 0)}, {}, {read("/l")}));
    s.ask("the version of none", txn({has(Target::version, "/none", 0)}, {read("/l")}));
    s.ask("all must hold", txn({has(Target::version, "/none", 0), absent("/k")}, {put("/m", "")}));
    s.ask("reads alone", just({read("/", "0"), read("/none")}));
    s.ask("what is there", wire::RangeRequest{"/", "0"});
  });
}

TEST(EtcdConformance, DeletionsSayWhatTheyFound) {
  expect_same([](EtcdScript& s) {
    s.ask("three keys", just({put("/a/1", "x"), put("/a/2", "y"), put("/b", "z")}));
    s.ask("one", just({erase("/a/1")}));
    s.ask("none", just({erase("/a/1")}));
    s.ask("after it", wire::RangeRequest{"/", "0"});
    s.ask("anew", just({put("/a/1", "again")}));
    s.ask("a range", just({erase("/a/", "/a0"), read("/", "0")}));
    s.ask("with a put", just({erase("/b"), put("/c", "v")}));
    s.ask("in the end", wire::RangeRequest{"/", "0"});
  });
}

TEST(EtcdConformance, ErrorsHaveTheirCodes) {
  expect_same([](EtcdScript& s) {
    s.ask("put with no such lease", just({put("/k", "v", LeaseId(4711))}));
    s.ask("nothing was written", wire::RangeRequest{"/k", {}});
    s.ask("revoke no such lease", wire::RevokeRequest{LeaseId(4711)});
    s.ask("keep no such lease", wire::KeepAliveRequest{LeaseId(4711)});
    s.ask("ask for no such lease", wire::TimeToLiveRequest{LeaseId(4711)});
    s.ask("authenticate", wire::AuthenticateRequest{"root", Secret("root")});
  });
}

// ---- Leases ----------------------------------------------------------------------------------

TEST(EtcdConformance, LeasesAreKeptAndRevoked) {
  expect_same([](EtcdScript& s) {
    const auto small = s.grant("less than the smallest", 1);
    const auto lease = s.grant("grant", 10);
    s.ask("keep the small one", wire::KeepAliveRequest{small});
    s.ask("keep", wire::KeepAliveRequest{lease});
    s.ask("left", wire::TimeToLiveRequest{lease});
    const auto watch = s.subject().open({"/", "0", {}});
    s.hear("watching", watch);
    s.ask("keys on it", just({put("/k", "a", lease), put("/l", "b", lease), put("/m", "c")}));
    s.ask("one leaves it", just({put("/l", "b")}));
    s.ask("one moves", just({put("/m", "c", lease)}));
    s.ask("revoke", wire::RevokeRequest{lease});
    s.hear("events", watch);
    s.ask("left over", wire::RangeRequest{"/", "0"});
    s.ask("keep it afterwards", wire::KeepAliveRequest{lease});
    s.ask("left afterwards", wire::TimeToLiveRequest{lease});
    s.ask("revoke it twice", wire::RevokeRequest{lease});
  });
}

// The keys are there at least until the lease's end, and gone some seconds later.
TEST(EtcdConformance, AnExpiredLeaseTakesItsKeysAlong) {
  expect_same([](EtcdScript& s) {
    const auto lease = s.grant("grant", 4);
    const auto watch = s.subject().open({"/", "0", {}});
    s.hear("watching", watch);
    s.ask("keys", just({put("/k", "a", lease), put("/l", "b", lease), put("/m", "c")}));
    s.hear("put", watch);
    s.subject().pass(milliseconds(1500));
    s.ask("kept once", wire::KeepAliveRequest{lease});
    s.subject().pass(milliseconds(2500));
    s.ask("still there", wire::RangeRequest{"/k", {}});
    s.subject().pass(seconds(4));
    s.hear("expired", watch);
    s.ask("gone", wire::RangeRequest{"/", "0"});
    s.ask("keep it afterwards", wire::KeepAliveRequest{lease});
  });
}

// A new leader does not know how much of a lease was left, and begins anew.
TEST(EtcdConformance, AnElectionRestoresLeases) {
  expect_same(
      [](EtcdScript& s) {
        const auto lease = s.grant("grant", 20);
        s.ask("key", just({put("/k", "a", lease)}));
        s.subject().pass(seconds(3));
        s.subject().lose_leader();
        const auto left = s.subject().ask(wire::TimeToLiveRequest{lease});
        const auto ttl = left ? std::get<wire::TimeToLiveAnswer>(*left).ttl_seconds : -1;
        s.say(ttl >= 18 && ttl <= 21 ? "the lease begins anew" : "left: " + std::to_string(ttl));
        s.ask("key", wire::RangeRequest{"/k", {}});
      },
      3);
}

// ---- Watches ---------------------------------------------------------------------------------

TEST(EtcdConformance, WatchesTellEachRevisionOnceAndInOrder) {
  expect_same([](EtcdScript& s) {
    s.ask("before", just({put("/k", "0")}));
    const auto live = s.subject().open({"/", "0", {}});
    s.hear("live", live);
    s.ask("1", just({put("/k", "1"), put("/l", "1")}));
    s.ask("2", just({put("/k", "2")}));
    s.ask("3", just({erase("/k"), put("/other", "3")}));
    s.hear("live", live);
    const auto past = s.subject().open({"/", "0", s.revision(2)});
    s.hear("from the past", past);
    const auto narrow = s.subject().open({"/k", {}, s.revision(1)});
    s.hear("one key", narrow);
    const auto next = s.subject().open({"/", "0", s.revision(5)});
    const auto future = s.subject().open({"/", "0", s.revision(7)});
    s.hear("from the next revision", next);
    s.hear("from the future", future);
    for (const auto* value : {"5", "6", "7"}) s.ask(value, just({put("/k", value)}));
    s.hear("from the next revision", next);
    s.hear("from the future", future);
    s.subject().close(next);
    s.ask("8", just({put("/k", "8")}));
    s.hear("after it was closed", next);
    s.hear("another", live);
  });
}

TEST(EtcdConformance, ProgressTellsHowFarAWatchHasCome) {
  expect_same([](EtcdScript& s) {
    const auto watch = s.subject().open({"/here/", "/here0", {}});
    s.hear("watching", watch);
    s.ask("elsewhere", just({put("/there", "1")}));
    s.ask("elsewhere", just({put("/there", "2")}));
    s.hear("nothing", watch);
    s.subject().ask_progress(watch);
    s.hear("progress", watch);
  });
}

TEST(EtcdConformance, CompactedRevisionsCannotBeWatched) {
  expect_same([](EtcdScript& s) {
    for (const auto* value : {"1", "2", "3"}) s.ask(value, just({put("/k", value)}));
    s.subject().compact();
    s.ask("4", just({put("/k", "4")}));
    const auto before = s.subject().open({"/", "0", s.revision(2)});
    s.hear("from before it", before);
    const auto at = s.subject().open({"/", "0", s.revision(3)});
    s.hear("from the compacted revision", at);
    const auto after = s.subject().open({"/", "0", s.revision(4)});
    s.hear("from after it", after);
    s.ask("reading goes on", wire::RangeRequest{"/k", {}});
  });
}

}  // namespace
}  // namespace tanist::conformance
