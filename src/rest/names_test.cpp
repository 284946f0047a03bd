// SPDX-License-Identifier: Apache-2.0
// Looking names up in the background, with a resolver that does what the test says.
#include "rest/names.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace tanist::rest {
namespace {

namespace asio = boost::asio;

Addresses one(const std::string& text) { return {asio::ip::make_address(text)}; }

// A resolver that hangs until it is told what to say.
class Resolver {
 public:
  NameBook::LookUp hook() {
    return [state = state_](const std::string&) {
      std::unique_lock lock(state->mutex);
      ++state->asked;
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->answer.has_value(); });
      return *state->answer;
    };
  }

  void say(Result<Addresses> answer) {
    const std::lock_guard lock(state_->mutex);
    state_->answer = std::move(answer);
    state_->changed.notify_all();
  }

  int asked() const {
    const std::lock_guard lock(state_->mutex);
    return state_->asked;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<Addresses>> answer;
    int asked = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

class Names : public testing::Test {
 protected:
  // Runs the executor until `done`, at most some seconds.
  void run_until(const std::function<bool()>& done) {
    const auto work = asio::make_work_guard(io_);
    io_.restart();
    for (int i = 0; i < 1000 && !done(); ++i) io_.run_one_for(milliseconds(10));
    EXPECT_TRUE(done());
  }

  Result<Addresses> find(NameBook& book, const std::string& host) {
    std::optional<Result<Addresses>> found;
    book.find(host, [&](Result<Addresses> result) { found = std::move(result); });
    EXPECT_FALSE(found) << "called back within find()";
    run_until([&] { return found.has_value(); });
    return found ? *found : tl::unexpected(Error{});
  }

  asio::io_context io_;
  Resolver resolver_;
};

TEST_F(Names, LiteralAddressesAskNobody) {
  NameBook book(io_.get_executor(), resolver_.hook());
  EXPECT_EQ(*find(book, "10.0.0.1"), one("10.0.0.1"));
  EXPECT_EQ(*find(book, "::1"), one("::1"));
  EXPECT_EQ(book.known("10.0.0.1"), one("10.0.0.1"));
  EXPECT_EQ(resolver_.asked(), 0);
}

TEST_F(Names, LastGoodAnswerStaysInUse) {
  NameBook book(io_.get_executor(), resolver_.hook());
  resolver_.say(one("10.0.0.1"));
  EXPECT_EQ(*find(book, "db1"), one("10.0.0.1"));
  resolver_.say(fail(Errc::unavailable, "no resolver"));
  bool settled = false;
  book.refresh("db1", Duration{});
  book.when_settled({"db1"}, [&] { settled = true; });
  run_until([&] { return settled; });
  EXPECT_EQ(resolver_.asked(), 2);
  EXPECT_EQ(book.known("db1"), one("10.0.0.1"));
  EXPECT_EQ(*find(book, "db1"), one("10.0.0.1"));
}

TEST_F(Names, RefreshTakesUpANewAddress) {
  NameBook book(io_.get_executor(), resolver_.hook());
  resolver_.say(one("10.0.0.1"));
  EXPECT_TRUE(find(book, "db1"));
  resolver_.say(one("10.0.0.2"));
  book.refresh("db1", seconds(100));
  EXPECT_EQ(resolver_.asked(), 1) << "too young to be asked again";
  book.refresh("db1", Duration{});
  run_until([&] { return book.known("db1") == one("10.0.0.2"); });
}

TEST_F(Names, UnknownNameFailsWithTheResolversReason) {
  NameBook book(io_.get_executor(), resolver_.hook());
  resolver_.say(fail(Errc::unavailable, "no such host"));
  const auto found = find(book, "db1");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "no such host");
  resolver_.say(Addresses{});
  EXPECT_FALSE(find(book, "db2"));
  EXPECT_TRUE(book.known("db1").empty());
}

TEST_F(Names, OneLookUpServesAllWhoWait) {
  NameBook book(io_.get_executor(), resolver_.hook());
  int found = 0;
  for (int i = 0; i < 5; ++i) book.find("db1", [&](const Result<Addresses>&) { ++found; });
  run_until([&] { return resolver_.asked() == 1; });
  resolver_.say(one("10.0.0.1"));
  run_until([&] { return found == 5; });
  EXPECT_EQ(resolver_.asked(), 1);
}

TEST_F(Names, HangingLookUpsAreBoundedAndDelayNoOtherName) {
  NameBook book(io_.get_executor(), resolver_.hook());
  std::atomic<int> failed = 0;
  for (int i = 0; i < 20; ++i) {
    book.find("db" + std::to_string(i), [&](const Result<Addresses>& result) {
      if (!result) ++failed;
    });
  }
  run_until([&] { return failed == 4; });
  EXPECT_EQ(*find(book, "10.0.0.9"), one("10.0.0.9"));
  resolver_.say(one("10.0.0.1"));
  run_until([&] { return !book.known("db0").empty() && !book.known("db15").empty(); });
}

TEST_F(Names, NobodyIsCalledAfterTheEnd) {
  auto book = std::make_unique<NameBook>(io_.get_executor(), resolver_.hook());
  bool called = false;
  book->find("db1", [&](const Result<Addresses>&) { called = true; });
  book->when_settled({"db1"}, [&] { called = true; });
  run_until([&] { return resolver_.asked() == 1; });
  book.reset();
  resolver_.say(one("10.0.0.1"));
  io_.restart();
  io_.run_for(milliseconds(50));
  EXPECT_FALSE(called);
}

TEST_F(Names, ExecutorMayGoWhileALookUpHangs) {
  {
    asio::io_context short_lived;
    NameBook book(short_lived.get_executor(), resolver_.hook());
    book.refresh("db1", Duration{});
    while (resolver_.asked() == 0) std::this_thread::yield();
  }
  resolver_.say(one("10.0.0.1"));
}

TEST(LookUp, AsksTheSystem) {
  const auto local = look_up("localhost");
  ASSERT_TRUE(local);
  EXPECT_TRUE(local->front().is_loopback());
  const auto none = look_up("no-such-host.invalid");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unavailable);
  EXPECT_NE(none.error().message.find("no-such-host.invalid"), std::string::npos);
}

}  // namespace
}  // namespace tanist::rest
