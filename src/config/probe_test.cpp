// SPDX-License-Identifier: Apache-2.0
// Questions to the machine.
#include "config/probe.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tanist::config {
namespace {

// Listens on a free port of the test's own address.
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, "127.41.0.1", &address.sin_addr);
    bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(socket_, 5);
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { stop(); }
  void stop() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

TEST(Answers, TellsWhetherSomebodyListens) {
  Listener listener;
  EXPECT_TRUE(answers({"127.41.0.1", listener.port()}, seconds(5)));
  listener.stop();
  EXPECT_FALSE(answers({"127.41.0.1", listener.port()}, seconds(5)));
  EXPECT_FALSE(answers({"no-such-host.invalid", 1}, seconds(1)));
}

class Programs : public testing::Test {
 protected:
  Programs() {
    std::string name = testing::TempDir() + "tanist-programs-XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~Programs() override { std::filesystem::remove_all(folder); }
  std::string script(const std::string& name, const std::string& body) {
    const auto path = folder + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    chmod(path.c_str(), 0755);
    return path;
  }
  std::string folder;
};

TEST_F(Programs, AreFoundInTheirFolderOrInPath) {
  const auto path = script("prog", "exit 0");
  EXPECT_EQ(find_program("prog", folder), path);
  EXPECT_EQ(find_program("absent", folder), "");
  EXPECT_EQ(find_program("prog", ""), "");
  EXPECT_NE(find_program("sh", ""), "");
  EXPECT_EQ(find_program(path, "/elsewhere"), path);
}

TEST_F(Programs, TellTheirVersion) {
  const auto path = script("postgres", "echo 'postgres (PostgreSQL) 15.4'; echo more");
  EXPECT_EQ(*version_text(path, seconds(10)), "postgres (PostgreSQL) 15.4");
  EXPECT_FALSE(version_text(folder + "/absent", seconds(1)));
  EXPECT_FALSE(version_text(script("silent", "exit 1"), seconds(10)));
}

TEST_F(Programs, DoNotHoldUsUp) {
  EXPECT_FALSE(version_text(script("slow", "exec sleep 1000"), milliseconds(20)));
}

TEST(MajorVersion, IsReadFromTheUsualTexts) {
  EXPECT_EQ(*major_version_in("postgres (PostgreSQL) 15.4 (Debian 15.4-1)"), 15);
  EXPECT_EQ(*major_version_in("postgres (PostgreSQL) 9.6.24"), 906);
  EXPECT_EQ(*major_version_in("17beta1"), 17);
  EXPECT_EQ(*major_version_in("15\n"), 15);
  for (const auto* text : {"", "none", "postgres 0", "999999999999999999999"}) {
    EXPECT_FALSE(major_version_in(text)) << text;
  }
}

TEST(OwnName, IsKnown) { EXPECT_FALSE(own_host_name().empty()); }

}  // namespace
}  // namespace tanist::config
