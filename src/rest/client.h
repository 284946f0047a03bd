// SPDX-License-Identifier: Apache-2.0
// Asking other members: an asynchronous HTTP and HTTPS client on the caller's executor (contract
// rest 16). One connection per call. All functions and callbacks on the executor's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "core/settings.h"
#include "rest/names.h"
#include "rest/tls.h"

namespace tanist::rest {

// The largest answer that is taken, in bytes.
inline constexpr std::size_t answer_bytes_max = 4 * 1024 * 1024;

struct Answer {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case; repeated ones joined by ", "
};

struct Call {
  std::string method;
  std::string url;
  std::string body;  // sent as application/json
  Duration timeout{};
};

class Client {
 public:
  // Reads the certificate files, once: blocking. Files that cannot be used make every https call
  // fail with that error; http ones work. `look_up` may block for as long as it likes.
  Client(boost::asio::any_io_executor executor, const PeerClientSettings& settings,
         Trust trust = Trust::agent, NameBook::LookUp look_up = rest::look_up);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();  // ends all calls; none calls back any more

  // Calls back exactly once and never from within this function. Any HTTP status is an Answer.
  // Errc::timeout after `timeout` whatever hangs (resolver, connection, peer), unavailable when the
  // peer cannot be reached or trusted, invalid for a bad URL or an answer that is not HTTP or too
  // long, cancelled by cancel_all(). Messages name the URL's host and the cause.
  void call(Call call, std::function<void(Result<Answer>)> callback);

  // Every call under way calls back soon with Errc::cancelled.
  void cancel_all();

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace tanist::rest
