// SPDX-License-Identifier: Apache-2.0
// For tests: a server on a loopback port of its own, a loop that answers when the test says so, and
// the reading of answers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/format.h"
#include "os/clock.h"
#include "rest/server.h"
#include "rest/test_socket.h"

namespace tanist::rest {

// Stands for the agent's loop: keeps what it is asked until the test answers.
class TestLoop {
 public:
  void submit(ApiRequest request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    changed_.notify_all();
  }

  ApiRequest next() {
    std::unique_lock lock(mutex_);
    const auto has_one = [this] { return !requests_.empty(); };
    TANIST_REQUIRE(changed_.wait_for(lock, seconds(patience_seconds), has_one));
    auto request = std::move(requests_.front());
    requests_.pop_front();
    return request;
  }

  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return requests_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ApiRequest> requests_;
};

inline std::shared_ptr<Status> primary(std::string_view name = "n1") {
  auto status = std::make_shared<Status>();
  status->document = Tree::map(
      {{"state", "running"},
       {"role", "primary"},
       {"patroni", Tree::map({{"version", "4.1.4"}, {"scope", "demo"}, {"name", name}})}});
  status->config = Tree::map({{"ttl", 30}});
  status->history = Tree::list();
  status->failsafe = Tree::map({{"n1", "http://127.0.0.1:8008/patroni"}});
  status->state = status->internal_state = ServerState::running;
  status->role = Role::primary;
  status->in_recovery = false;
  status->holds_lock = true;
  status->view_valid = true;
  status->next_run = os::now();
  status->good_until = os::now() + seconds(3600);
  return status;
}

class RestServer {
 public:
  explicit RestServer(RestSettings settings = {}, ServerLimits limits = {})
      : lease_(os::now() + seconds(3600)),
        server(on_loopback(std::move(settings)), hooks(), limits) {
    TANIST_REQUIRE(server.start());
    server.publish(primary());
  }

  static RestSettings on_loopback(RestSettings settings) {
    if (settings.listen.host.empty()) settings.listen = {"127.0.0.1", 0};
    return settings;
  }

  std::uint16_t port() const { return server.port(); }
  void set_lease(Instant end) { lease_ = end; }

  // Sends the text on a connection of its own and reads until the server closes.
  std::string exchange(std::string_view text) const {
    TestSocket socket(port());
    TANIST_REQUIRE(socket.send(text));
    auto answer = socket.read_all();
    TANIST_REQUIRE(socket.closed());  // after none of these requests it stays open
    return answer;
  }

  std::string get(std::string_view target) const {
    return exchange(format_text("GET {} HTTP/1.0\r\n\r\n", target));
  }

 private:
  ServerHooks hooks() {
    return {.lease_deadline = [this] { return std::optional(lease_.load()); },
            .now = os::now,
            .submit = [this](ApiRequest request) { loop.submit(std::move(request)); }};
  }

  std::atomic<Instant> lease_;

 public:
  TestLoop loop;
  Server server;
};

inline std::string head_of(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n\r\n") + 4);
}

inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

inline std::string code_of(const std::string& answer) {
  return answer.size() > 12 ? answer.substr(9, 3) : "none: " + answer;
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

inline std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
  return format_text("POST {} HTTP/1.0\r\nContent-Length: {}\r\n{}\r\n{}", path, body.size(), more,
                     body);
}

}  // namespace tanist::rest
