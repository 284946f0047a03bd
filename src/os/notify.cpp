// SPDX-License-Identifier: Apache-2.0
// One datagram a message, to the socket that systemd named.
#include "os/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "base/format.h"
#include "os/clock.h"

namespace tanist::os {

ServiceNotifier::ServiceNotifier(const std::string& socket) {
  const bool usable = !socket.empty() && socket.size() < sizeof(sockaddr_un::sun_path) &&
                      (socket.front() == '/' || socket.front() == '@');
  if (!usable) return;
  socket_ = socket;
  sender_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

void ServiceNotifier::ready() { send("READY=1"); }

void ServiceNotifier::reloading() {
  send(format_text("RELOADING=1\nMONOTONIC_USEC={}", monotonic_now().count()));
}

void ServiceNotifier::stopping() { send("STOPPING=1"); }

void ServiceNotifier::status(std::string_view line) { send(format_text("STATUS={}", line)); }

void ServiceNotifier::send(std::string_view message) {
  if (!sender_.open()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  sendto(sender_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace tanist::os
