// SPDX-License-Identifier: Apache-2.0
// gRPC against real etcd, below the machine: calls, streams, deadlines, TLS, and the end of it all.
#include "store/etcd3_transport.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>

#include "store/etcd3_trouble.h"
#include "store/test_etcd.h"

namespace tanist::store {

namespace {

using test::TestEtcd;

// A transport and its loop; the test runs the loop while it waits.
class Wire {
 public:
  explicit Wire(StoreSettings settings)
      : transport_(std::in_place, std::move(settings), loop_.get_executor(),
                   [this](Input input) { take(std::move(input)); }) {}

  RpcId send(const std::string& endpoint, wire::Request request, Duration limit = seconds(5)) {
    const RpcId id(++last_id_);
    const auto now = os::now();
    transport_->send({id, endpoint, std::move(request), now + limit, {}}, now);
    return id;
  }
  wire::RpcResult ask(const std::string& endpoint, wire::Request request,
                      Duration limit = seconds(5)) {
    const auto id = send(endpoint, std::move(request), limit);
    EXPECT_TRUE(run_until([&] { return answers.contains(id); })) << "no answer";
    return answers[id];
  }
  // Everything below /demo/.
  RpcId open(const std::string& endpoint) {
    const RpcId id(++last_id_);
    transport_->open({id, endpoint, {"/demo/", "/demo0", {}}, {}}, os::now());
    return id;
  }
  bool run_until(const std::function<bool()>& condition, Duration limit = seconds(15)) {
    const auto end = os::now() + limit;
    while (!condition()) {
      if (os::now() >= end) return false;
      loop_.run_one_for(milliseconds(20));
    }
    return true;
  }
  void run_for(Duration time) {
    run_until([end = os::now() + time] { return os::now() >= end; });
  }

  Etcd3Transport& transport() { return *transport_; }
  void destroy() { transport_.reset(); }

  std::map<RpcId, wire::RpcResult> answers;
  std::map<RpcId, std::vector<wire::WatchMessage>> messages;
  std::map<RpcId, wire::RpcError> ended;

 private:
  void take(Input input) {
    if (auto* answer = std::get_if<RpcAnswered>(&input)) {
      EXPECT_FALSE(answers.contains(answer->id)) << "answered twice";
      answers[answer->id] = std::move(answer->result);
    } else if (auto* said = std::get_if<WatchSaid>(&input)) {
      EXPECT_FALSE(ended.contains(said->stream)) << "said after the end";
      messages[said->stream].push_back(std::move(said->message));
    } else if (auto* end = std::get_if<WatchEnded>(&input)) {
      EXPECT_FALSE(ended.contains(end->stream)) << "ended twice";
      ended[end->stream] = end->error;
    }
  }

  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(loop_);
  std::uint64_t last_id_ = 0;
  std::optional<Etcd3Transport> transport_;
};

std::string endpoint_of(const TestEtcd& etcd, std::size_t node = 0) {
  return etcd.address(node) + ":2379";
}

wire::TxnRequest put_request(const std::string& key, const std::string& value) {
  return {{}, {{wire::PutRequest{key, value, {}}}}, {}};
}

TEST(Etcd3Transport, CarriesEveryKindOfRequest) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  const auto endpoint = endpoint_of(etcd);
  const auto granted = wire.ask(endpoint, wire::GrantRequest{10});
  ASSERT_TRUE(granted) << granted.error().message;
  const auto lease = std::get<wire::GrantAnswer>(*granted).lease;
  const auto kept = wire.ask(endpoint, wire::KeepAliveRequest{lease});
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(std::get<wire::KeepAliveAnswer>(*kept).ttl_seconds, 10);
  EXPECT_GT(std::get<wire::KeepAliveAnswer>(*kept).header.raft_term, 0U);
  EXPECT_TRUE(wire.ask(endpoint, put_request("/k", "v")));
  const auto range = wire.ask(endpoint, wire::RangeRequest{"/k", {}});
  ASSERT_TRUE(range);
  EXPECT_EQ(std::get<wire::RangeAnswer>(*range).kvs.at(0).value, "v");
  EXPECT_TRUE(wire.ask(endpoint, wire::TimeToLiveRequest{lease}));
  EXPECT_TRUE(wire.ask(endpoint, wire::RevokeRequest{lease}));
  const auto gone = wire.ask(endpoint, wire::TimeToLiveRequest{lease});
  ASSERT_TRUE(gone);
  EXPECT_EQ(std::get<wire::TimeToLiveAnswer>(*gone).granted_seconds, 0);
  const auto dead = wire.ask(endpoint, wire::KeepAliveRequest{lease});
  ASSERT_TRUE(dead);
  EXPECT_LE(std::get<wire::KeepAliveAnswer>(*dead).ttl_seconds, 0);
  const auto members = wire.ask(endpoint, wire::MemberListRequest{});
  ASSERT_TRUE(members);
  EXPECT_EQ(std::get<wire::MemberListAnswer>(*members).members.at(0).client_urls.at(0),
            etcd.url(0));
  const auto status = wire.ask(endpoint, wire::StatusRequest{});
  ASSERT_TRUE(status);
  EXPECT_TRUE(std::get<wire::StatusAnswer>(*status).version.starts_with("3."));
  const auto login = wire.ask(endpoint, wire::AuthenticateRequest{"u", Secret("p")});
  ASSERT_FALSE(login);
  EXPECT_EQ(sort_out(login.error()), Trouble::auth_off);
}

TEST(Etcd3Transport, EtcdsErrorsKeepTheirCodeAndText) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  const auto result = wire.ask(endpoint_of(etcd), wire::RevokeRequest{LeaseId(4711)});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, wire::Code::not_found);
  EXPECT_EQ(sort_out(result.error()), Trouble::lease_gone);
}

TEST(Etcd3Transport, AnUnreachableEndpointFailsAsNeverSent) {
  StoreSettings settings;
  Wire wire(settings);
  const auto result = wire.ask("127.64.250.250:2379", wire::RangeRequest{"/k", {}});
  ASSERT_FALSE(result);
  EXPECT_EQ(sort_out(result.error()), Trouble::unconnected) << result.error().message;
  EXPECT_NE(result.error().message.find("refused"), std::string::npos) << result.error().message;
}

TEST(Etcd3Transport, ANameThatCannotBeResolvedFailsAsNeverSent) {
  Wire wire(StoreSettings{});
  const auto result = wire.ask("no-such-host.invalid:2379", wire::RangeRequest{"/k", {}});
  ASSERT_FALSE(result);
  EXPECT_EQ(sort_out(result.error()), Trouble::unconnected) << result.error().message;
}

TEST(Etcd3Transport, AStoppedServerIsAnsweredByTheDeadline) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  ASSERT_TRUE(wire.ask(endpoint_of(etcd), wire::StatusRequest{}));
  etcd.signal(0, SIGSTOP);
  const auto started_at = os::now();
  const auto result = wire.ask(endpoint_of(etcd), wire::RangeRequest{"/k", {}}, milliseconds(300));
  etcd.signal(0, SIGCONT);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, wire::Code::deadline_exceeded);
  EXPECT_GE(os::now() - started_at, milliseconds(300));
  EXPECT_LT(os::now() - started_at, seconds(3));
}

TEST(Etcd3Transport, ACancelledCallIsNeverAnswered) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  ASSERT_TRUE(wire.ask(endpoint_of(etcd), wire::StatusRequest{}));
  etcd.signal(0, SIGSTOP);
  const auto id = wire.send(endpoint_of(etcd), wire::RangeRequest{"/k", {}});
  wire.transport().cancel(id);
  wire.run_for(milliseconds(200));
  etcd.signal(0, SIGCONT);
  EXPECT_FALSE(wire.answers.contains(id));
}

TEST(Etcd3Transport, AWatchShowsEventsAndProgressUntilItIsClosed) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  const auto stream = wire.open(endpoint_of(etcd));
  ASSERT_TRUE(wire.run_until([&] { return !wire.messages[stream].empty(); }));
  EXPECT_TRUE(wire.messages[stream][0].created);
  ASSERT_TRUE(wire.ask(endpoint_of(etcd), put_request("/demo/k", "v")));
  ASSERT_TRUE(wire.run_until([&] { return wire.messages[stream].size() > 1; }));
  EXPECT_EQ(wire.messages[stream][1].events.at(0).kv.value, "v");
  ASSERT_TRUE(wire.ask(endpoint_of(etcd), put_request("/other", "v")));
  wire.transport().ask_progress(stream);
  ASSERT_TRUE(wire.run_until([&] { return wire.messages[stream].size() > 2; }));
  EXPECT_TRUE(wire.messages[stream][2].events.empty());
  EXPECT_GT(wire.messages[stream][2].header.revision, wire.messages[stream][1].header.revision);
  wire.transport().close(stream);
  wire.run_for(milliseconds(200));
  EXPECT_FALSE(wire.ended.contains(stream));
}

TEST(Etcd3Transport, AProgressRequestBeforeTheStreamStandsIsNotLost) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  const auto stream = wire.open(endpoint_of(etcd));
  wire.transport().ask_progress(stream);
  wire.transport().ask_progress(stream);
  EXPECT_TRUE(wire.run_until([&] { return wire.messages[stream].size() > 1; }));
}

TEST(Etcd3Transport, AWatchEndsOnceWhenItsServerDies) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  const auto stream = wire.open(endpoint_of(etcd));
  ASSERT_TRUE(wire.run_until([&] { return !wire.messages[stream].empty(); }));
  etcd.kill(0);
  EXPECT_TRUE(wire.run_until([&] { return wire.ended.contains(stream); }));
  wire.run_for(milliseconds(200));
}

TEST(Etcd3Transport, AWatchAtAnUnreachableEndpointEnds) {
  Wire wire(StoreSettings{});
  const auto stream = wire.open("127.64.250.250:2379");
  ASSERT_TRUE(wire.run_until([&] { return wire.ended.contains(stream); }));
  EXPECT_EQ(sort_out(wire.ended[stream]), Trouble::unconnected);
}

TEST(Etcd3Transport, EndsQuicklyInTheMiddleOfEverything) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  ASSERT_TRUE(wire.ask(endpoint_of(etcd), wire::StatusRequest{}));
  etcd.signal(0, SIGSTOP);
  wire.open(endpoint_of(etcd));
  wire.open("127.64.250.250:2379");
  for (int i = 0; i < 100; ++i) {
    wire.send(endpoint_of(etcd), wire::RangeRequest{"/k", {}}, seconds(60));
    wire.send("no-such-host.invalid:2379", wire::RangeRequest{"/k", {}}, seconds(60));
  }
  const auto started_at = os::now();
  wire.destroy();
  EXPECT_LT(os::now() - started_at, seconds(2));
  etcd.signal(0, SIGCONT);
  wire.run_for(milliseconds(50));
  EXPECT_EQ(wire.answers.size(), 1U);
}

TEST(Etcd3Transport, ConnectionsToForgottenEndpointsAreRebuiltOnDemand) {
  TestEtcd etcd;
  Wire wire(etcd.settings());
  ASSERT_TRUE(wire.ask(endpoint_of(etcd), wire::StatusRequest{}));
  wire.transport().use({});
  EXPECT_TRUE(wire.ask(endpoint_of(etcd), wire::StatusRequest{}));
}

// ---- TLS -------------------------------------------------------------------------------------

TEST(Etcd3TransportTls, SpeaksWithClientCertificates) {
  TestEtcd etcd({.nodes = 1, .tls = true, .more_flags = {}});
  Wire wire(etcd.settings());
  const auto status = wire.ask(endpoint_of(etcd), wire::StatusRequest{});
  EXPECT_TRUE(status) << status.error().message;
}

TEST(Etcd3TransportTls, AWrongAuthorityIsAClearError) {
  TestEtcd etcd({.nodes = 1, .tls = true, .more_flags = {}});
  auto settings = etcd.settings();
  settings.ca_file = etcd.file("other_ca.pem");
  Wire wire(settings);
  const auto status = wire.ask(endpoint_of(etcd), wire::StatusRequest{});
  ASSERT_FALSE(status);
  EXPECT_EQ(sort_out(status.error()), Trouble::unconnected);
  EXPECT_NE(status.error().message.find("certificate verify failed"), std::string::npos)
      << status.error().message;
}

TEST(Etcd3TransportTls, AMissingFileIsNamed) {
  TestEtcd etcd({.nodes = 1, .tls = true, .more_flags = {}});
  auto settings = etcd.settings();
  settings.cert_file = etcd.file("nowhere.pem");
  Wire wire(settings);
  const auto status = wire.ask(endpoint_of(etcd), wire::StatusRequest{});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("nowhere.pem"), std::string::npos);
  const auto stream = wire.open(endpoint_of(etcd));
  EXPECT_TRUE(wire.run_until([&] { return wire.ended.contains(stream); }));
}

TEST(Etcd3TransportTls, FilesThatBecomeGoodAreFound) {
  TestEtcd etcd({.nodes = 1, .tls = true, .more_flags = {}});
  auto settings = etcd.settings();
  settings.ca_file = etcd.file("mine.pem");
  std::filesystem::copy_file(etcd.file("other_ca.pem"), settings.ca_file);
  Wire wire(settings);
  EXPECT_FALSE(wire.ask(endpoint_of(etcd), wire::StatusRequest{}));
  std::filesystem::copy_file(etcd.file("ca.pem"), settings.ca_file,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(wire.run_until(
      [&] { return wire.ask(endpoint_of(etcd), wire::StatusRequest{}).has_value(); }));
}

// A certificate that was replaced before its key, or has expired, costs no connection that stands.
TEST(Etcd3TransportTls, FilesThatBecomeBadEndNoConnection) {
  TestEtcd etcd({.nodes = 1, .tls = true, .more_flags = {}});
  auto settings = etcd.settings();
  settings.cert_file = etcd.file("mine.pem");
  std::filesystem::copy_file(etcd.file("client.pem"), settings.cert_file);
  Wire wire(settings);
  ASSERT_TRUE(wire.ask(endpoint_of(etcd), wire::StatusRequest{}));
  std::filesystem::copy_file(etcd.file("server.pem"), settings.cert_file,
                             std::filesystem::copy_options::overwrite_existing);
  const std::string nobody = "127.0.0.1:1";  // whose failure makes the files be read again
  for (int i = 0; i < 15; ++i) {
    EXPECT_FALSE(wire.ask(nobody, wire::StatusRequest{}));
    EXPECT_TRUE(wire.ask(endpoint_of(etcd), wire::StatusRequest{})) << i;
    wire.run_for(milliseconds(100));
  }
}

}  // namespace

}  // namespace tanist::store
