// SPDX-License-Identifier: Apache-2.0
// One connection to the REST API: a coroutine that reads a request, has it answered and writes the
// answer, until one side has enough. Defined in server.cpp, which alone sees the HTTP parser. The
// server's thread.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "core/api_request.h"
#include "rest/access.h"
#include "rest/connections.h"
#include "rest/documents.h"
#include "rest/serving.h"
#include "rest/transport.h"

namespace tanist::rest {

class Reception;

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Reception& reception, ConnectionId id, Transport::Socket socket, Address peer);
  ~Session();

  // The whole life of the connection.
  boost::asio::awaitable<void> run();

  // The time given to Reception::touch() is over: ends the wait under way.
  void on_deadline();
  // The loop's answer to the request that this session submitted last.
  void take(ApiReply reply);
  // Ends the connection at once.
  void close();
  // No request is under way: closing it takes an answer from nobody.
  bool is_idle() const { return phase_ == Phase::idle; }

 private:
  enum class Phase { handshake, idle, request, loop, answer };
  class Incoming;  // the request being read

  boost::asio::awaitable<bool> greet();
  boost::asio::awaitable<bool> serve_request();
  boost::asio::awaitable<error_code> parse(bool whole);
  boost::asio::awaitable<Response> handle();
  boost::asio::awaitable<std::optional<Response>> access_refusal(Protection protection);
  boost::asio::awaitable<Response> ask_loop(ApiEndpoint endpoint, Tree body);
  boost::asio::awaitable<bool> refuse(error_code error);
  boost::asio::awaitable<bool> respond(Response response);
  boost::asio::awaitable<void> part();
  void begin_request();
  void enter(Phase phase, Duration limit);
  Caller caller() const;

  Reception& reception_;
  ConnectionId id_;
  Transport transport_;
  Address peer_;
  ServingPtr serving_;
  bool has_certificate_ = false;
  Phase phase_ = Phase::handshake;
  std::unique_ptr<Incoming> incoming_;
  std::string input_;  // read, not yet parsed
  std::string output_;
  std::array<char, 4096> chunk_{};
  boost::asio::steady_timer wake_;
  std::optional<ApiReply> reply_;
  bool given_up_ = false;  // the time for the phase is over
  bool closed_ = false;
};

}  // namespace tanist::rest
