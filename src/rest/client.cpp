// SPDX-License-Identifier: Apache-2.0
// The client: one coroutine per call, with Beast's serializer and parser. One thread.
#include "rest/client.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/format.h"
#include "rest/access.h"
#include "rest/transport.h"
#include "rest/url.h"

namespace tanist::rest {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t head_bytes_max = 64 * 1024;

using Parser = http::response_parser<http::string_body>;

bool is_token(std::string_view method) {
  return !method.empty() &&
         std::ranges::all_of(method, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string request_text(const Call& call, const Url& url, const std::string& authorization) {
  auto text = format_text(
      "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: tanist/{}\r\nAccept: */*\r\n"
      "Connection: close\r\n",
      call.method, url.target, url.authority(), TANIST_VERSION);
  if (!authorization.empty()) text += format_text("Authorization: {}\r\n", authorization);
  if (!call.body.empty()) text += "Content-Type: application/json\r\n";
  if (!call.body.empty() || call.method != "GET") {
    text += format_text("Content-Length: {}\r\n", call.body.size());
  }
  return text + "\r\n" + call.body;
}

Answer answer_from(Parser& parser) {
  auto message = parser.release();
  Answer answer;
  answer.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::string_view value(field.value().data(), field.value().size());
    auto& kept = answer.headers[name];
    kept += kept.empty() ? value : ", " + std::string(value);
  }
  answer.body = std::move(message.body());
  return answer;
}

// What all exchanges of a client share.
struct Means {
  Means(std::string header, Result<PeerTls> peer_tls, asio::any_io_executor executor,
        NameBook::LookUp look_up)
      : authorization(std::move(header)),
        tls(std::move(peer_tls)),
        names(std::move(executor), std::move(look_up)) {}

  std::string authorization;  // value of the header, empty = none
  Result<PeerTls> tls;
  NameBook names;
};

// One call from its start to its callback.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  using Callback = std::function<void(Result<Answer>)>;

  Exchange(const asio::any_io_executor& executor, std::shared_ptr<Means> means, Call call,
           Callback callback)
      : executor_(executor),
        means_(std::move(means)),
        call_(std::move(call)),
        callback_(std::move(callback)),
        deadline_(executor),
        found_(executor, asio::steady_timer::time_point::max()) {}

  asio::awaitable<void> run();

  // Ends the waits under way; the callback gets `why`.
  void give_up(Error why) {
    if (!given_up_) given_up_ = std::move(why);
    if (transport_) transport_->close();
    found_.cancel();
  }

  // An exception ended run().
  void fail(const std::exception_ptr& failure);

  // Nobody wants the answer any more.
  void forget() {
    callback_ = nullptr;
    give_up({Errc::cancelled, "the client is gone"});
  }

 private:
  asio::awaitable<Result<Answer>> exchange();
  asio::awaitable<Result<Addresses>> find_addresses();
  asio::awaitable<Result<void>> connect(Addresses addresses);
  asio::awaitable<error_code> connect_to(tcp::endpoint endpoint);
  asio::awaitable<Result<void>> secure();
  asio::awaitable<Result<Answer>> receive();
  void start_clock();
  void answer(Result<Answer> result);
  Error named(Errc code, std::string_view cause) const;

  asio::any_io_executor executor_;
  std::shared_ptr<Means> means_;
  Call call_;
  Callback callback_;
  Url url_;
  asio::steady_timer deadline_;
  asio::steady_timer found_;
  std::optional<Result<Addresses>> addresses_;
  std::unique_ptr<Transport> transport_;
  std::optional<Error> given_up_;
  std::string doing_ = "waiting";
};

asio::awaitable<void> Exchange::run() {
  start_clock();
  Result<Answer> result = tl::unexpected(Error{});
  if (!given_up_) {
    result = co_await exchange();
  }
  deadline_.cancel();
  if (transport_) transport_->close();
  // Whatever the closed connection made of it, this is the reason.
  if (given_up_) result = tl::unexpected(*given_up_);
  answer(std::move(result));
}

void Exchange::fail(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    answer(tl::unexpected(named(Errc::failed, error.what())));
  }
}

void Exchange::answer(Result<Answer> result) {
  if (auto callback = std::exchange(callback_, nullptr)) callback(std::move(result));
}

void Exchange::start_clock() {
  deadline_.expires_after(call_.timeout);
  deadline_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || self == nullptr) return;
    self->give_up(self->named(Errc::timeout,
                              format_text("no answer within {} ms (while {})",
                                          in_milliseconds(self->call_.timeout), self->doing_)));
  });
}

Error Exchange::named(Errc code, std::string_view cause) const {
  const auto where = url_.host.empty() ? std::string("request") : url_.authority() + url_.target;
  return {code, format_text("{} {}: {}", call_.method, where, cause)};
}

asio::awaitable<Result<Answer>> Exchange::exchange() {
  auto url = parse_url(call_.url);
  if (!url) co_return pass_on(std::move(url.error()), "request to a peer");
  url_ = std::move(*url);
  if (!is_token(call_.method)) {
    co_return tl::unexpected(Error{Errc::invalid, "the method of a request is one word"});
  }
  if (url_.tls && !means_->tls) co_return tl::unexpected(means_->tls.error());
  auto addresses = co_await find_addresses();
  if (!addresses) co_return tl::unexpected(std::move(addresses.error()));
  auto connected = co_await connect(std::move(*addresses));
  if (!connected) co_return tl::unexpected(std::move(connected.error()));
  if (url_.tls) {
    auto secured = co_await secure();
    if (!secured) co_return tl::unexpected(std::move(secured.error()));
  }
  doing_ = "waiting for the answer";
  const auto request = request_text(call_, url_, means_->authorization);
  const auto error = co_await transport_->write(asio::buffer(request));
  // A peer that refuses early answers before it closes: the answer says more than the error.
  auto answer = co_await receive();
  if (error && !answer) co_return tl::unexpected(named(Errc::unavailable, error.message()));
  co_return answer;
}

asio::awaitable<Result<Addresses>> Exchange::find_addresses() {
  doing_ = format_text("looking up {}", url_.host);
  means_->names.find(url_.host, [weak = weak_from_this()](Result<Addresses> found) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->addresses_ = std::move(found);
    self->found_.cancel();
  });
  while (!addresses_ && !given_up_) {
    co_await found_.async_wait(token);
  }
  if (given_up_) co_return tl::unexpected(*given_up_);
  if (!*addresses_) {
    co_return tl::unexpected(named(Errc::unavailable, addresses_->error().message));
  }
  co_return std::move(**addresses_);
}

asio::awaitable<Result<void>> Exchange::connect(Addresses addresses) {
  error_code error = asio::error::host_not_found;
  for (const auto& address : addresses) {
    if (given_up_) break;
    const tcp::endpoint endpoint(address, url_.port);
    doing_ = format_text("connecting to {}", address.to_string());
    error = co_await connect_to(endpoint);
    if (!error) co_return Result<void>{};
  }
  // The name may have moved to another address since it was looked up.
  means_->names.refresh(url_.host, seconds(1));
  co_return tl::unexpected(
      named(Errc::unavailable, format_text("failed {}: {}", doing_, error.message())));
}

asio::awaitable<error_code> Exchange::connect_to(tcp::endpoint endpoint) {
  transport_ = std::make_unique<Transport>(tcp::socket(executor_));
  error_code error;
  transport_->socket().open(endpoint.protocol(), error);
  if (error) co_return error;
  error_code ignored;
  transport_->socket().set_option(tcp::no_delay(true), ignored);
  const auto [outcome] = co_await transport_->socket().async_connect(endpoint, token);
  co_return outcome;
}

asio::awaitable<Result<void>> Exchange::secure() {
  doing_ = format_text("agreeing on TLS with {}", url_.host);
  const auto error = co_await transport_->connect_tls(*means_->tls, url_.host);
  if (!error) co_return Result<void>{};
  co_return tl::unexpected(named(Errc::unavailable, "TLS: " + transport_->why_refused(error)));
}

asio::awaitable<Result<Answer>> Exchange::receive() {
  Parser parser;
  parser.header_limit(head_bytes_max);
  parser.body_limit(answer_bytes_max);
  parser.eager(true);
  parser.skip(call_.method == "HEAD");
  std::string input;
  std::array<char, 8192> chunk{};
  error_code error;
  while (!parser.is_done()) {
    const auto got = co_await transport_->read_some(asio::buffer(chunk));
    if (got.error == asio::error::eof && parser.got_some()) {
      parser.put_eof(error);
    } else if (got.error) {
      const auto cause = got.error == asio::error::eof
                             ? std::string("the connection was closed without an answer")
                             : got.error.message();
      co_return tl::unexpected(named(Errc::unavailable, cause));
    } else {
      input.append(chunk.data(), got.bytes);
      input.erase(0, parser.put(asio::const_buffer(input.data(), input.size()), error));
    }
    if (error && error != http::error::need_more) break;
  }
  if (parser.is_done()) co_return answer_from(parser);
  if (error == http::error::partial_message) {
    co_return tl::unexpected(named(Errc::unavailable, "the answer was cut short"));
  }
  co_return tl::unexpected(
      named(Errc::invalid, error == http::error::body_limit || error == http::error::header_limit
                               ? format_text("the answer is longer than {} bytes", answer_bytes_max)
                               : "the answer is not HTTP: " + error.message()));
}

}  // namespace

class Client::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(asio::any_io_executor executor, std::shared_ptr<Means> means)
      : executor_(std::move(executor)), means_(std::move(means)) {}

  void call(Call call, Exchange::Callback callback) {
    auto exchange =
        std::make_shared<Exchange>(executor_, means_, std::move(call), std::move(callback));
    exchanges_.insert(exchange);
    // Posted, since a coroutine begins within co_spawn and could call back within call().
    asio::post(executor_, [executor = executor_, weak = weak_from_this(), exchange] {
      asio::co_spawn(executor, exchange->run(), [weak, exchange](std::exception_ptr failure) {
        if (failure) exchange->fail(failure);
        if (const auto core = weak.lock()) core->exchanges_.erase(exchange);
      });
    });
  }

  void cancel_all() {
    for (const auto& exchange : exchanges_) {
      exchange->give_up({Errc::cancelled, "the request was cancelled"});
    }
  }

  void forget_all() {
    for (const auto& exchange : exchanges_) exchange->forget();
  }

 private:
  asio::any_io_executor executor_;
  std::shared_ptr<Means> means_;
  std::set<std::shared_ptr<Exchange>> exchanges_;
};

Client::Client(asio::any_io_executor executor, const PeerClientSettings& settings, Trust trust,
               NameBook::LookUp look_up) {
  auto authorization = settings.username.empty()
                           ? std::string()
                           : basic_authorization(settings.username, settings.password);
  auto means = std::make_shared<Means>(std::move(authorization), make_peer_tls(settings, trust),
                                       executor, std::move(look_up));
  core_ = std::make_shared<Core>(std::move(executor), std::move(means));
}

Client::~Client() { core_->forget_all(); }

void Client::call(Call call, std::function<void(Result<Answer>)> callback) {
  core_->call(std::move(call), std::move(callback));
}

void Client::cancel_all() { core_->cancel_all(); }

}  // namespace tanist::rest
