// SPDX-License-Identifier: Apache-2.0
// The choice between sockets and TCP.
#include "postgres/local_address.h"

#include <algorithm>
#include <optional>

#include "postgres/parameter_value.h"
#include "postgres/parameters.h"

namespace tanist::postgres {

namespace {

std::string tcp_host(const std::vector<std::string>& listen_hosts) {
  const auto means_localhost = [](const std::string& host) {
    return host == "*" || host == "localhost" || host == "0.0.0.0" || host == "127.0.0.1";
  };
  if (listen_hosts.empty() || std::ranges::any_of(listen_hosts, means_localhost)) {
    return "localhost";
  }
  return listen_hosts.front();
}

// The first absolute folder of a comma list; nothing when it has none.
std::optional<std::string> first_socket_folder(std::string_view list) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    auto folder = without_spaces_around(list.substr(0, end));
    if (folder.size() > 1 && folder.front() == '"' && folder.back() == '"') {
      folder = folder.substr(1, folder.size() - 2);
    }
    if (folder.starts_with('/')) return std::string(folder);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return std::nullopt;
}

}  // namespace

LocalAddress local_address(const ServerSettings& settings) {
  LocalAddress address;
  const auto tcp = tcp_host(settings.listen_hosts);
  const auto* folders = find_value(settings.parameters, "unix_socket_directories");
  const auto folder = folders != nullptr ? first_socket_folder(*folders) : std::string();
  const auto choose = [&](bool by_socket) { return by_socket && folder ? *folder : tcp; };
  address.host = choose(settings.use_unix_socket);
  address.replication_host = choose(settings.use_unix_socket_repl);
  address.port = settings.port;
  return address;
}

LocalAddress local_address(const ServerSettings& settings, const PostmasterFile& file) {
  auto address = local_address(settings);
  if (file.port != 0) address.port = file.port;
  address.socket_folder = file.socket_folder;
  return address;
}

}  // namespace tanist::postgres
