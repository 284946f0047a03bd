// SPDX-License-Identifier: Apache-2.0
// The sorting of errors, row by row.
#include "store/etcd3_trouble.h"

#include <gtest/gtest.h>

namespace tanist::store {

namespace {

using wire::Code;

Trouble sorted(Code code, std::string text) { return sort_out({code, std::move(text)}); }

TEST(Trouble, Trap6WhatIsNotKnownIsUnclear) {
  EXPECT_EQ(sorted(Code::internal, "whatever"), Trouble::unclear);
  EXPECT_EQ(sorted(Code::failed_precondition, "etcdserver: something new"), Trouble::unclear);
  EXPECT_EQ(sorted(Code::invalid_argument, ""), Trouble::unclear);
  EXPECT_EQ(sorted(static_cast<Code>(99), "?"), Trouble::unclear);
}

TEST(Trouble, EtcdsTextsAreKnown) {
  EXPECT_EQ(sorted(Code::unavailable, "etcdserver: no leader"), Trouble::leaderless);
  EXPECT_EQ(sorted(Code::unavailable, "etcdserver: rpc not supported for learner"),
            Trouble::leaderless);
  EXPECT_EQ(sorted(Code::unavailable, "etcdserver: leader changed"), Trouble::unreachable);
  EXPECT_EQ(sorted(Code::unknown, "etcdserver: not a primary lessor"), Trouble::unreachable);
  EXPECT_EQ(sorted(Code::unavailable, "etcdserver: request timed out"), Trouble::unreachable);
  EXPECT_EQ(sorted(Code::resource_exhausted, "etcdserver: too many requests"), Trouble::busy);
  EXPECT_EQ(sorted(Code::resource_exhausted, "etcdserver: mvcc: database space exceeded"),
            Trouble::no_space);
  EXPECT_EQ(sorted(Code::not_found, "etcdserver: requested lease not found"), Trouble::lease_gone);
  EXPECT_EQ(sorted(Code::invalid_argument, "etcdserver: request is too large"), Trouble::too_large);
  EXPECT_EQ(sorted(Code::failed_precondition, "etcdserver: authentication is not enabled"),
            Trouble::auth_off);
  EXPECT_EQ(sorted(Code::invalid_argument,
                   "etcdserver: authentication failed, invalid user ID or password"),
            Trouble::denied);
  EXPECT_EQ(sorted(Code::unauthenticated, "etcdserver: invalid auth token"), Trouble::token);
  EXPECT_EQ(sorted(Code::invalid_argument, "etcdserver: revision of auth store is old"),
            Trouble::token);
  EXPECT_EQ(sorted(Code::permission_denied, "etcdserver: permission denied"), Trouble::permission);
}

TEST(Trouble, ConnectionErrorsAreSortedByWhetherAnythingWasSent) {
  EXPECT_EQ(sorted(Code::unavailable, "failed to connect to all addresses; last error: x"),
            Trouble::unconnected);
  EXPECT_EQ(sorted(Code::unavailable, "Socket closed"), Trouble::unreachable);
  EXPECT_EQ(sorted(Code::deadline_exceeded, "Deadline Exceeded"), Trouble::unreachable);
}

TEST(Trouble, OnlyWhatWasCertainlyNotDoneMayBeSentAgain) {
  EXPECT_FALSE(surely_not_done(Trouble::unreachable));
  EXPECT_FALSE(surely_not_done(Trouble::unclear));
  EXPECT_TRUE(surely_not_done(Trouble::unconnected));
  EXPECT_TRUE(surely_not_done(Trouble::leaderless));
  EXPECT_TRUE(surely_not_done(Trouble::no_space));
  EXPECT_TRUE(surely_not_done(Trouble::token));
}

TEST(Trouble, WhatIsUnclearIsWorthRepeating) {
  EXPECT_TRUE(worth_repeating(Trouble::unclear));
  EXPECT_FALSE(worth_repeating(Trouble::denied));
  EXPECT_FALSE(worth_repeating(Trouble::lease_gone));
}

}  // namespace

}  // namespace tanist::store
