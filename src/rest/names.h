// SPDX-License-Identifier: Apache-2.0
// Host names to addresses without ever waiting for the resolver: each look-up has a thread of its
// own that may hang as long as it likes, and the last good answer stays in use (engineering 3).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace tanist::rest {

using Addresses = std::vector<boost::asio::ip::address>;

// Asks the system's resolver, which may take many seconds: not for the loop's thread. A literal
// address (IPv6 with or without zone) answers itself. Errc::unavailable names host and cause.
Result<Addresses> look_up(const std::string& host);

// All calls on the executor's thread; callbacks run there too, and none after the destructor.
class NameBook {
 public:
  using LookUp = std::function<Result<Addresses>(const std::string& host)>;
  using Found = std::function<void(Result<Addresses>)>;

  explicit NameBook(boost::asio::any_io_executor executor, LookUp how = look_up);
  NameBook(const NameBook&) = delete;
  NameBook& operator=(const NameBook&) = delete;
  ~NameBook();

  // A literal's address, the last good answer, or nothing.
  Addresses known(const std::string& host) const;

  // Looks up in the background, unless that is under way or was begun less than `age_min` ago.
  // Failures leave the last good answer in place.
  void refresh(const std::string& host, Duration age_min);

  // Calls back once: soon if the host is known (refreshing what is older than 30 s meanwhile),
  // else when its look-up ends. The caller has a deadline of its own.
  void find(const std::string& host, Found callback);

  // Calls back once: as soon as no look-up of any of these hosts runs.
  void when_settled(std::vector<std::string> hosts, std::function<void()> callback);

 private:
  class Book;
  std::shared_ptr<Book> book_;
};

}  // namespace tanist::rest
