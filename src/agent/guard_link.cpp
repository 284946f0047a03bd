// SPDX-License-Identifier: Apache-2.0
// Page and process put together.
#include "agent/guard_link.h"

#include <csignal>
#include <filesystem>

#include "agent/guard_keeper.h"
#include "base/log.h"
#include "os/clock.h"

namespace tanist::agent {

namespace {

constexpr Duration answer_limit = seconds(1);
constexpr Duration start_limit = seconds(2);
constexpr Duration retry_after = seconds(1);
// What the agent's own stop gets before the guard's SIGQUIT (safety 2.3).
constexpr Duration own_stop = milliseconds(500);
// A guard later than this does not count as watching.
constexpr Duration lateness_max = milliseconds(200);

// One spelling for one directory, whether it exists or not: the guard's name depends on it.
std::string canonical(const std::string& path) {
  std::error_code code;
  const auto whole = std::filesystem::weakly_canonical(path, code).string();
  if (code || whole.empty()) return path;
  return whole.size() > 1 && whole.ends_with('/') ? whole.substr(0, whole.size() - 1) : whole;
}

// Base name of the file that the path leads to: /proc/PID/exe names it, not a link to it.
std::string executable_name(const std::string& program) {
  if (program.empty()) return "postgres";
  std::error_code code;
  const auto real = std::filesystem::canonical(program, code);
  return (code ? std::filesystem::path(program) : real).filename().string();
}

// A guard that nobody needs any more. Its page is not read again, so it may as well be killed.
void release(const GuardProcess& guard) {
  log_info("the earlier guard (pid {}) is released", guard.pid);
  signal_guard(guard.pidfd.get(), SIGKILL);
}

}  // namespace

class GuardLink::Impl {
 public:
  Impl(GuardOptions given, GuardPage taken) : options(std::move(given)), page(std::move(taken)) {}

  // Until when the guard sleeps by its own word.
  std::optional<Instant> wakes_at() const {
    const auto watching = guard_load(&page.words().watching);
    if (watching == 0 || watching == GUARD_NEVER) return std::nullopt;
    return to_instant(watching);
  }

  // Makes sure that exactly one guard works on the page: the one found, or one that takes over
  // from it. The earlier one is released only when its successor watches (safety 2.7).
  void employ(std::optional<GuardProcess> found, bool page_taken_over);

  // Has the guard look when it would sleep past the moment of the SIGQUIT.
  void look_if_late() {
    const auto until = page.deadline();
    const auto wakes = wakes_at();
    if (keeper && until && (!wakes || *wakes > *until - page.margin())) keeper->look();
  }

  GuardOptions options;
  GuardPage page;
  std::shared_ptr<GuardKeeper> keeper;  // absent: the setting is off
  std::optional<GuardRecord> adopted;
};

void GuardLink::Impl::employ(std::optional<GuardProcess> found, bool page_taken_over) {
  const bool answers = found && found->socket.open() && page_taken_over;
  if (keeper && answers && found->version == TANIST_VERSION) {
    keeper->take(std::move(*found));
  } else if (keeper) {
    const auto started = keeper->start_and_wait(start_limit);
    if (!started) {
      log_error("no guard, it is tried again: {}", started.error().message);
      if (!answers) return keeper->start_soon(retry_after);
      log_warning("the guard of version {} is kept", found->version);
      keeper->take(std::move(*found));
    }
  }
  for (const auto& other : guards_in_proc(options.data_directory)) {
    if (!keeper || other.pid != keeper->pid()) release(other);
  }
}

namespace {

struct Found {
  std::optional<GuardProcess> guard;
  std::optional<GuardPage> page;
};

// A living guard, and its page if it can be used.
Found find(const Descriptor& folder, const std::string& directory) {
  Found found;
  found.guard = find_guard(folder, directory, answer_limit);
  if (!found.guard) return found;
  auto page = GuardPage::take_over(std::move(found.guard->page), directory);
  if (page) {
    found.page.emplace(std::move(*page));
  } else {
    log_warning("{}", page.error().message);
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<GuardLink>> GuardLink::open(boost::asio::any_io_executor executor,
                                                   GuardOptions options) {
  options.data_directory = canonical(options.data_directory);
  auto folder = open_guard_folder(options.folder);
  if (!folder) {
    log_warning("a restarted agent will not find the guard: {}", folder.error().message);
    folder = Descriptor();
  }
  auto found = find(*folder, options.data_directory);
  const bool taken_over = found.page.has_value();
  if (!taken_over) {
    auto page = GuardPage::create(options.data_directory, executable_name(options.server_program));
    if (!page) return pass_on(page.error());
    found.page.emplace(std::move(*page));
  }
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*found.page));
  if (taken_over) {
    const auto& page = impl->page;
    impl->adopted = GuardRecord{page.mode(), page.deadline(), page.reign(), page.postmaster()};
  }
  if (impl->options.with_process) {
    impl->keeper = std::make_shared<GuardKeeper>(executor, impl->options.program,
                                                 std::move(*folder), impl->page.descriptor());
  }
  impl->employ(std::move(found.guard), taken_over);
  return std::unique_ptr<GuardLink>(new GuardLink(std::move(impl)));
}

GuardLink::GuardLink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GuardLink::~GuardLink() {
  if (impl_->keeper) impl_->keeper->close();
}

const std::optional<GuardRecord>& GuardLink::adopted() const { return impl_->adopted; }

void GuardLink::on_change(std::function<void()> call) {
  if (impl_->keeper) impl_->keeper->on_change(std::move(call));
}

void GuardLink::raise_margin(Duration ttl) {
  impl_->page.raise_margin(guard_margin(ttl));
  impl_->look_if_late();
}

void GuardLink::arm(const Reign& reign, Instant deadline) {
  impl_->page.arm(reign, deadline);
  impl_->look_if_late();
  if (impl_->keeper) impl_->keeper->check(os::now(), impl_->wakes_at());
}

bool GuardLink::armed(Instant now) const {
  const auto until = deadline();
  if (!until || latched(now)) return false;
  if (!impl_->keeper) return true;
  const auto wakes = impl_->wakes_at();
  return impl_->keeper->watches() && wakes && *wakes <= *until - margin() &&
         now - *wakes < lateness_max;
}

bool GuardLink::disarm(Instant now) {
  if (latched(now)) return false;
  if (mode() == ServerMode::primary) impl_->page.set_mode(ServerMode::none);
  return true;
}

void GuardLink::announce_standby_start() { impl_->page.set_mode(ServerMode::standby); }

void GuardLink::suspend_for_pause() { impl_->page.set_mode(ServerMode::none); }

void GuardLink::set_postmaster(const std::optional<ProcessIdentity>& postmaster) {
  impl_->page.set_postmaster(postmaster);
}

void GuardLink::lend_watchdog(int device) {
  if (impl_->keeper) impl_->keeper->lend_watchdog(device);
}

void GuardLink::dismiss() {
  if (impl_->keeper) impl_->keeper->dismiss();
}

std::optional<Instant> GuardLink::deadline() const { return impl_->page.deadline(); }

std::optional<Instant> GuardLink::stop_at() const {
  const auto until = deadline();
  if (!until) return std::nullopt;
  return *until - margin() - own_stop;
}

Duration GuardLink::margin() const { return impl_->page.margin(); }

bool GuardLink::latched(Instant now) const { return impl_->page.expired(now); }

ServerMode GuardLink::mode() const { return impl_->page.mode(); }

std::optional<GuardFiring> GuardLink::last_firing() const {
  const auto& words = impl_->page.words();
  const auto count = guard_load(&words.firings);
  if (count == 0) return std::nullopt;
  return GuardFiring{to_instant(guard_load(&words.fired_at)),
                     static_cast<std::int64_t>(guard_load(&words.fired_kill)),
                     Duration(static_cast<std::int64_t>(guard_load(&words.fired_hit))),
                     Duration(static_cast<std::int64_t>(guard_load(&words.fired_took))),
                     static_cast<std::int64_t>(count)};
}

GuardState GuardLink::state(Instant now) const {
  if (!impl_->keeper || !impl_->keeper->watches()) return GuardState::absent;
  if (latched(now)) return GuardState::latched;
  return armed(now) ? GuardState::armed : GuardState::disarmed;
}

std::int64_t GuardLink::guard_pid() const { return impl_->keeper ? impl_->keeper->pid() : 0; }

std::uint64_t GuardLink::guard_traits() const {
  return guard_pid() != 0 ? guard_load(&impl_->page.words().traits) : 0;
}

LaunchPrefix GuardLink::launch_prefix() const {
  const int page = impl_->page.descriptor();
  return {{impl_->options.program, "launch", "--page-fd", std::to_string(page), "--"}, page};
}

std::vector<std::string> GuardLink::sweep_command() const {
  return {
      impl_->options.program,         "sweep", impl_->options.data_directory, "--kill", "--name",
      impl_->page.words().server_name};
}

}  // namespace tanist::agent
