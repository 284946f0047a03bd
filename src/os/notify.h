// SPDX-License-Identifier: Apache-2.0
// Tells systemd how the service is (sd_notify's protocol, without its library). Never waits: a
// datagram that finds no room is dropped. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "os/descriptor.h"

namespace tanist::os {

class ServiceNotifier {
 public:
  // `socket`: the value of NOTIFY_SOCKET ("/path" or "@abstract"); empty = nobody listens.
  explicit ServiceNotifier(const std::string& socket);

  void ready();
  // Carries MONOTONIC_USEC, without which `systemctl reload` hangs on systemd 257 (trap 139).
  void reloading();
  void stopping();
  // One line for `systemctl status`.
  void status(std::string_view line);

 private:
  void send(std::string_view message);

  std::string socket_;
  Descriptor sender_;
};

}  // namespace tanist::os
