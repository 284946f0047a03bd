// SPDX-License-Identifier: Apache-2.0
// The REST API of this node: HTTP and HTTPS on a thread of its own. Health checks and documents
// are answered from the last published status without the loop; what changes something becomes a
// request to the loop, and its reply an answer (contract rest, engineering 8).
// All functions may be called by any thread but the server's own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "core/api_request.h"
#include "core/settings.h"
#include "core/status.h"
#include "rest/figures.h"

namespace tanist::rest {

class Reception;

// Called on the server's thread; none may block.
struct ServerHooks {
  // Until when the server may be written to: when the guard would fence; absent = no lease is held.
  std::function<std::optional<Instant>()> lease_deadline;
  std::function<Instant()> now;            // os::now, but in tests
  std::function<void(ApiRequest)> submit;  // the loop answers with reply()
  // A health check was just told that writes may come here; may be empty.
  std::function<void()> told_writable;
};

// Bounds of what strangers can make us hold or wait for.
struct ServerLimits {
  std::size_t connections = 512;       // beyond it the longest idle one is closed
  std::size_t waiting = 64;            // requests that wait for the loop at one time
  Duration handshake = seconds(5);     // TLS
  Duration request = seconds(10);      // for the head, and again for the body
  Duration idle = seconds(60);         // between two requests of a connection
  Duration write = seconds(10);        // of one answer
  Duration loop_answer = seconds(10);  // of the loop
  // Of the loop, for the outcome of a switchover, failover or restart: how long until it is asked
  // whether the loop lives, and how long in all when it does.
  Duration loop_outcome = seconds(60);
  Duration loop_outcome_max = std::chrono::hours(1);
  Duration linger = seconds(1);        // for an answer to reach a client that still sends
  Duration name_look_up = seconds(2);  // of an allowed name, before a caller is refused
};

class Server {
 public:
  Server(RestSettings settings, ServerHooks hooks, ServerLimits limits = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // stops

  // Reads certificates, binds, starts the thread; once. Blocking. Errors name the address or file,
  // the cause (a port in use: by which process, if that can be seen) and the remedy.
  Result<void> start();

  // Answers are made from this status from now on. Never waits.
  void publish(StatusPtr status);

  // What /metrics shows beside the status from now on. Never waits.
  void report(const Figures& figures);

  // The loop's answer; an id nobody waits for is dropped. Never waits.
  void reply(ApiReply reply);

  // Takes new settings into use, all of them or, with an error, none. Blocking (reads files,
  // binds). A new listener is opened before the old one is closed, except on another address with
  // the same port. `request_queue_size` matters only to new listeners. Open connections stay, but
  // for those made under other TLS settings.
  Result<void> reconfigure(RestSettings settings);

  // Reads certificate, key and CA file, and takes them into use for new connections when one of
  // them is not what it was: true when that happened. Blocking (reads files).
  Result<bool> reload_certificate();

  // The port that is listened on; 0 before start().
  std::uint16_t port() const;

  // Closes everything and joins the thread, within 2 s. May be called again.
  void stop();

 private:
  std::unique_ptr<Reception> reception_;
};

}  // namespace tanist::rest
