// SPDX-License-Identifier: Apache-2.0
// `restart`: PostgreSQL servers are restarted, now or later (contract ctl 4.6).
#include <algorithm>
#include <random>

#include "base/format.h"
#include "ctl/member_choice.h"
#include "ctl/session.h"
#include "ctl/terminal.h"
#include "ctl/times.h"
#include "ctl/verbs.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

// X.Y with X >= 10, or X.Y.Z.
Result<void> check_version(const std::string& version) {
  std::vector<std::string> parts(1);
  for (const char c : version) {
    if (c == '.') {
      parts.emplace_back();
    } else if (c >= '0' && c <= '9') {
      parts.back() += c;
    } else {
      return fail(Errc::invalid, "Invalid PostgreSQL version: {}", version);
    }
  }
  if (std::ranges::any_of(parts, &std::string::empty)) {
    return fail(Errc::invalid, "Invalid PostgreSQL version: {}", version);
  }
  const bool is_modern = parts.front().size() >= 2;
  if (parts.size() == (is_modern ? 2U : 3U)) return {};
  return fail(Errc::invalid, "Invalid PostgreSQL version format: X.Y or X.Y.Z is accepted: {}",
              version);
}

class Restart {
 public:
  Restart(const Reading& cluster, const RestartOptions& options, Members& members)
      : cluster_(cluster), options_(options), members_(members) {}

  Result<void> run() {
    for (const auto step : {&Restart::choose_members, &Restart::choose_time, &Restart::ask_consent,
                            &Restart::choose_one, &Restart::choose_version}) {
      const auto done = (this->*step)();
      if (!done) return done;
    }
    for (const auto* member : chosen_) {
      const auto done = restart(*member);
      if (!done) return done;
    }
    return {};
  }

 private:
  Result<void> choose_members() {
    auto chosen = ctl::choose_members(cluster_, options_.role, options_.members);
    if (!chosen) return pass_on(chosen.error());
    chosen_ = std::move(*chosen);
    return {};
  }

  Result<void> choose_time() {
    const auto now = os::wall_now();
    auto text = options_.scheduled.value_or("now");
    if (!options_.scheduled && !options_.force) {
      const auto answer = ask_value(format_text("When should the restart take place (e.g. {}) ",
                                                example_time_text(now + std::chrono::hours(1))),
                                    "now");
      if (!answer) return pass_on(answer.error());
      text = *answer;
    }
    const auto schedule = parse_schedule(text, now);
    if (!schedule) return pass_on(schedule.error());
    schedule_ = *schedule;
    if (schedule_ && cluster_.settings.pause) {
      return fail(Errc::invalid, "Can't schedule restart in the paused state");
    }
    // Who needs one at a later time is seen by the members then.
    if (options_.pending && !schedule_) {
      std::erase_if(chosen_, [](const MemberView* member) { return !member->pending_restart; });
    }
    return {};
  }

  Result<void> ask_consent() {
    if (options_.force) return {};
    if (!schedule_) return agree_on_members(chosen_, "restart", false);
    const auto question =
        options_.pending
            ? "The nodes needing a restart will be identified at the scheduled time, and might be "
              "different from the ones showing pending restart right now. Is this fine?"
            : format_text("Are you sure you want to schedule restart of members {} at {}?",
                          names_text(chosen_), schedule_->spaced());
    return demand_consent(question, "Aborted scheduled restart");
  }

  // Consent was asked for all, as patronictl does.
  Result<void> choose_one() {
    if (!options_.any_one || chosen_.empty()) return {};
    std::random_device chance;
    chosen_ = {chosen_[chance() % chosen_.size()]};
    return {};
  }

  Result<void> choose_version() {
    version_ = options_.version.value_or("");
    if (!options_.version && !options_.force) {
      const auto answer =
          ask_value("Restart if the PostgreSQL version is less than provided (e.g. 9.5.2) ", "");
      if (!answer) return pass_on(answer.error());
      version_ = *answer;
    }
    return version_.empty() ? Result<void>() : check_version(version_);
  }

  Tree body() const {
    Tree body = Tree::map();
    if (options_.pending) body.set("restart_pending", true);
    if (!version_.empty()) body.set("postgres_version", version_);
    if (schedule_) body.set("schedule", schedule_->iso8601());
    if (options_.timeout) body.set("timeout", *options_.timeout);
    return body;
  }

  // Under --force a new schedule takes the place of an old one.
  Result<void> drop_scheduled(const MemberView& member) {
    const bool has_one = member.data->find("scheduled_restart") != nullptr;
    if (!has_one || !schedule_ || !options_.force) return {};
    const auto answer = members_.ask(member, {.method = "DELETE", .path = "/restart"});
    if (!answer) return pass_on(answer.error());
    if (answer->status == 200 || answer->status == 404) return {};
    print_line(refusal_line("flush scheduled restart", member, *answer));
    return {};
  }

  Result<void> restart(const MemberView& member) {
    const auto dropped = drop_scheduled(member);
    if (!dropped) return dropped;
    const auto answer = members_.ask(member, {.method = "POST",
                                              .path = "/restart",
                                              .body = body(),
                                              .limit = patient_limit,
                                              .repeats = false});
    if (!answer) return pass_on(answer.error());
    print_line(line_of(*answer, member));
    return {};
  }

  static std::string line_of(const rest::Answer& answer, const MemberView& member) {
    const auto& name = member.name.value();
    if (answer.status == 200) return "Success: restart on member " + name;
    if (answer.status == 202) return "Success: restart scheduled on member " + name;
    if (answer.status == 409) {
      return "Failed: another restart is already scheduled on member " + name;
    }
    return refusal_line("restart", member, answer);
  }

  const Reading& cluster_;
  const RestartOptions& options_;
  Members& members_;
  Selection chosen_;
  std::optional<Schedule> schedule_;
  std::string version_;
};

}  // namespace

Result<void> restart(const ToolConfig& config, const RestartOptions& options) {
  auto session = Session::open(config, options.cluster);
  if (!session) return pass_on(session.error());
  return Restart(session->reading, options, session->members).run();
}

}  // namespace tanist::ctl
