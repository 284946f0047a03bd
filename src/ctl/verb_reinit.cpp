// SPDX-License-Identifier: Apache-2.0
// `reinit`: replicas throw their data away and are copied anew (contract ctl 4.7).
#include <algorithm>
#include <set>
#include <thread>

#include "base/format.h"
#include "base/json.h"
#include "ctl/member_choice.h"
#include "ctl/member_table.h"
#include "ctl/session.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

namespace {

constexpr auto poll_pause = seconds(2);

// The replicas that shall go; nobody under --force without names.
Result<Selection> choose_replicas(const Reading& cluster, const ReinitOptions& options) {
  const auto replicas = select_members(cluster, MemberRole::replica, {});
  if (!replicas && options.members.empty()) return pass_on(replicas.error());
  print(member_table_text(cluster));
  if (!options.members.empty()) {
    auto named = select_members(cluster, MemberRole::replica, options.members);
    if (!named) return fail(Errc::not_found, "No replica among provided members");
    return named;
  }
  if (options.force) return Selection{};
  const auto answer = ask_value(
      format_text("Which member do you want to reinitialize [{}]?", names_text(*replicas)), "");
  if (!answer) return pass_on(answer.error());
  auto one = select_members(cluster, MemberRole::replica, {*answer});
  if (!one) return fail(Errc::not_found, "{} is not a member of cluster", *answer);
  return one;
}

// True when the member has begun.
Result<bool> reinitialize(Members& members, const MemberView& member,
                          const ReinitOptions& options) {
  for (bool force = options.force;; force = true) {
    const Tree body = Tree::map({{"force", force}, {"from_leader", options.from_leader}});
    const auto answer = members.ask(member, {.method = "POST",
                                             .path = "/reinitialize",
                                             .body = body,
                                             .limit = patient_limit,
                                             .repeats = false});
    if (!answer) return pass_on(answer.error());
    if (answer->status == 200) {
      print_line("Success: reinitialize for member " + member.name.value());
      return true;
    }
    print_line(refusal_line("reinitialize", member, *answer));
    if (force || !answer->body.ends_with(" already in progress")) return false;
    const auto again = confirm("Do you want to cancel it and reinitialize anyway?");
    if (!again || !*again) return again;
  }
}

// The state that GET /patroni tells; empty while it does not.
std::string state_of(Members& members, const MemberView& member) {
  const auto answer = members.ask(member, {.method = "GET", .path = "/patroni"});
  const auto status = answer ? parse_json(answer->body) : Result<Tree>(Tree());
  const auto* state = status ? status->find("state") : nullptr;
  return state != nullptr ? text_form(*state) : "";
}

// Who has not been seen copying yet, and whose server is on its way down for it, is not done.
bool is_under_way(const std::string& state, bool was_copying) {
  if (state == "creating replica" || state.empty()) return true;
  return !was_copying && (state == "stopping" || state == "stopped");
}

void wait_for(Members& members, Selection waiting) {
  std::set<const MemberView*> copying;
  std::string shown;
  while (!waiting.empty()) {
    const auto names = names_text(waiting);
    if (names != shown) print_line("Waiting for reinitialize to complete on: " + names);
    shown = names;
    std::this_thread::sleep_for(poll_pause);
    std::erase_if(waiting, [&](const MemberView* member) {
      const auto state = state_of(members, *member);
      if (state == "creating replica") copying.insert(member);
      if (is_under_way(state, copying.contains(member))) return false;
      print_line("Reinitialize is completed on: " + member->name.value());
      return true;
    });
  }
}

}  // namespace

Result<void> reinit(const ToolConfig& config, const ReinitOptions& options) {
  auto session = Session::open(config, options.cluster);
  if (!session) return pass_on(session.error());
  const auto chosen = choose_replicas(session->reading, options);
  if (!chosen) return pass_on(chosen.error());
  const auto agreed = agree_on_members(*chosen, "reinitialize", options.force || chosen->empty());
  if (!agreed) return agreed;
  Selection begun;
  for (const auto* member : *chosen) {
    const auto done = reinitialize(session->members, *member, options);
    if (!done) return pass_on(done.error());
    if (*done) begun.push_back(member);
  }
  if (options.wait) wait_for(session->members, std::move(begun));
  return {};
}

}  // namespace tanist::ctl
