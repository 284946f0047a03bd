// SPDX-License-Identifier: Apache-2.0
// The authentication token: whether one is needed, held or refused (contract dcs 8, trap 158).
// Sends nothing itself. Pure; owned by one machine.
#pragma once

#include <string>
#include <utility>

#include "base/secret.h"
#include "base/time.h"

namespace tanist::store {

class Tokens {
 public:
  Tokens(std::string user, Secret password)
      : user_(std::move(user)), password_(std::move(password)) {}

  bool has_credentials() const { return !user_.empty() && !password_.empty(); }
  const std::string& user() const { return user_; }
  const Secret& password() const { return password_; }

  // A request may go out now, with token(), which is empty if none is needed.
  bool ready() const { return !has_credentials() || state_ == State::held || state_ == State::off; }
  const Secret& token() const { return token_; }
  // Grows with each token: tells whether a rejected one is still the current one.
  std::uint64_t generation() const { return generation_; }

  // A password that etcd refused is not tried again at once; until then requests fail.
  bool refused(Instant now) const {
    return state_ == State::refused && now - changed_at_ < seconds(1);
  }
  // A permission that is missing with a token of just now is missing indeed.
  bool fresh(Instant now) const { return state_ == State::held && now - changed_at_ < seconds(1); }

  void hold(Secret token, Instant now) {
    token_ = std::move(token);
    ++generation_;
    become(State::held, now);
  }
  void not_needed(Instant now) { become(State::off, now); }
  void refuse(Instant now) { become(State::refused, now); }
  void drop(Instant now) {
    token_ = Secret();
    become(State::missing, now);
  }
  void replace_credentials(std::string user, Secret password, Instant now) {
    user_ = std::move(user);
    password_ = std::move(password);
    drop(now);
  }

 private:
  enum class State { missing, held, off, refused };

  void become(State state, Instant now) {
    state_ = state;
    changed_at_ = now;
  }

  std::string user_;
  Secret password_;
  State state_ = State::missing;
  Secret token_;
  std::uint64_t generation_ = 0;
  Instant changed_at_;
};

}  // namespace tanist::store
