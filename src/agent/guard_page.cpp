// SPDX-License-Identifier: Apache-2.0
// memfd and mapping of the guard's page.
#include "agent/guard_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/assert.h"
#include "os/file.h"

namespace tanist::agent {

namespace {

constexpr Duration margin_min = milliseconds(500);
// Descriptors below are those that a child gets under fixed numbers.
constexpr int first_own_descriptor = 10;

using BootId = std::array<std::uint64_t, 2>;

// "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" as two words.
Result<BootId> read_boot_id() {
  const auto text = os::read_file("/proc/sys/kernel/random/boot_id", 256);
  if (!text) return pass_on(text.error());
  BootId id{};
  std::size_t digits = 0;
  for (const char letter : *text) {
    const char* hex = "0123456789abcdef";
    const char* at = letter == '\0' ? nullptr : std::strchr(hex, letter);
    if (at == nullptr) continue;
    if (digits == 32) break;
    auto& word = id[digits++ / 16];
    word = word << 4U | static_cast<std::uint64_t>(at - hex);
  }
  if (digits != 32) return fail(Errc::invalid, "the kernel's boot id is no UUID: {}", *text);
  return id;
}

Result<guard_page*> map(int memory) {
  void* at = mmap(nullptr, GUARD_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (at == MAP_FAILED) {
    return fail(Errc::failed, "cannot map the guard's page: {}", std::strerror(errno));
  }
  return static_cast<guard_page*>(at);
}

// MFD_NOEXEC_SEAL: required where vm.memfd_noexec is 2, unknown to kernels before 6.3.
Descriptor create_memory() {
  constexpr unsigned no_exec_seal = 8;
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  Descriptor low(memfd_create("tanist-guard-page", flags | no_exec_seal));
  if (!low.open()) low = Descriptor(memfd_create("tanist-guard-page", flags));
  return Descriptor(fcntl(low.get(), F_DUPFD_CLOEXEC, first_own_descriptor));
}

template <std::size_t size>
void copy_text(char (&into)[size], const std::string& text) {
  std::memcpy(into, text.c_str(), text.size() + 1);
}

}  // namespace

GuardPage::GuardPage(Descriptor memory, guard_page* page)
    : memory_(std::move(memory)), page_(page) {}

GuardPage::GuardPage(GuardPage&& other) noexcept
    : memory_(std::move(other.memory_)), page_(std::exchange(other.page_, nullptr)) {}

GuardPage::~GuardPage() {
  if (page_ != nullptr) munmap(page_, GUARD_PAGE_BYTES);
}

Result<GuardPage> GuardPage::create(const std::string& directory, const std::string& server_name) {
  if (directory.size() >= GUARD_PATH_BYTES || !directory.starts_with('/')) {
    return fail(Errc::invalid, "data directory {} is not absolute or longer than {} bytes",
                directory, GUARD_PATH_BYTES - 1);
  }
  if (server_name.size() >= GUARD_NAME_BYTES) {
    return fail(Errc::invalid, "executable name {} is longer than {} bytes", server_name,
                GUARD_NAME_BYTES - 1);
  }
  const auto boot_id = read_boot_id();
  if (!boot_id) return pass_on(boot_id.error());
  Descriptor memory = create_memory();
  if (!memory.open() || ftruncate(memory.get(), GUARD_PAGE_BYTES) != 0 ||
      fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return fail(Errc::failed, "cannot create the guard's page: {}", std::strerror(errno));
  }
  const auto mapped = map(memory.get());
  if (!mapped) return pass_on(mapped.error());
  GuardPage page(std::move(memory), *mapped);
  auto& words = *page.page_;
  words.magic = GUARD_PAGE_MAGIC;
  words.layout = GUARD_LAYOUT;
  words.boot_id[0] = (*boot_id)[0];
  words.boot_id[1] = (*boot_id)[1];
  copy_text(words.directory, directory);
  copy_text(words.server_name, server_name);
  page.raise_margin(margin_min);
  page.name_directory();
  return page;
}

Result<GuardPage> GuardPage::take_over(Descriptor memory, const std::string& directory) {
  struct stat status{};
  const int seals = fcntl(memory.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(memory.get(), &status) != 0 ||
      status.st_size != GUARD_PAGE_BYTES) {
    return fail(Errc::invalid, "the running guard's page has another size or is not sealed");
  }
  const auto boot_id = read_boot_id();
  if (!boot_id) return pass_on(boot_id.error());
  Descriptor high(fcntl(memory.get(), F_DUPFD_CLOEXEC, first_own_descriptor));
  const auto mapped = map(high.get());
  if (!mapped) return pass_on(mapped.error());
  GuardPage page(std::move(high), *mapped);
  const auto& words = *page.page_;
  if (words.magic != GUARD_PAGE_MAGIC) {
    return fail(Errc::invalid, "the running guard's page is of an unknown kind");
  }
  if (words.boot_id[0] != (*boot_id)[0] || words.boot_id[1] != (*boot_id)[1]) {
    return fail(Errc::invalid, "the running guard's page is of an earlier boot");
  }
  if (strnlen(words.directory, GUARD_PATH_BYTES) != directory.size() ||
      std::memcmp(words.directory, directory.data(), directory.size()) != 0) {
    return fail(Errc::invalid, "the running guard is not for data directory {}", directory);
  }
  return page;
}

ServerMode GuardPage::mode() const {
  switch (guard_mode_of(guard_load(&page_->order))) {
    case GUARD_MODE_STANDBY: return ServerMode::standby;
    case GUARD_MODE_PRIMARY: return ServerMode::primary;
    case GUARD_MODE_NONE: break;
  }
  return ServerMode::none;
}

std::optional<Instant> GuardPage::deadline() const {
  const auto order = guard_load(&page_->order);
  if (guard_mode_of(order) != GUARD_MODE_PRIMARY) return std::nullopt;
  return to_instant(guard_deadline_of(order));
}

Duration GuardPage::margin() const {
  return Duration(static_cast<std::int64_t>(guard_load(&page_->margin)));
}

bool GuardPage::expired(Instant now) const {
  const auto until = deadline();
  return until && now >= *until - margin();
}

Reign GuardPage::reign() const {
  return Reign{LeaseId(static_cast<std::int64_t>(guard_load(&page_->reign_lease))),
               Revision(static_cast<std::int64_t>(guard_load(&page_->reign_revision)))};
}

std::optional<ProcessIdentity> GuardPage::postmaster() const {
  const auto word = guard_load(&page_->postmaster);
  if (word == 0) return std::nullopt;
  return ProcessIdentity{static_cast<std::int64_t>(guard_pid_of(word)), guard_start_ticks_of(word)};
}

void GuardPage::arm(const Reign& reign, Instant deadline) {
  const auto change = guard_arm(page_, static_cast<std::uint64_t>(reign.lease.value()),
                                static_cast<std::uint64_t>(reign.create_revision.value()),
                                to_nanoseconds(deadline));
  guard_apply(&change);
}

void GuardPage::set_mode(ServerMode mode) {
  TANIST_REQUIRE(mode != ServerMode::primary);
  guard_set_mode(page_, mode == ServerMode::standby ? GUARD_MODE_STANDBY : GUARD_MODE_NONE);
}

void GuardPage::raise_margin(Duration margin) {
  TANIST_REQUIRE(margin >= Duration::zero());
  guard_raise_margin(page_, static_cast<std::uint64_t>(margin.count()));
}

void GuardPage::set_postmaster(const std::optional<ProcessIdentity>& postmaster) {
  const auto word = postmaster ? guard_process_of(static_cast<std::uint64_t>(postmaster->pid),
                                                  postmaster->start_ticks)
                               : 0;
  guard_store(&page_->postmaster, word);
}

void GuardPage::name_directory() {
  struct stat status{};
  if (stat(page_->directory, &status) != 0) return;
  const auto change = guard_name_directory(page_, status.st_dev, status.st_ino);
  guard_apply(&change);
}

}  // namespace tanist::agent
