// SPDX-License-Identifier: Apache-2.0
// Choice of endpoints; terms and cluster ids of answers. Pure; owned by one machine.
#include "store/etcd3_endpoints.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace tanist::store {

namespace {

// An endpoint that failed less than this ago is asked only when no other is left.
constexpr Duration failure_remembered = seconds(10);

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("localhost:") ||
         address.starts_with("[::1]:");
}

bool contains(const std::vector<std::string>& list, const std::string& address) {
  return std::ranges::find(list, address) != list.end();
}

}  // namespace

std::string address_of(const HostPort& endpoint) {
  const bool bare_ipv6 =
      endpoint.host.find(':') != std::string::npos && !endpoint.host.starts_with('[');
  return bare_ipv6 ? format_text("[{}]:{}", endpoint.host, endpoint.port)
                   : format_text("{}:{}", endpoint.host, endpoint.port);
}

std::optional<std::string> address_of_url(std::string_view url, bool tls) {
  const std::string_view scheme = tls ? "https://" : "http://";
  if (!url.starts_with(scheme)) return std::nullopt;
  const auto rest = url.substr(scheme.size());
  const auto address = rest.substr(0, rest.find('/'));
  if (address.empty() || address.front() == ':') return std::nullopt;
  const auto colon = address.rfind(':');
  const bool has_port = colon != std::string_view::npos && address.back() != ']';
  return std::string(address) + (has_port ? "" : ":2379");
}

Endpoints::Endpoints(const std::vector<HostPort>& configured, std::uint64_t seed) {
  for (const auto& endpoint : configured) {
    const auto address = address_of(endpoint);
    if (!contains(configured_, address)) configured_.push_back(address);
  }
  addresses_ = configured_;
  if (!addresses_.empty()) current_ = addresses_[seed % addresses_.size()];
}

std::optional<Instant> Endpoints::failed_at(const std::string& address) const {
  const auto at = std::ranges::find(failures_, address, &Failed::address);
  return at == failures_.end() ? std::nullopt : std::optional(at->at);
}

std::string Endpoints::best(const std::vector<std::string>& except, Instant now) const {
  const auto at = std::ranges::find(addresses_, current_);
  const auto first = static_cast<std::size_t>(at == addresses_.end() ? 0 : at - addresses_.begin());
  std::string chosen;
  std::optional<Instant> chosen_failed_at;
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const auto& address = addresses_[(first + i) % addresses_.size()];
    if (contains(except, address)) continue;
    const auto failed = failed_at(address);
    if (!failed || now - *failed >= failure_remembered) return address;
    if (chosen.empty() || *failed < *chosen_failed_at) {
      chosen = address;
      chosen_failed_at = failed;
    }
  }
  return chosen;
}

void Endpoints::failed(const std::string& address, Instant now) {
  forget_failure(address);
  failures_.push_back({address, now});
  if (address != current_) return;
  const auto next = best({address}, now);
  if (!next.empty()) current_ = next;
}

void Endpoints::answered(const std::string& address) {
  forget_failure(address);
  if (failed_at(current_) && contains(addresses_, address)) current_ = address;
}

void Endpoints::forget_failure(const std::string& address) {
  std::erase_if(failures_, [&](const Failed& failure) { return failure.address == address; });
}

bool Endpoints::learn(std::vector<std::string> discovered) {
  const bool loopback_is_us = std::ranges::any_of(configured_, is_loopback);
  std::vector<std::string> list;
  const auto add = [&](const std::string& address) {
    if (!contains(list, address)) list.push_back(address);
  };
  for (const auto& address : discovered) {
    if (loopback_is_us || !is_loopback(address)) add(address);
  }
  for (const auto& address : configured_) add(address);
  // The order decides who is next; a list of the same members changes nothing.
  auto before = addresses_;
  auto after = list;
  std::ranges::sort(before);
  std::ranges::sort(after);
  if (before == after) return false;
  addresses_ = std::move(list);
  std::erase_if(failures_, [&](const Failed& f) { return !contains(addresses_, f.address); });
  if (!contains(addresses_, current_)) current_ = addresses_.empty() ? "" : addresses_.front();
  return true;
}

// Answers of a quorum never go back. While one has, the word of a single member is measured by it
// too: of an etcd without a past, all leases are gone, and no member is known.
bool Allegiance::has_lost_its_past(const wire::Header& header, Revision floor) {
  if (header.revision < floor) doubted_below_ = std::max(doubted_below_, floor);
  if (header.revision < doubted_below_) return true;
  if (floor > Revision(0)) doubted_below_ = Revision(0);
  return false;
}

Allegiance::Verdict Allegiance::judge(const wire::Header& header, Duration patience, Instant now,
                                      Revision floor) {
  if (header.cluster_id == 0 || header.raft_term == 0) return Verdict::believed;
  const bool first = cluster_id_ == 0;
  const bool foreign = header.cluster_id != cluster_id_;
  const bool stale =
      !foreign && (header.raft_term < raft_term_ || has_lost_its_past(header, floor));
  if (!first && (foreign || stale)) {
    if (now - believed_at_ < patience) return foreign ? Verdict::foreign : Verdict::stale;
  }
  cluster_id_ = header.cluster_id;
  raft_term_ = header.raft_term;
  believed_at_ = now;
  if (foreign || stale) doubted_below_ = Revision(0);
  return !first && (foreign || stale) ? Verdict::replaced : Verdict::believed;
}

}  // namespace tanist::store
