// SPDX-License-Identifier: Apache-2.0
// Sessions, with Beast's parser for the requests, and the public face of the server. Every rule is
// in a file of its own beside this one.
#include "rest/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "base/format.h"
#include "rest/answers.h"
#include "rest/reception.h"
#include "rest/session.h"

namespace tanist::rest {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t head_bytes_max = 16 * 1024;
constexpr std::size_t discarded_bytes_max = 256 * 1024;

using Parser = http::request_parser<http::string_body>;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Response parse_failure(const error_code& error) {
  if (error == http::error::header_limit) return page(431, "The request's head is too long");
  if (error == http::error::body_limit) {
    return page(413, format_text("A body has at most {} bytes here", body_bytes_max));
  }
  if (error == http::error::bad_version) return page(505, "HTTP/1.0 and HTTP/1.1 are spoken here");
  return page(400, "The request is malformed: " + error.message());
}

// Lengths that two parties could read differently are refused (request smuggling); Beast itself
// refuses a length beside an encoding.
std::optional<Response> framing_problem(const Parser::value_type& message) {
  if (message.count(http::field::transfer_encoding) > 0) {
    return page(411, "Encoded bodies are not understood; send a Content-Length");
  }
  if (message.count(http::field::content_length) > 1) {
    return page(400, "The request has several Content-Length headers");
  }
  const auto length = view(message[http::field::content_length]);
  if (length.find_first_not_of("0123456789") != std::string_view::npos) {
    return page(400, "Content-Length is not a number");
  }
  return std::nullopt;
}

}  // namespace

class Session::Incoming {
 public:
  Incoming() {
    parser.header_limit(head_bytes_max);
    parser.body_limit(body_bytes_max);
  }

  Parser parser;
  bool understood = false;  // the head is read and well-formed
};

Session::Session(Reception& reception, ConnectionId id, Transport::Socket socket, Address peer)
    : reception_(reception),
      id_(id),
      transport_(std::move(socket)),
      peer_(std::move(peer)),
      serving_(reception.serving()),
      wake_(reception.io(), asio::steady_timer::time_point::max()) {}

Session::~Session() = default;

void Session::enter(Phase phase, Duration limit) {
  phase_ = phase;
  reception_.touch(id_, limit);
}

asio::awaitable<void> Session::run() {
  bool more = co_await greet();
  while (more) {
    more = co_await serve_request();
  }
  transport_.close();
}

asio::awaitable<bool> Session::greet() {
  if (serving_->tls == nullptr) co_return true;
  enter(Phase::handshake, reception_.limits().handshake);
  const auto error = co_await transport_.accept_tls(serving_->tls);
  has_certificate_ = !error && transport_.has_verified_peer();
  co_return !error;
}

asio::awaitable<bool> Session::serve_request() {
  begin_request();
  const auto error = co_await parse(false);
  if (error) {
    co_return co_await refuse(error);
  }
  incoming_->understood = true;
  reception_.count_request();
  if (serving_->transport != reception_.serving()->transport) {
    co_return co_await respond(page(421, "The TLS settings have changed; connect again"));
  }
  serving_ = reception_.serving();
  auto response = co_await handle();
  const bool goes_on = co_await respond(std::move(response));
  // Idle connections of earlier TLS settings were closed while this one was busy.
  const bool is_outdated = serving_->transport != reception_.serving()->transport;
  co_return goes_on && !(is_outdated && input_.empty());
}

void Session::begin_request() {
  const auto& limits = reception_.limits();
  const bool is_first = incoming_ == nullptr;
  incoming_ = std::make_unique<Incoming>();
  given_up_ = false;
  if (!input_.empty()) {
    enter(Phase::request, limits.request);
  } else {
    enter(Phase::idle, is_first ? limits.request : limits.idle);
  }
}

// Feeds the parser until it has the head, or the whole of the request.
asio::awaitable<error_code> Session::parse(bool whole) {
  auto& parser = incoming_->parser;
  for (;;) {
    if (whole ? parser.is_done() : parser.is_header_done()) co_return error_code{};
    if (!input_.empty()) {
      error_code error;
      const auto used = parser.put(asio::const_buffer(input_.data(), input_.size()), error);
      input_.erase(0, used);
      if (error && error != http::error::need_more) co_return error;
      if (!error || (whole && used > 0)) continue;
    }
    const auto got = co_await transport_.read_some(asio::buffer(chunk_));
    if (got.error) co_return got.error;
    if (phase_ == Phase::idle) enter(Phase::request, reception_.limits().request);
    input_.append(chunk_.data(), got.bytes);
  }
}

asio::awaitable<Response> Session::handle() {
  auto& parser = incoming_->parser;
  if (auto problem = framing_problem(parser.get())) co_return std::move(*problem);
  const auto method = view(parser.get().method_string());
  const auto target = view(parser.get().target());
  const auto route = route_of(method, split_target(target).path);
  if (route.protection != Protection::open) {
    auto refusal = co_await access_refusal(route.protection);
    if (refusal) co_return std::move(*refusal);
  }
  std::optional<std::uint64_t> length;
  if (const auto announced = parser.content_length()) length = *announced;
  if (route.body != BodyRule::ignored && length.value_or(0) > 0) {
    enter(Phase::request, reception_.limits().request);
    const auto error = co_await parse(true);
    if (error == asio::error::operation_aborted) co_return page(408, "The body came too slowly");
    if (error) co_return page(400, "The body is incomplete");
  }
  auto body = body_of(route.body, length, parser.get().body());
  if (auto* refusal = std::get_if<Response>(&body)) co_return std::move(*refusal);
  // The clock is read last: a pause of this thread can only make the lease look shorter.
  const auto lease_deadline = reception_.hooks().lease_deadline();
  const Moment moment{reception_.hooks().now(), lease_deadline};
  const auto counters = reception_.counters();
  const auto figures = route.handler == Handler::metrics ? reception_.figures() : Figures{};
  const Inputs inputs{reception_.published(), moment, counters, figures,
                      serving_->certificate_expires};
  auto answer = answer_of(route, method, target, inputs);
  if (auto* response = std::get_if<Response>(&answer)) {
    if (response->code == 200 && asks_for_writable(route, target)) reception_.note_writable();
    co_return std::move(*response);
  }
  const auto endpoint = std::get<AskLoop>(answer).endpoint;
  auto content = std::get<Tree>(std::move(body));
  if (endpoint == ApiEndpoint::get_journal) content = parameters_of(target);
  co_return co_await ask_loop(endpoint, std::move(content));
}

Caller Session::caller() const {
  Caller who{peer_, has_certificate_, std::nullopt};
  const auto& message = incoming_->parser.get();
  const auto header = message.find(http::field::authorization);
  if (header != message.end()) who.authorization = view(header->value());
  return who;
}

asio::awaitable<std::optional<Response>> Session::access_refusal(Protection protection) {
  auto sources = reception_.known_sources();
  if (!AccessCheck{serving_->access, protection, sources}.admits(peer_)) {
    // A name may have got another address: look again before saying no.
    enter(Phase::request, reception_.limits().name_look_up + reception_.limits().request);
    wake_.expires_after(reception_.limits().name_look_up);
    reception_.refresh_sources([weak = weak_from_this()] {
      if (const auto session = weak.lock()) session->wake_.cancel();
    });
    co_await wake_.async_wait(token);
    sources = reception_.known_sources();
  }
  const auto who = caller();
  co_return AccessCheck{serving_->access, protection, sources}.refusal(who);
}

asio::awaitable<Response> Session::ask_loop(ApiEndpoint endpoint, Tree body) {
  if (given_up_) co_return page(408, "The request came too slowly");
  if (!reception_.may_wait()) co_return text(503, "too many requests wait for the agent");
  const auto limit =
      takes_long(endpoint) ? reception_.limits().loop_outcome : reception_.limits().loop_answer;
  reply_.reset();
  phase_ = Phase::loop;
  const auto request = reception_.submit(id_, {{}, endpoint, std::move(body)}, limit);
  Duration waited{0};
  while (!reply_ && !closed_) {
    wake_.expires_at(asio::steady_timer::time_point::max());
    co_await wake_.async_wait(token);
    if (reply_ || !given_up_) continue;
    // A restart may take as long as it was allowed to, and a living loop knows the outcome.
    waited += limit;
    const bool worth_it = takes_long(endpoint) && reception_.loop_lives();
    if (!worth_it || waited >= reception_.limits().loop_outcome_max) break;
    given_up_ = false;
    reception_.wait_on(id_, limit);
  }
  reception_.end_wait(request, reply_.has_value());
  if (!reply_) co_return unanswered(endpoint, waited);
  co_return from_loop(std::move(*reply_));
}

// After an error of the head: an answer where somebody may be reading.
asio::awaitable<bool> Session::refuse(error_code error) {
  if (error == asio::error::operation_aborted && given_up_) {
    co_return co_await respond(page(408, "The request came too slowly"));
  }
  if (error.category() != http::make_error_code(http::error::need_more).category()) {
    co_return false;
  }
  co_return co_await respond(parse_failure(error));
}

asio::awaitable<bool> Session::respond(Response response) {
  const auto& parser = incoming_->parser;
  const auto& message = parser.get();
  Wire wire;
  wire.http11 = incoming_->understood && message.version() == 11;
  // What was not read of a body would be taken for the next request.
  wire.close =
      !wire.http11 || !message.keep_alive() || !parser.is_done() || response.form == Form::page;
  wire.server = serving_->server;
  wire.date = reception_.date();
  wire.extra_headers = &serving_->extra_headers;
  output_.clear();
  append(output_, response, wire);
  enter(Phase::answer, reception_.limits().write);
  const auto error = co_await transport_.write(asio::buffer(output_));
  if (error) co_return false;
  if (wire.close) {
    co_await part();
  }
  co_return !wire.close;
}

asio::awaitable<void> Session::part() {
  const bool all_read = incoming_->parser.is_done() && input_.empty();
  if (all_read && !transport_.is_tls()) co_return;
  enter(Phase::answer, reception_.limits().linger);
  co_await transport_.finish_sending();
  if (all_read) co_return;
  // Closing now would reset the connection and take the answer from a client that still sends.
  std::size_t discarded = 0;
  while (discarded < discarded_bytes_max) {
    const auto got = co_await transport_.discard_some(asio::buffer(chunk_));
    if (got.error) co_return;
    discarded += got.bytes;
  }
}

void Session::on_deadline() {
  given_up_ = true;
  if (phase_ == Phase::request) {
    transport_.cancel();
  } else if (phase_ == Phase::loop) {
    wake_.cancel();
  } else {
    transport_.close();
  }
}

void Session::take(ApiReply reply) {
  reply_ = std::move(reply);
  wake_.cancel();
}

void Session::close() {
  given_up_ = true;
  closed_ = true;
  transport_.close();
  wake_.cancel();
}

// ---- the public face ---------------------------------------------------------------------------

Server::Server(RestSettings settings, ServerHooks hooks, ServerLimits limits)
    : reception_(
          std::make_unique<Reception>(std::move(settings), std::move(hooks), std::move(limits))) {}

Server::~Server() { stop(); }

Result<void> Server::start() { return reception_->start(); }

void Server::publish(StatusPtr status) { reception_->publish(std::move(status)); }

void Server::report(const Figures& figures) { reception_->report(figures); }

void Server::reply(ApiReply reply) { reception_->reply(std::move(reply)); }

Result<void> Server::reconfigure(RestSettings settings) {
  return reception_->reconfigure(std::move(settings));
}

Result<bool> Server::reload_certificate() { return reception_->reload_certificate(); }

std::uint16_t Server::port() const { return reception_->port(); }

void Server::stop() { reception_->stop(); }

}  // namespace tanist::rest
