// SPDX-License-Identifier: Apache-2.0
// For tests: a node whose server the code under test drives, and what its hooks were told.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "os/run_loop.h"
#include "postgres/server.h"
#include "sql/connection.h"
#include "sql/test_server.h"

namespace tanist::postgres {

// What all nodes of a test share.
struct TestCluster {
  boost::asio::io_context loop;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      loop.get_executor()};
  os::DiskPool pool;
  sql::AddressBook addresses{pool};
  sql::TemporaryFolder folder;
};

// Told by the hooks; outlives the server that tells.
struct Told {
  std::vector<ProcessIdentity> started;
  std::vector<int> exits;
  std::vector<StopProgress> progress;
  std::vector<std::string> copy_progress;
  std::string primary_refused;  // the answer of primary_allowed
  LaunchPrefix prefix;
};

class TestNode {
 public:
  // `number` makes the address: nodes of one cluster have different ones.
  TestNode(TestCluster& all, std::string name, int number) : cluster(all), name_(std::move(name)) {
    address = sql::own_address();
    const auto last = address.rfind('.') + 1;
    address = address.substr(0, last) + std::to_string(128 + number);
    settings = first_settings();
    apply();
  }
  ~TestNode() {
    if (server) perform(FenceServer{});
  }
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  ServerResult perform(ServerAction action) {
    std::optional<ServerResult> result;
    server->start(EffectId(++last_id_), std::move(action),
                  [&](ServerResult given) { result = std::move(given); });
    while (!result) cluster.loop.run_one();
    return std::move(*result);
  }

  // After a change of `settings`.
  void apply() {
    const auto shared = std::make_shared<const ServerSettings>(settings);
    if (server) return server->set_settings(shared);
    ServerHooks hooks;
    hooks.postmaster_started = [t = told](ProcessIdentity who) { t->started.push_back(who); };
    hooks.postmaster_exited = [t = told](ProcessIdentity, int status) {
      t->exits.push_back(status);
    };
    hooks.progress = [t = told](EffectId, const StopProgress& now) { t->progress.push_back(now); };
    hooks.copy_progress = [t = told](std::string now) { t->copy_progress.push_back(now); };
    hooks.primary_allowed = [t = told] { return t->primary_refused; };
    hooks.launch_prefix = [t = told] { return t->prefix; };
    server = std::make_unique<Server>(cluster.loop.get_executor(), cluster.pool, shared,
                                      std::move(hooks));
  }

  ServerFacts observe(ObserveServer wanted = {}) { return *perform(wanted).facts; }

  // Observes until `condition` holds; false after ten seconds.
  template <class Condition>
  bool see(Condition condition, ObserveServer wanted = {}) {
    for (int round = 0; round < 400; ++round) {
      if (condition(observe(wanted))) return true;
      os::run_until_done(cluster.loop, os::pause(os::Limit{}.within(milliseconds{25})));
    }
    return false;
  }

  Upstream as_upstream() const {
    return {.member = MemberName(name_), .host = address, .port = std::to_string(port)};
  }
  static ServerGoal primary() { return {.role = Role::primary}; }
  ServerGoal following(const TestNode& other) const {
    return {.standby = true, .role = Role::replica, .upstream = other.as_upstream()};
  }

  // One statement as superuser over TCP; its first value, or the error.
  std::string query(const std::string& statement, const std::string& user = "postgres") {
    sql::ConnectRequest request;
    request.keywords = {
        {"host", address}, {"port", std::to_string(port)}, {"user", user}, {"dbname", "postgres"}};
    request.password = Secret(user + "-password");
    auto opened = os::run_until_done(
        cluster.loop, sql::Connection::open(&cluster.pool, &cluster.addresses, request, limit()));
    if (!opened) return opened.error().message;
    auto rows = os::run_until_done(cluster.loop, (*opened)->query(statement, {}, limit()));
    if (!rows) return rows.error().message;
    return rows->rows.empty() ? "" : rows->rows[0][0].value_or("");
  }

  bool bootstrap() {
    return perform(InitializeData{}).ok &&
           perform(StartServer{.goal = primary()}).start == StartOutcome::ready &&
           perform(FinishBootstrap{}).ok;
  }

  std::string in_data(const std::string& file) const { return settings.data_dir + "/" + file; }
  std::string folder() const { return cluster.folder / name_; }

  TestCluster& cluster;
  std::string address;
  const std::uint16_t port = sql::free_port();
  ServerSettings settings;
  std::shared_ptr<Told> told = std::make_shared<Told>();
  std::unique_ptr<Server> server;

 private:
  static os::Limit limit() { return os::Limit{}.within(seconds{10}); }

  static Credentials user(const std::string& name) {
    return {.username = name, .password = Secret(name + "-password")};
  }

  ServerSettings first_settings() const {
    std::filesystem::create_directories(folder());
    ServerSettings result;
    result.scope = "demo";
    result.name = MemberName(name_);
    result.data_dir = folder() + "/data";
    result.bin_dir = sql::test_bin_dir;
    result.listen_hosts = {address};
    result.port = port;
    result.pgpass = folder() + "/pgpass";
    result.superuser = user("postgres");
    result.replication = user("replicator");
    result.rewind = user("rewinder");
    result.use_pg_rewind = true;
    result.parameters = {{"wal_level", "replica"},       {"max_connections", "20"},
                         {"max_wal_senders", "5"},       {"wal_log_hints", "on"},
                         {"shared_buffers", "16MB"},     {"fsync", "off"},
                         {"wal_keep_size", "128MB"},     {"unix_socket_directories", folder()},
                         {"max_replication_slots", "5"}, {"max_worker_processes", "4"}};
    result.pg_hba = {"local all all trust", "host all all 127.0.0.0/8 scram-sha-256",
                     "host replication all 127.0.0.0/8 scram-sha-256"};
    // PostgreSQL 13 would make passwords that scram-sha-256 does not accept.
    result.initdb_options = Tree(Tree::List{Tree("no-sync"), Tree::map({{"auth-local", "trust"}}),
                                            Tree::map({{"auth-host", "scram-sha-256"}})});
    result.basebackup_options = Tree(Tree::List{Tree("no-sync"), Tree("checkpoint=fast")});
    result.rewind_options = Tree(Tree::List{Tree("no-sync")});
    return result;
  }

  std::string name_;
  std::uint64_t last_id_ = 0;
};

}  // namespace tanist::postgres
