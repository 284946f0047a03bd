// SPDX-License-Identifier: Apache-2.0
// `demote-cluster` and `promote-cluster`: the cluster begins or ends to follow another one
// (contract ctl 4.16).
#include <thread>

#include "base/format.h"
#include "ctl/member_table.h"
#include "ctl/session.h"
#include "ctl/terminal.h"
#include "ctl/times.h"
#include "ctl/verbs.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

constexpr auto poll_pause = seconds(1);

std::string published(const MemberView* member, std::string_view key) {
  const auto* value = member != nullptr ? member->data->find(key) : nullptr;
  return value != nullptr ? text_form(*value) : "None";
}

class Change {
 public:
  Change(Session& session, const StandbyClusterOptions& options)
      : session_(session),
        options_(options),
        action_(options.demote ? "demote" : "promote"),
        noun_(options.demote ? "demotion" : "promotion"),
        target_role_(options.demote ? "standby_leader" : "primary") {}

  Result<void> run() {
    const auto* leader = session_.reading.view->leader_member();
    if (!session_.reading.view->locked() || leader == nullptr) {
      return fail(Errc::invalid, "Cluster has no leader, {} is not possible", noun_);
    }
    if (published(leader, "role") == target_role_) {
      return fail(Errc::invalid, "Cluster is already in the required state");
    }
    old_leader_ = leader->name;
    print_line("Current cluster topology");
    print(member_table_text(session_.reading));
    if (!options_.force) {
      const auto agreed = demand_consent(
          format_text("Are you sure you want to {} {} cluster?", action_, session_.reading.scope),
          "Aborted cluster " + noun_);
      if (!agreed) return agreed;
    }
    const auto sent = send(*leader);
    if (!sent) return sent;
    return wait();
  }

 private:
  Tree body() const {
    if (!options_.demote) return Tree::map({{"standby_cluster", Tree()}});
    Tree source = Tree::map();
    if (options_.host) source.set("host", *options_.host);
    if (options_.port) source.set("port", *options_.port);
    if (options_.primary_slot_name) source.set("primary_slot_name", *options_.primary_slot_name);
    if (options_.restore_command) source.set("restore_command", *options_.restore_command);
    return Tree::map({{"standby_cluster", std::move(source)}});
  }

  Result<void> send(const MemberView& leader) {
    const auto answer =
        session_.members.ask(leader, {.method = "PATCH", .path = "/config", .body = body()});
    const auto failed = format_text("Failed to {} {} cluster: ", action_, session_.reading.scope);
    if (!answer) return fail(Errc::failed, "{}{}", failed, answer.error().message);
    if (answer->status == 200) return {};
    return fail(Errc::failed, "{}{}/config PATCH status code={}, ({})", failed, failed,
                answer->status, answer->body);
  }

  // One look, one line; true when all is as wanted.
  bool is_done(const Reading& now) const {
    const auto& view = *now.view;
    const auto* leader = view.locked() ? view.leader_member() : nullptr;
    auto line = format_text("{} cluster is unlocked: {}, leader role: {}, leader state: {}",
                            local_time_text(os::wall_now()), view.locked() ? "False" : "True",
                            published(leader, "role"), published(leader, "state"));
    bool old_one_runs = true;
    if (options_.demote && leader != nullptr && leader->name != old_leader_) {
      const auto state = published(view.member(old_leader_), "state");
      old_one_runs = state == "running";
      line += format_text(", previous leader state: '{}'", state);
    }
    print_line(line);
    return published(leader, "role") == target_role_ && published(leader, "state") == "running" &&
           old_one_runs;
  }

  Result<void> wait() {
    while (true) {
      const auto now = session_.cluster.read();
      if (!now) warn(now.error().message);
      if (now && is_done(*now)) {
        print_line(format_text("{} cluster is successfully {}d", local_time_text(os::wall_now()),
                               action_));
        print(member_table_text(*now));
        return {};
      }
      std::this_thread::sleep_for(poll_pause);
    }
  }

  Session& session_;
  const StandbyClusterOptions& options_;
  std::string action_;
  std::string noun_;
  std::string target_role_;
  MemberName old_leader_;
};

}  // namespace

Result<void> change_standby_cluster(const ToolConfig& config,
                                    const StandbyClusterOptions& options) {
  if (options.demote && !options.host && !options.port && !options.restore_command) {
    return fail(Errc::invalid, "At least --host, --port or --restore-command should be specified");
  }
  auto session = Session::open(config, options.cluster);
  if (!session) return pass_on(session.error());
  return Change(*session, options).run();
}

}  // namespace tanist::ctl
