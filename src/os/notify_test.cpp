// SPDX-License-Identifier: Apache-2.0
// What systemd would receive.
#include "os/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace tanist::os {
namespace {

// Listens like systemd on an abstract socket that only this test knows.
class Listener {
 public:
  Listener()
      : name_(fmt_name()), socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name_.data() + 1, name_.size() - 1);
    const auto length = offsetof(sockaddr_un, sun_path) + name_.size();
    EXPECT_EQ(
        bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(length)),
        0);
  }
  const std::string& name() const { return name_; }
  std::string next() {
    char buffer[1000];
    const auto length = recv(socket_.get(), buffer, sizeof buffer, 0);
    return length < 0 ? "" : std::string(buffer, static_cast<std::size_t>(length));
  }

 private:
  static std::string fmt_name() { return "@tanist-notify-test-" + std::to_string(getpid()); }
  std::string name_;
  Descriptor socket_;
};

TEST(ServiceNotifierOf, SpeaksTheProtocol) {
  Listener systemd;
  ServiceNotifier notifier(systemd.name());
  notifier.ready();
  EXPECT_EQ(systemd.next(), "READY=1");
  notifier.reloading();
  const auto text = systemd.next();
  EXPECT_TRUE(text.starts_with("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_GT(std::stoll(text.substr(text.find("USEC=") + 5)), 0);
  notifier.stopping();
  EXPECT_EQ(systemd.next(), "STOPPING=1");
  notifier.status("no action");
  EXPECT_EQ(systemd.next(), "STATUS=no action");
}

TEST(ServiceNotifierOf, IsSilentWithoutASocketAndWithABadOne) {
  for (const auto* name : {"", "relative", "/no/such/socket"}) {
    ServiceNotifier notifier{name};
    notifier.ready();
  }
  ServiceNotifier too_long(std::string(300, '/'));
  too_long.ready();
}

}  // namespace
}  // namespace tanist::os
