// SPDX-License-Identifier: Apache-2.0
// For tests only: real etcd servers on a loopback address of this process, in a temporary folder;
// plain, with TLS and client certificates, or with users. Ends what it started, nothing else.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/format.h"
#include "core/settings.h"
#include "os/clock.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): not in every unistd.h

namespace tanist::store::test {

// Ends the test: without this nothing else can be tested.
inline void demand(bool condition, const std::string& otherwise) {
  if (!condition) throw std::runtime_error(otherwise);
}

// Looks every few milliseconds; false when `limit` has passed.
inline bool wait_for(const std::function<bool()>& condition, Duration limit = seconds(20)) {
  const auto end = os::now() + limit;
  while (!condition()) {
    if (os::now() >= end) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = "/tmp/tanist_etcd_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline pid_t spawn(const std::vector<std::string>& arguments, const std::string& log_file) {
  std::vector<char*> argv;
  for (const auto& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, log_file.c_str(), O_CREAT | O_WRONLY | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  return error == 0 ? pid : -1;
}

// Exit status 0?
inline bool run(const std::vector<std::string>& arguments, const std::string& log_file) {
  const auto pid = spawn(arguments, log_file);
  int status = -1;
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

// One that nobody else on this machine uses: the first of 127.64.0.1.. on which both ports of
// etcd can be bound, sought from a place that depends on the process.
inline std::string free_address(int index) {
  static int next = static_cast<int>(getpid()) % 60000;
  for (int attempt = 0; attempt < 1000; ++attempt, ++next) {
    const auto address = format_text("127.{}.{}.{}", 64 + index, next / 250 % 250, next % 250 + 1);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(2379);
    inet_pton(AF_INET, address.c_str(), &where.sin_addr);
    const bool free = bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
    ::close(fd);
    if (free) return address;
  }
  return {};
}

struct EtcdOptions {
  int nodes = 1;
  bool tls = false;                     // and client certificates are demanded
  std::string token_ttl;                // not empty: signed tokens that live so long ("2s")
  std::vector<std::string> more_flags;  // for each node
};

class TestEtcd {
 public:
  explicit TestEtcd(EtcdOptions options = {}) : options_(std::move(options)) {
    for (int i = 0; i < options_.nodes; ++i) nodes_.push_back({free_address(i), -1});
    if (options_.tls) make_certificates();
    if (!options_.token_ttl.empty()) make_token_keys();
    for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
    demand(wait_for([&] { return ctl({"endpoint", "health"}); }, seconds(30)), log());
  }
  ~TestEtcd() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) kill(i);
  }
  TestEtcd(const TestEtcd&) = delete;
  TestEtcd& operator=(const TestEtcd&) = delete;

  StoreSettings settings(std::string name = "n1") const {
    StoreSettings settings;
    settings.scope = "demo";
    settings.name = MemberName(std::move(name));
    for (const auto& node : nodes_) settings.endpoints.push_back({node.address, 2379});
    settings.use_tls = options_.tls;
    if (!options_.tls) return settings;
    settings.ca_file = file("ca.pem");
    settings.cert_file = file("client.pem");
    settings.key_file = file("client.key");
    return settings;
  }

  void start(std::size_t node) {
    nodes_[node].pid = spawn(command(node), file("etcd.log"));
    demand(nodes_[node].pid > 0, "etcd cannot be started");
  }
  // After SIGSTOP, returns when every thread of it has stopped: on a busy machine one may go on for
  // a while.
  void signal(std::size_t node, int number) const {
    ::kill(nodes_[node].pid, number);
    if (number == SIGSTOP) waitpid(nodes_[node].pid, nullptr, WUNTRACED);
  }
  void kill(std::size_t node) {
    if (nodes_[node].pid <= 0) return;
    signal(node, SIGKILL);
    waitpid(nodes_[node].pid, nullptr, 0);
    nodes_[node].pid = -1;
  }

  // Users: root, and `agent` (password `secret`), who may do everything below /service/.
  void enable_users() const {
    must({"user", "add", "root:root"});
    must({"user", "grant-role", "root", "root"});
    must({"role", "add", "agents"});
    must({"role", "grant-permission", "agents", "--prefix=true", "readwrite", "/service/"});
    must({"user", "add", "agent:secret"});
    must({"user", "grant-role", "agent", "agents"});
    must({"auth", "enable"});
  }
  void must(const std::vector<std::string>& arguments) const { demand(ctl(arguments), log()); }

  // Runs etcdctl against all nodes (or those of the given endpoints).
  bool ctl(const std::vector<std::string>& arguments, const std::string& endpoints = {}) const {
    std::vector<std::string> command{"etcdctl", "--dial-timeout=2s", "--command-timeout=5s",
                                     "--endpoints=" + (endpoints.empty() ? urls() : endpoints)};
    if (options_.tls) {
      command.insert(command.end(), {"--cacert=" + file("ca.pem"), "--cert=" + file("client.pem"),
                                     "--key=" + file("client.key")});
    }
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command, file("etcdctl.log"));
  }

  std::string url(std::size_t node) const {
    return (options_.tls ? "https://" : "http://") + nodes_[node].address + ":2379";
  }
  const std::string& address(std::size_t node) const { return nodes_[node].address; }
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  std::string log() const { return read(file("etcd.log")) + read(file("etcdctl.log")); }

 private:
  struct Node {
    std::string address;
    pid_t pid;
  };

  static std::string read(const std::string& path) {
    std::string text;
    if (FILE* in = std::fopen(path.c_str(), "re")) {
      char buffer[4096];
      for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, in)) > 0;) {
        text.append(buffer, n);
      }
      std::fclose(in);
    }
    return text;
  }

  std::string urls() const {
    std::string list;
    for (std::size_t i = 0; i < nodes_.size(); ++i) list += (i > 0 ? "," : "") + url(i);
    return list;
  }

  std::vector<std::string> command(std::size_t node) const {
    std::string cluster;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      cluster += format_text("{}e{}=http://{}:2380", i > 0 ? "," : "", i, nodes_[i].address);
    }
    const auto peer = "http://" + nodes_[node].address + ":2380";
    std::vector<std::string> command{"etcd",
                                     format_text("--name=e{}", node),
                                     format_text("--data-dir={}/data{}", folder_.path(), node),
                                     "--listen-client-urls=" + url(node),
                                     "--advertise-client-urls=" + url(node),
                                     "--listen-peer-urls=" + peer,
                                     "--initial-advertise-peer-urls=" + peer,
                                     "--initial-cluster=" + cluster,
                                     "--log-level=error"};
    if (options_.tls) {
      command.insert(command.end(),
                     {"--cert-file=" + file("server.pem"), "--key-file=" + file("server.key"),
                      "--client-cert-auth", "--trusted-ca-file=" + file("ca.pem")});
    }
    if (!options_.token_ttl.empty()) {
      command.push_back(
          format_text("--auth-token=jwt,pub-key={},priv-key={},sign-method=RS256,ttl={}",
                      file("token.pub"), file("token.key"), options_.token_ttl));
    }
    command.insert(command.end(), options_.more_flags.begin(), options_.more_flags.end());
    return command;
  }

  void make_certificates() const {
    std::string names = "subjectAltName=DNS:localhost";
    for (const auto& node : nodes_) names += ",IP:" + node.address;
    make_authority("ca");
    make_authority("other_ca");
    make_certificate("server", names);
    make_certificate("client", "subjectAltName=DNS:client");
  }
  void openssl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "openssl");
    demand(run(arguments, file("openssl.log")), read(file("openssl.log")));
  }
  void make_token_keys() const {
    openssl({"genrsa", "-out", file("token.key"), "2048"});
    openssl({"rsa", "-in", file("token.key"), "-pubout", "-out", file("token.pub")});
  }
  void make_authority(const std::string& name) const {
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=test " + name, "-keyout", file(name + ".key"), "-out",
             file(name + ".pem")});
  }
  void make_certificate(const std::string& name, const std::string& extension) const {
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             "/CN=" + name, "-addext", extension, "-keyout", file(name + ".key"), "-out",
             file(name + ".csr")});
    openssl({"x509", "-req", "-in", file(name + ".csr"), "-CA", file("ca.pem"), "-CAkey",
             file("ca.key"), "-CAcreateserial", "-days", "2", "-copy_extensions", "copyall", "-out",
             file(name + ".pem")});
  }

  EtcdOptions options_;
  TemporaryFolder folder_;
  std::vector<Node> nodes_;
};

}  // namespace tanist::store::test
