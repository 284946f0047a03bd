// SPDX-License-Identifier: Apache-2.0
// Names, and what happens when nobody answers for them.
#include "sql/address_book.h"

#include <gtest/gtest.h>

#include "os/run_loop.h"

namespace tanist::sql {
namespace {

class AddressBookTest : public testing::Test {
 protected:
  Result<std::vector<std::string>> find(const std::string& host, os::Limit limit = {}) {
    return os::run_until_done(loop, book.find(host, std::move(limit)));
  }
  boost::asio::io_context loop;
  os::DiskPool pool;
  AddressBook book{pool};
};

TEST_F(AddressBookTest, ANumericAddressIsItself) {
  EXPECT_EQ(*find("10.1.2.3"), std::vector<std::string>{"10.1.2.3"});
  EXPECT_EQ(*find("::1"), std::vector<std::string>{"::1"});
}

TEST_F(AddressBookTest, KeepsTheLastGoodAnswer) {
  const auto first = find("localhost");
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->empty());
  const auto stop = std::make_shared<os::Stop>();
  stop->request();  // the look-up cannot succeed now
  EXPECT_EQ(*find("localhost", os::Limit{.stop = stop}), *first);
}

TEST_F(AddressBookTest, SaysThatANameHasNoAddress) {
  const auto missing = find("no-such-host.invalid");
  EXPECT_EQ(missing.error().code, Errc::unavailable);
  EXPECT_NE(missing.error().message.find("no-such-host.invalid"), std::string::npos);
}

}  // namespace
}  // namespace tanist::sql
