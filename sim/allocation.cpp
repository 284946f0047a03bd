// SPDX-License-Identifier: Apache-2.0
// Memory for a program of one thread that takes and gives back small pieces all the time: the
// general allocator was a fifth of a run's cost. Pieces of one size come from chunks of their own,
// and what is given back is the next to be taken. Linked into tanist-sim and its mutants only;
// sanitizers keep their own.
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TANIST_SIM_KEEPS_ALLOCATOR
#endif
#endif
#if !defined(TANIST_SIM_KEEPS_ALLOCATOR) && !defined(__SANITIZE_ADDRESS__)

namespace {

constexpr std::size_t unit = 16;
constexpr std::size_t units_max = 64;  // larger pieces are left to the general allocator
constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;
constexpr std::size_t region_bytes =
    std::size_t{8} * 1024 * 1024 * 1024;  // of addresses, not memory

struct Free {
  Free* next;
};

struct Region {
  char* begin = nullptr;
  char* next = nullptr;                                          // chunk
  std::array<std::uint8_t, region_bytes / chunk_bytes> units{};  // of the pieces of each chunk
  std::array<Free*, units_max + 1> free{};

  bool has(const void* piece) const { return piece >= begin && piece < next; }
  bool open() {
    void* got = mmap(nullptr, region_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) return false;
    begin = next = static_cast<char*>(got);
    return true;
  }
  // Another chunk of pieces of this size; false when there is none.
  bool refill(std::size_t count) {
    if (begin == nullptr && !open()) return false;
    if (next == begin + region_bytes) return false;
    const auto size = count * unit;
    units[static_cast<std::size_t>(next - begin) / chunk_bytes] = static_cast<std::uint8_t>(count);
    for (auto* piece = next; piece + size <= next + chunk_bytes; piece += size) {
      give(count, piece);
    }
    next += chunk_bytes;
    return true;
  }
  void give(std::size_t count, void* piece) { free[count] = ::new (piece) Free{free[count]}; }
};

constinit Region region;

void* take(std::size_t bytes) {
  const auto count = (bytes + unit - 1) / unit;
  if (count == 0) return take(unit);
  if (count <= units_max && (region.free[count] != nullptr || region.refill(count))) {
    auto* piece = region.free[count];
    region.free[count] = piece->next;
    return piece;
  }
  void* piece = std::malloc(bytes);  // NOLINT(cppcoreguidelines-no-malloc)
  if (piece == nullptr) std::abort();
  return piece;
}

void give_back(void* piece) {
  if (!region.has(piece)) return std::free(piece);  // NOLINT(cppcoreguidelines-no-malloc)
  const auto chunk =
      static_cast<std::size_t>(static_cast<char*>(piece) - region.begin) / chunk_bytes;
  region.give(region.units[chunk], piece);
}

}  // namespace

void* operator new(std::size_t bytes) { return take(bytes); }
void* operator new[](std::size_t bytes) { return take(bytes); }
void operator delete(void* piece) noexcept { give_back(piece); }
void operator delete[](void* piece) noexcept { give_back(piece); }
void operator delete(void* piece, std::size_t) noexcept { give_back(piece); }
void operator delete[](void* piece, std::size_t) noexcept { give_back(piece); }

#endif
