// SPDX-License-Identifier: Apache-2.0
// Every pair of roles against the decisions: what the table names happens, and nothing else does.
#include "core/role_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "core/digest.h"
#include "tests/support/given.h"

namespace tanist::testing {
namespace {

constexpr std::array all_roles{Role::uninitialized, Role::primary, Role::promoted,
                               Role::demoted,       Role::replica, Role::standby_leader};

enum class Server { standby, primary, silent, dead, dead_with_signal, empty };
enum class Hold { none, held, lost, about_to_end };

struct Situation {
  Role role = Role::replica;
  Server server = Server::standby;
  Hold hold = Hold::none;
  bool standby_cluster = false;
  bool paused = false;
  std::optional<JobKind> job;
  std::uint32_t step = 0;
  bool step_ok = true;
};

void set_server(Given& given, Server server) {
  switch (server) {
    case Server::standby: given.runs_as_standby(); return;
    case Server::primary: given.runs_as_primary(); return;
    case Server::silent: given.obs().local.server.query.reset(); return;
    case Server::dead: given.crashed(); return;
    case Server::dead_with_signal:
      given.crashed();
      given.obs().local.server.standby_signal = true;
      return;
    case Server::empty: given.empty_data(); return;
  }
}

void set_hold(Given& given, Hold hold) {
  given.obs().lock = Lock{};
  if (hold == Hold::none) return;
  given.leader("b");
  if (hold == Hold::held) given.holds_lock();
  if (hold == Hold::about_to_end) given.holds_lock(at_ms(500));
  if (hold == Hold::lost) given.lost_lock();
}

Observation observation_of(const Situation& situation) {
  Given given("b");
  set_server(given, situation.server);
  set_hold(given, situation.hold);
  given.memory().role = situation.role;
  given.cluster().pause = situation.paused;
  if (situation.standby_cluster) given.cluster().standby_cluster = StandbyCluster{.host = "x"};
  if (situation.job) {
    Job job;
    job.kind = *situation.job;
    job.step = situation.step;
    job.step_started = true;
    given.memory().job = job;
    given.obs().local.job_result = ServerResult{.ok = situation.step_ok};
    given.obs().local.job_result->start = StartOutcome::ready;
  }
  return given.build();
}

template <class Visit>
void for_each_situation(Visit visit) {
  for (const auto role : all_roles) {
    for (int server = 0; server < 6; ++server) {
      for (int hold = 0; hold < 4; ++hold) {
        for (int flags = 0; flags < 4; ++flags) {
          Situation situation{.role = role,
                              .server = static_cast<Server>(server),
                              .hold = static_cast<Hold>(hold),
                              .standby_cluster = (flags & 1) != 0,
                              .paused = (flags & 2) != 0};
          visit(situation);
          for (const auto& [kind, name] : names_of(JobKind())) {
            const bool begins_here = (role == Role::replica || role == Role::promoted) &&
                                     situation.server != Server::empty;
            if (kind == JobKind::promote && !begins_here) continue;
            // It begins in an empty directory.
            if (kind == JobKind::bootstrap_standby && role == Role::promoted) continue;
            situation.job = kind;
            for (situation.step = 0; situation.step < steps_of(kind).size(); ++situation.step) {
              situation.step_ok = true;
              visit(situation);
              situation.step_ok = false;
              visit(situation);
            }
          }
          situation.job.reset();
        }
      }
    }
  }
}

bool is_allowed(Role from, Role to) { return from == to || is_role_change(from, to); }

// What is observed comes first, then what is done about it: two rows at most.
TEST(RoleTable, DecisionsChangeRolesAsTheRowsSayAndEachRowHappens) {
  std::set<std::pair<Role, Role>> seen;
  for_each_situation([&](const Situation& situation) {
    const auto observation = observation_of(situation);
    seen.insert({situation.role, role_now(observation)});
    seen.insert({role_now(observation), decide(observation).next.role});
  });
  for (const auto& [from, to] : seen) {
    EXPECT_TRUE(is_allowed(from, to)) << name_of(from) << " became " << name_of(to);
  }
  for (const auto& row : role_rows()) {
    EXPECT_TRUE(seen.contains({row.from, row.to}))
        << name_of(row.from) << " never became " << name_of(row.to);
  }
}

TEST(RoleTable, EachPairHasOneRowAtMost) {
  std::set<std::pair<Role, Role>> pairs;
  for (const auto& row : role_rows()) {
    EXPECT_NE(row.from, row.to);
    EXPECT_TRUE(pairs.insert({row.from, row.to}).second);
  }
}

TEST(RoleTable, DocumentIsPrintedFromTheRows) {
  const std::string path = TANIST_SOURCE_DIR "/docs/reference/roles.md";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const bool same = text.str() == role_document();
  if (!same) std::ofstream("roles.md") << role_document();
  EXPECT_TRUE(same) << "copy roles.md from the test's directory to " << path;
}

}  // namespace
}  // namespace tanist::testing
