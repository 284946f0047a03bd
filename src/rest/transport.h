// SPDX-License-Identifier: Apache-2.0
// One TCP connection with or without TLS around it, used alike by server and client. Waits are
// coroutines; who gives up waiting calls cancel() or close(). One thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "rest/tls.h"

namespace tanist::rest {

using boost::system::error_code;

struct Transfer {
  error_code error;
  std::size_t bytes = 0;
};

class Transport {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  explicit Transport(Socket socket);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport();

  Socket& socket() { return socket_; }
  bool is_tls() const { return tls_ != nullptr; }

  // Takes the server's part of a handshake.
  boost::asio::awaitable<error_code> accept_tls(TlsContext context);
  // Takes the client's. `host` goes out as server name unless it is an address, and is verified
  // against the certificate if `verify_host_name`.
  boost::asio::awaitable<error_code> connect_tls(PeerTls peer, std::string host);

  // Why a handshake failed: what is wrong with the certificate, or the error's own text.
  std::string why_refused(error_code error) const;

  // The other side showed a certificate that its CA confirms.
  bool has_verified_peer() const;

  // At least one byte or an error; the end of the stream is asio::error::eof, also when the other
  // side cut a TLS stream short.
  boost::asio::awaitable<Transfer> read_some(boost::asio::mutable_buffer buffer);
  // All of it or an error.
  boost::asio::awaitable<error_code> write(boost::asio::const_buffer buffer);

  // Says that nothing more will be sent (TLS: close_notify), without waiting for an echo. From
  // then on only discard_some() may be called.
  boost::asio::awaitable<void> finish_sending();
  // Takes bytes off the wire that nobody will look at.
  boost::asio::awaitable<Transfer> discard_some(boost::asio::mutable_buffer buffer);

  // Ends the wait under way with operation_aborted; the connection stays usable.
  void cancel();
  // Ends everything at once.
  void close();

 private:
  class Tls;

  Socket socket_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace tanist::rest
