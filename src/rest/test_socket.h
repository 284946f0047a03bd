// SPDX-License-Identifier: Apache-2.0
// For tests: a blocking client made of plain system calls, that sends exactly the bytes it is told
// and shows exactly those that come back. No wait is longer than `patience`.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <string>
#include <string_view>

#include "base/assert.h"

namespace tanist::rest {

inline constexpr int patience_seconds = 10;

class TestSocket {
 public:
  explicit TestSocket(std::uint16_t port, const char* from = nullptr)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{patience_seconds, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (from != nullptr) {
      const auto own = address(from, 0);
      TANIST_REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    }
    const auto peer = address("127.0.0.1", port);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0;
  }
  TestSocket(const TestSocket&) = delete;
  TestSocket& operator=(const TestSocket&) = delete;
  ~TestSocket() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    close(fd_);
  }

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  // The client's part of a handshake.
  bool start_tls(SSL_CTX* context) {
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    return SSL_connect(ssl_) == 1;
  }
  SSL* ssl() const { return ssl_; }

  bool send(std::string_view text) const {
    while (!text.empty()) {
      const auto sent = ssl_ != nullptr
                            ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                            : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void finish_sending() const { shutdown(fd_, SHUT_WR); }

  // Everything until the other side closes; `closed()` tells whether it did in time.
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(input_, {});
  }

  // One answer of a connection that stays open, by its Content-Length.
  std::string read_answer() {
    std::size_t end = 0;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_some()) return std::exchange(input_, {});
    }
    constexpr std::string_view header = "Content-Length: ";
    std::size_t length = 0;
    if (const auto at = input_.find(header); at < end) {
      const auto* first = input_.data() + at + header.size();
      std::from_chars(first, input_.data() + end, length);
    }
    while (input_.size() < end + 4 + length) {
      if (!read_some()) break;
    }
    auto answer = input_.substr(0, end + 4 + length);
    input_.erase(0, answer.size());
    return answer;
  }

  // The other side ended the connection (in an orderly way or by reset).
  bool closed() const { return closed_; }

 private:
  static sockaddr_in address(const char* text, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    inet_pton(AF_INET, text, &out.sin_addr);
    return out;
  }

  bool read_some() {
    char buffer[4096];
    errno = 0;
    const auto got = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                     : recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) {
      input_.append(buffer, static_cast<std::size_t>(got));
      return true;
    }
    closed_ = errno != EAGAIN && errno != EWOULDBLOCK;
    return false;
  }

  int fd_;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
  bool closed_ = false;
  std::string input_;
};

// A context for start_tls(): with a certificate of its own, if `certificate` is given.
class TestTls {
 public:
  explicit TestTls(const std::string& certificate = "", const std::string& key = "")
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    if (certificate.empty()) return;
    TANIST_REQUIRE(SSL_CTX_use_certificate_chain_file(get(), certificate.c_str()) == 1);
    TANIST_REQUIRE(SSL_CTX_use_PrivateKey_file(get(), key.c_str(), SSL_FILETYPE_PEM) == 1);
  }

  SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
};

}  // namespace tanist::rest
