// SPDX-License-Identifier: Apache-2.0
// What HAProxy is told, and when it is decided. HAProxy itself: tests/integration/test_routing.py.
#include "routing/haproxy_runtime.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "os/clock.h"
#include "os/descriptor.h"

namespace tanist::routing {
namespace {

const HaproxyTarget target{"/run/h.sock", "primary", "a"};

TEST(HaproxyLine, WhoStopsIsDownAndItsSessionsEnd) {
  EXPECT_EQ(haproxy_line(target, {false, {"b"}}),
            "set server primary/a health down;shutdown sessions server primary/a\n");
}

TEST(HaproxyLine, WhoTakesWritesIsUpAndNobodyElseIs) {
  EXPECT_EQ(haproxy_line(target, {true, {"a", "b"}}),
            "set server primary/a health up;set server primary/b health down;"
            "shutdown sessions server primary/b\n");
}

TEST(HaproxyLine, TheAdministrativeStateIsNeverTouched) {
  for (const bool up : {true, false}) {
    EXPECT_EQ(haproxy_line(target, {up, {"b"}}).find("state"), std::string::npos);
  }
}

// A socket that takes what is said and answers nothing, as HAProxy does when all is well.
class Listener {
 public:
  Listener() {
    std::string pattern = std::filesystem::temp_directory_path() / "routing-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path = folder_ + "/h.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    socket_ = os::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Listener() { std::filesystem::remove_all(folder_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void listen() const { EXPECT_EQ(::listen(socket_.get(), 8), 0); }

  // What was said on the next connection; empty when there was none within a second.
  std::string heard(boost::asio::io_context& loop) const {
    os::Descriptor client;
    for (int i = 0; i < 500 && !client.open(); ++i) {
      loop.restart();
      loop.run_for(milliseconds(2));
      client = os::Descriptor(::accept(socket_.get(), nullptr, nullptr));
    }
    if (!client.open()) return {};
    for (int i = 0; i < 20; ++i) {
      loop.restart();
      loop.run_for(milliseconds(2));
    }
    std::string text(4096, '\0');
    const auto got = ::recv(client.get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

  std::string path;

 private:
  std::string folder_;
  os::Descriptor socket_;
};

TEST(HaproxyRuntime, SaysWhatHoldsAtTheMomentOfWriting) {
  boost::asio::io_context loop;
  Listener listener;
  bool up = true;
  int told = 0;
  HaproxyRuntime runtime(loop.get_executor(), {listener.path, "primary", "a"},
                         {[&] { return Moment{up, {}}; }, [&] { ++told; }});
  runtime.tell();  // nobody listens yet: the first attempt fails
  loop.run_for(milliseconds(20));
  up = false;  // the lock was lost meanwhile
  listener.listen();
  EXPECT_EQ(listener.heard(loop), haproxy_line({"", "primary", "a"}, {false, {}}));
  EXPECT_EQ(told, 0);  // `down` is no way to writes
}

TEST(HaproxyRuntime, AWordUnderWayIsFollowedByTheNext) {
  boost::asio::io_context loop;
  Listener listener;
  listener.listen();
  bool up = true;
  int told = 0;
  HaproxyRuntime runtime(loop.get_executor(), {listener.path, "primary", "a"},
                         {[&] { return Moment{up, {}}; }, [&] { ++told; }});
  runtime.tell();
  loop.run_for(milliseconds(5));
  up = false;
  runtime.tell();
  EXPECT_EQ(listener.heard(loop), haproxy_line({"", "primary", "a"}, {true, {}}));
  EXPECT_EQ(listener.heard(loop), haproxy_line({"", "primary", "a"}, {false, {}}));
  EXPECT_EQ(told, 1);
}

TEST(HaproxyRuntime, OneThatNeverAnswersIsLeftToPolling) {
  boost::asio::io_context loop;
  Listener listener;  // bound, but it does not listen
  int asked = 0;
  HaproxyRuntime runtime(loop.get_executor(), {listener.path, "primary", "a"},
                         {[&] {
                            ++asked;
                            return Moment{true, {}};
                          },
                          [] {}});
  const auto began = os::now();
  runtime.tell();
  EXPECT_LT(os::now() - began, milliseconds(50));  // whoever tells does not wait
  loop.run_for(seconds(2));
  EXPECT_EQ(asked, 0);  // no connection, no word
}

}  // namespace
}  // namespace tanist::routing
