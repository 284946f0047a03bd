// SPDX-License-Identifier: Apache-2.0
// getaddrinfo, away from the loop's thread.
#include "sql/address_book.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>

namespace tanist::sql {

namespace {

constexpr Duration look_up_time_max = seconds{1};

Result<std::vector<std::string>> look_up(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (code != 0) {
    return fail(Errc::unavailable, "cannot find the address of \"{}\": {}", host,
                gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, &freeaddrinfo);
  std::vector<std::string> addresses;
  for (const auto* at = found; at != nullptr; at = at->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    if (std::ranges::find(addresses, text.data()) == addresses.end()) {
      addresses.emplace_back(text.data());
    }
  }
  return addresses;
}

}  // namespace

bool is_numeric_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> buffer{};
  return inet_pton(AF_INET, host.c_str(), buffer.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer.data()) == 1;
}

os::Awaitable<Result<std::vector<std::string>>> AddressBook::find(std::string host,
                                                                  os::Limit limit) {
  if (is_numeric_address(host)) co_return std::vector{host};
  auto job = [host] { return look_up(host); };
  auto found = co_await os::on_disk(*pool_, limit.within(look_up_time_max), std::move(job));
  if (found && !found->empty()) {
    last_good_[host] = *found;
    co_return std::move(*found);
  }
  const auto known = last_good_.find(host);
  if (known != last_good_.end()) co_return known->second;
  if (!found) co_return fail(Errc::unavailable, "{}", found.error().message);
  co_return fail(Errc::unavailable, "\"{}\" has no address", host);
}

}  // namespace tanist::sql
