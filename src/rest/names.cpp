// SPDX-License-Identifier: Apache-2.0
// The book of names and its look-up threads.
#include "rest/names.h"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "os/clock.h"
#include "rest/thread.h"

namespace tanist::rest {

namespace asio = boost::asio;

namespace {

constexpr Duration answer_age_max = seconds(30);
// Look-ups that hang keep their threads; beyond this many, a new one fails at once.
constexpr std::size_t look_ups_max = 16;

std::optional<asio::ip::address> literal(const std::string& host) {
  boost::system::error_code error;
  auto address = asio::ip::make_address(host, error);
  return error ? std::nullopt : std::optional(address);
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// The way from a look-up's thread back to the executor; closed before the executor goes.
class Mailbox {
 public:
  explicit Mailbox(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (executor_) asio::post(executor_, std::move(work));
  }

  void close() {
    const std::lock_guard lock(mutex_);
    executor_ = {};
  }

 private:
  std::mutex mutex_;
  asio::any_io_executor executor_;
};

}  // namespace

Result<Addresses> look_up(const std::string& host) {
  if (const auto address = literal(host)) return Addresses{*address};
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &wanted, &list);
  if (code != 0) {
    return fail(Errc::unavailable, "cannot find the address of {}: {}", host, gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> owner(list);
  Addresses addresses;
  for (const auto* at = list; at != nullptr; at = at->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (at->ai_addrlen > endpoint.capacity()) continue;
    std::copy_n(reinterpret_cast<const char*>(at->ai_addr), at->ai_addrlen,
                reinterpret_cast<char*>(endpoint.data()));
    if (std::ranges::find(addresses, endpoint.address()) == addresses.end()) {
      addresses.push_back(endpoint.address());
    }
  }
  return addresses;
}

class NameBook::Book : public std::enable_shared_from_this<Book> {
 public:
  Book(asio::any_io_executor executor, LookUp how)
      : mailbox_(std::make_shared<Mailbox>(std::move(executor))), how_(std::move(how)) {}

  void close() { mailbox_->close(); }

  Addresses known(const std::string& host) const {
    if (const auto address = literal(host)) return {*address};
    const auto at = entries_.find(host);
    return at != entries_.end() ? at->second.addresses : Addresses{};
  }

  void refresh(const std::string& host, Duration age_min) {
    if (literal(host)) return;
    auto& entry = entries_[host];
    const auto now = os::now();
    if (entry.looking_up || (entry.begun && now - *entry.begun < age_min)) return;
    if (look_ups_ >= look_ups_max) return finish(host, too_many(host));
    entry.begun = now;
    entry.looking_up = true;
    ++look_ups_;
    start(host);
  }

  void find(const std::string& host, Found callback) {
    auto addresses = known(host);
    if (!addresses.empty()) {
      refresh(host, answer_age_max);
      return later([callback = std::move(callback), addresses = std::move(addresses)] {
        callback(addresses);
      });
    }
    entries_[host].waiting.push_back(std::move(callback));
    refresh(host, Duration{});
  }

  void when_settled(std::vector<std::string> hosts, std::function<void()> callback) {
    settling_.push_back({std::move(hosts), std::move(callback)});
    later([this] { settle(); });
  }

 private:
  struct Entry {
    Addresses addresses;  // last good answer
    std::optional<Instant> begun;
    bool looking_up = false;
    std::vector<Found> waiting;
  };

  struct Settling {
    std::vector<std::string> hosts;
    std::function<void()> callback;
  };

  static tl::unexpected<Error> too_many(const std::string& host) {
    return fail(Errc::unavailable, "cannot look up {}: {} other look-ups hang", host, look_ups_max);
  }

  // Runs `work` on the executor if this book still exists then.
  void later(std::function<void()> work) {
    mailbox_->post([weak = weak_from_this(), work = std::move(work)] {
      if (const auto book = weak.lock()) work();
    });
  }

  void start(const std::string& host) {
    auto work = [weak = weak_from_this(), mailbox = mailbox_, how = how_, host] {
      auto result = how(host);
      mailbox->post([weak, host, result = std::move(result)]() mutable {
        if (const auto book = weak.lock()) book->arrived(host, std::move(result));
      });
    };
    try {
      start_thread("rest-names", std::move(work)).detach();
    } catch (const std::system_error& error) {
      later([this, host, cause = std::string(error.what())] {
        arrived(host, fail(Errc::unavailable, "cannot look up {}: {}", host, cause));
      });
    }
  }

  void arrived(const std::string& host, Result<Addresses> result) {
    --look_ups_;
    auto& entry = entries_[host];
    entry.looking_up = false;
    if (result && result->empty()) {
      result = fail(Errc::unavailable, "{} has no address", host);
    }
    if (result) entry.addresses = *result;
    finish(host, std::move(result));
  }

  void finish(const std::string& host, Result<Addresses> result) {
    for (auto& callback : std::exchange(entries_[host].waiting, {})) {
      later([callback = std::move(callback), result] { callback(result); });
    }
    later([this] { settle(); });
  }

  bool is_looking_up(const std::string& host) const {
    const auto at = entries_.find(host);
    return at != entries_.end() && at->second.looking_up;
  }

  void settle() {
    std::vector<std::function<void()>> ready;
    std::erase_if(settling_, [&](Settling& one) {
      if (std::ranges::any_of(one.hosts, [&](const auto& h) { return is_looking_up(h); })) {
        return false;
      }
      ready.push_back(std::move(one.callback));
      return true;
    });
    for (const auto& callback : ready) callback();
  }

  std::shared_ptr<Mailbox> mailbox_;
  LookUp how_;
  std::map<std::string, Entry> entries_;
  std::vector<Settling> settling_;
  std::size_t look_ups_ = 0;
};

NameBook::NameBook(asio::any_io_executor executor, LookUp how)
    : book_(std::make_shared<Book>(std::move(executor), std::move(how))) {}

NameBook::~NameBook() { book_->close(); }

Addresses NameBook::known(const std::string& host) const { return book_->known(host); }

void NameBook::refresh(const std::string& host, Duration age_min) { book_->refresh(host, age_min); }

void NameBook::find(const std::string& host, Found callback) {
  book_->find(host, std::move(callback));
}

void NameBook::when_settled(std::vector<std::string> hosts, std::function<void()> callback) {
  book_->when_settled(std::move(hosts), std::move(callback));
}

}  // namespace tanist::rest
