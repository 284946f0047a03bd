// SPDX-License-Identifier: Apache-2.0
// What is an address of a machine, what a network, and how each is written.
#include "provision/address.h"

#include <gtest/gtest.h>

namespace tanist::provision {
namespace {

TEST(Address, IsWrittenInCanonicalForm) {
  EXPECT_EQ(Address::parse("192.168.122.48")->text(), "192.168.122.48");
  EXPECT_EQ(Address::parse("FD00:0:0::1")->text(), "fd00::1");
}

TEST(Address, OfVersionSixStandsInBracketsBeforeAPort) {
  EXPECT_EQ(Address::parse("fd00::1")->with_port(5432), "[fd00::1]:5432");
  EXPECT_EQ(Address::parse("10.0.0.1")->with_port(5432), "10.0.0.1:5432");
}

TEST(Address, AloneIsTheLongestNetwork) {
  EXPECT_EQ(Address::parse("fd00::1")->as_network(), "fd00::1/128");
  EXPECT_EQ(Address::parse("10.0.0.1")->as_network(), "10.0.0.1/32");
}

TEST(Address, KnowsTheMachinesOwnOnes) {
  EXPECT_TRUE(Address::parse("127.0.0.11")->is_loopback());
  EXPECT_TRUE(Address::parse("::1")->is_loopback());
  EXPECT_FALSE(Address::parse("128.0.0.1")->is_loopback());
}

TEST(Address, IsRefusedWhenNoMachineCanHaveIt) {
  for (const auto* text :
       {"", "pg-1", "192.168.122", "192.168.122.256", "10.0.0.1/32", "10.0.0.1:5432", "0.0.0.0",
        "::", "224.0.0.1", "255.255.255.255", "ff02::1", "fe80::1%eth0", "[::1]", " 10.0.0.1"}) {
    EXPECT_FALSE(Address::parse(text).has_value()) << text;
  }
}

TEST(Network, HasItsHostBitsCleared) {
  EXPECT_EQ(Network::parse("192.168.122.48/24")->text(), "192.168.122.0/24");
  EXPECT_EQ(Network::parse("10.255.255.255/9")->text(), "10.128.0.0/9");
  EXPECT_EQ(Network::parse("fd00:1:2:3::4/60")->text(), "fd00:1:2::/60");
  EXPECT_EQ(Network::parse("1.2.3.4/0")->text(), "0.0.0.0/0");
}

TEST(Network, OfABareAddressHoldsItAlone) {
  EXPECT_EQ(Network::parse("10.1.2.3")->text(), "10.1.2.3/32");
  EXPECT_EQ(Network::parse("fd00::1")->text(), "fd00::1/128");
}

TEST(Network, IsRefusedWhenItsPrefixIsNoLength) {
  for (const auto* text : {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "fd00::/129",
                           "localhost/8", "/8"}) {
    EXPECT_FALSE(Network::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tanist::provision
