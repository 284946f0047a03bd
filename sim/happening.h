// SPDX-License-Identifier: Apache-2.0
// What is planned for later, kept in place until it happens: a run plans hundreds of thousands of
// things an hour, and neither moves nor allocates for them. Owned by the world.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace tanist::sim {

class Happenings {
 public:
  using Number = std::uint32_t;

  Happenings() = default;
  Happenings(const Happenings&) = delete;
  Happenings& operator=(const Happenings&) = delete;

  template <class What>
  Number keep(What&& what) {
    using Kept = std::decay_t<What>;
    const auto number = free_place();
    auto& place = at(number);
    if constexpr (sizeof(Kept) <= Place::size && alignof(Kept) <= alignof(std::max_align_t)) {
      ::new (static_cast<void*>(place.room)) Kept(std::forward<What>(what));
      place.end = [](Place& of, bool happens) {
        auto& kept = *std::launder(reinterpret_cast<Kept*>(of.room));
        if (happens) kept();
        kept.~Kept();
      };
    } else {
      using Owner = std::unique_ptr<Kept>;
      ::new (static_cast<void*>(place.room)) Owner(new Kept(std::forward<What>(what)));
      place.end = [](Place& of, bool happens) {
        auto& owner = *std::launder(reinterpret_cast<Owner*>(of.room));
        if (happens) (*owner)();
        owner.~Owner();
      };
    }
    return number;
  }

  // It may keep others meanwhile: places do not move.
  void happen(Number number) { finish(number, true); }
  void drop(Number number) { finish(number, false); }

 private:
  static constexpr Number none = UINT32_MAX;

  struct Place {
    static constexpr std::size_t size = 240;  // an input of the store machine fits
    void (*end)(Place&, bool happens) = nullptr;
    Number next_free = none;
    alignas(std::max_align_t) std::byte room[size];
  };
  static constexpr Number chunk_size = 64;

  Place& at(Number number) { return chunks_[number / chunk_size][number % chunk_size]; }
  void finish(Number number, bool happens) {
    auto& place = at(number);
    place.end(place, happens);
    place.next_free = free_;
    free_ = number;
  }
  Number free_place() {
    if (free_ == none) add_chunk();
    const auto number = free_;
    free_ = at(number).next_free;
    return number;
  }
  void add_chunk() {
    const auto first = static_cast<Number>(chunks_.size()) * chunk_size;
    chunks_.push_back(std::make_unique<Place[]>(chunk_size));
    for (Number i = chunk_size; i > 0; --i) {
      at(first + i - 1).next_free = free_;
      free_ = first + i - 1;
    }
  }

  std::vector<std::unique_ptr<Place[]>> chunks_;
  Number free_ = none;  // the first of the free places
};

}  // namespace tanist::sim
