// SPDX-License-Identifier: Apache-2.0
// A value with a meaning: Strong<Tag, T> is a T that mixes with nothing else.
// No arithmetic is inherited; a type that has some defines it beside its alias. Any thread.
#pragma once

#include <compare>
#include <functional>
#include <utility>

namespace tanist {

template <class Tag, class T>
class Strong {
 public:
  using Value = T;

  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(std::move(value)) {}

  constexpr const T& value() const { return value_; }

  friend auto operator<=>(const Strong&, const Strong&) = default;
  friend bool operator==(const Strong&, const Strong&) = default;

 private:
  T value_{};
};

}  // namespace tanist

template <class Tag, class T>
struct std::hash<tanist::Strong<Tag, T>> {
  std::size_t operator()(const tanist::Strong<Tag, T>& strong) const {
    return std::hash<T>{}(strong.value());
  }
};
