// SPDX-License-Identifier: Apache-2.0
// TCP and TLS under one set of calls. One thread.
#include "rest/transport.h"

#include <openssl/x509_vfy.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tanist::rest {

namespace asio = boost::asio;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

bool is_address(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

void expect_name(SSL* handle, const std::string& host) {
  auto* rules = SSL_get0_param(handle);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size());
  }
}

// Many peers close without close_notify; what they sent says itself whether it is complete.
error_code as_end(error_code error) {
  return error == asio::ssl::error::stream_truncated ? asio::error::eof : error;
}

}  // namespace

class Transport::Tls {
 public:
  // The context lives as long as the stream: a new certificate does not touch open connections.
  Tls(Socket& socket, TlsContext context)
      : context_(std::move(context)), stream_(socket, *context_) {}

  asio::ssl::stream<Socket&>& stream() { return stream_; }

 private:
  TlsContext context_;
  asio::ssl::stream<Socket&> stream_;
};

Transport::Transport(Socket socket) : socket_(std::move(socket)) {}

Transport::~Transport() = default;

asio::awaitable<error_code> Transport::accept_tls(TlsContext context) {
  tls_ = std::make_unique<Tls>(socket_, std::move(context));
  const auto [error] =
      co_await tls_->stream().async_handshake(asio::ssl::stream_base::server, token);
  co_return error;
}

asio::awaitable<error_code> Transport::connect_tls(PeerTls peer, std::string host) {
  tls_ = std::make_unique<Tls>(socket_, peer.context);
  auto& stream = tls_->stream();
  if (!is_address(host)) SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  if (peer.verify_host_name) expect_name(stream.native_handle(), host);
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, token);
  co_return error;
}

std::string Transport::why_refused(error_code error) const {
  const auto verdict =
      tls_ != nullptr ? SSL_get_verify_result(tls_->stream().native_handle()) : X509_V_OK;
  return verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : error.message();
}

bool Transport::has_verified_peer() const {
  if (tls_ == nullptr) return false;
  auto* handle = tls_->stream().native_handle();
  return SSL_get0_peer_certificate(handle) != nullptr && SSL_get_verify_result(handle) == X509_V_OK;
}

asio::awaitable<Transfer> Transport::read_some(asio::mutable_buffer buffer) {
  if (tls_ != nullptr) {
    const auto [error, bytes] = co_await tls_->stream().async_read_some(buffer, token);
    co_return Transfer{as_end(error), bytes};
  }
  const auto [error, bytes] = co_await socket_.async_read_some(buffer, token);
  co_return Transfer{error, bytes};
}

asio::awaitable<error_code> Transport::write(asio::const_buffer buffer) {
  if (tls_ != nullptr) {
    const auto [error, bytes] = co_await asio::async_write(tls_->stream(), buffer, token);
    co_return error;
  }
  const auto [error, bytes] = co_await asio::async_write(socket_, buffer, token);
  co_return error;
}

asio::awaitable<void> Transport::finish_sending() {
  if (tls_ != nullptr) {
    // A quiet shutdown of the reading side: asio would wait for the peer's close_notify.
    SSL_set_shutdown(tls_->stream().native_handle(), SSL_RECEIVED_SHUTDOWN);
    co_await tls_->stream().async_shutdown(token);
  }
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

asio::awaitable<Transfer> Transport::discard_some(asio::mutable_buffer buffer) {
  const auto [error, bytes] = co_await socket_.async_read_some(buffer, token);
  co_return Transfer{error, bytes};
}

void Transport::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace tanist::rest
