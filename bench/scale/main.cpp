// SPDX-License-Identifier: Apache-2.0
// tanist-scale: the agents of many clusters in one process, on a real etcd. Loop, decisions and the
// etcd machine are the real ones, and time is real; servers, guards and the agents' own network are
// the simulator's, and cost nothing here. bench/scale.py starts etcd and reads what this prints:
// one line of JSON at the beginning and the end of the calm, and one with the failovers.
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "base/json.h"
#include "os/clock.h"
#include "real_etcd.h"
#include "sim/cluster.h"

namespace {

using namespace tanist;  // NOLINT: one file, one program

constexpr Duration pump_interval = milliseconds(2);
constexpr Duration start_limit = seconds(600);
constexpr Duration failover_limit = seconds(120);
constexpr std::size_t story_lines = 80;
constexpr Duration between_failovers = milliseconds(500);

struct Options {
  int clusters = 10;
  int nodes = 3;
  int connections = 0;  // 0 = one for each agent, at most 90
  Duration calm = seconds(60);
  int failovers = 10;
  Timing timing{seconds(30), seconds(10), seconds(10)};
  std::vector<HostPort> endpoints;
};

// One cluster and its time.
struct Tenant {
  Tenant(std::uint64_t seed, bool with_story) : world(seed, with_story), begin(world.now()) {}
  sim::World world;
  Instant begin;
  std::unique_ptr<sim::Cluster> cluster;
};

bool is_well(sim::Cluster& cluster) {
  const auto* primary = cluster.primary();
  return primary != nullptr && std::ranges::all_of(cluster.nodes(), [&](const auto& node) {
           return node.get() == primary || node->server.streaming();
         });
}

class Bench {
 public:
  explicit Bench(Options options)
      : options_(std::move(options)), work_(boost::asio::make_work_guard(io_)) {
    for (int i = 0; i < options_.clusters; ++i) {
      tenants_.push_back(std::make_unique<Tenant>(static_cast<std::uint64_t>(i) + 1, is_chosen(i)));
    }
    begin_ = os::now();
    const auto most = options_.connections != 0 ? options_.connections : 90;
    etcd_ = std::make_unique<bench::RealEtcd>(io_.get_executor(), options_.endpoints,
                                              std::min(options_.clusters * options_.nodes, most),
                                              tenants_.front()->begin, begin_);
    for (std::size_t i = 0; i < tenants_.size(); ++i) found(*tenants_[i], i);
  }

  bool start() {
    const bool started = pump(start_limit, [this] {
      return std::ranges::all_of(tenants_, [](const auto& t) { return is_well(*t->cluster); });
    });
    if (started) pump(2 * options_.timing.loop_wait);  // what a start leaves to be done
    return started;
  }

  void stay_calm() {
    const auto before = processor_seconds();
    say(Tree::map({{"event", "calm begins"}}));
    const auto end = os::now() + options_.calm;
    while (os::now() < end) {
      for (const auto& tenant : tenants_) {
        if (auto* primary = tenant->cluster->primary()) primary->server.commit(0);
      }
      pump(std::min<Duration>(seconds(1), end - os::now()));
    }
    say(Tree::map({{"event", "calm ends"},
                   {"seconds", std::chrono::duration<double>(options_.calm).count()},
                   {"processor_seconds", processor_seconds() - before}}));
  }

  // Power is lost at the leaders of clusters spread over all; one begins while others still last.
  void fail_over() {
    std::vector<Failover> open;
    Tree took = Tree::list();
    int missed = 0;
    for (int i = 0; i < options_.failovers; ++i) {
      auto& tenant = *tenants_[static_cast<std::size_t>(chosen(i))];
      auto* old = tenant.cluster->primary();
      if (old == nullptr) {
        ++missed;
        continue;
      }
      old->crash();
      open.push_back({&tenant, old, os::now()});
      pump(between_failovers, [&] { return note_ended(open, took); }, false);
    }
    pump(failover_limit, [&] { return note_ended(open, took); });
    if (!open.empty()) tell_end_of(open.front().tenant->world);
    say(Tree::map({{"event", "failovers"},
                   {"seconds", std::move(took)},
                   {"missed", missed + static_cast<int>(open.size())}}));
  }

 private:
  struct Failover {
    Tenant* tenant;
    sim::Node* old;
    Instant began;
  };

  // Those whose leaders are lost, spread over all.
  int chosen(int failover) const { return failover * options_.clusters / options_.failovers; }
  bool is_chosen(int number) const {
    for (int i = 0; i < options_.failovers; ++i) {
      if (chosen(i) == number) return true;
    }
    return false;
  }

  // Why there is no new leader.
  static void tell_end_of(const sim::World& world) {
    const auto& story = world.story();
    const auto first = story.size() > story_lines ? story.size() - story_lines : 0;
    for (auto i = first; i < story.size(); ++i) std::fprintf(stderr, "%s\n", story[i].c_str());
  }

  void found(Tenant& tenant, std::size_t number) {
    sim::ClusterOptions options;
    options.nodes = options_.nodes;
    options.timing = options_.timing;
    options.scope = "scale-" + std::to_string(number);
    options.store = etcd_.get();
    tenant.cluster = std::make_unique<sim::Cluster>(tenant.world, std::move(options));
    // Twenty new clusters a second.
    const auto delay = milliseconds(50) * static_cast<std::int64_t>(number);
    for (const auto& node : tenant.cluster->nodes()) {
      tenant.world.after(delay, [at = node.get()] { at->start_agent(); });
    }
  }

  static bool note_ended(std::vector<Failover>& open, Tree& took) {
    std::erase_if(open, [&](const Failover& failover) {
      auto* primary = failover.tenant->cluster->primary();
      if (primary == nullptr || primary == failover.old) return false;
      took.push(std::chrono::duration<double>(os::now() - failover.began).count());
      failover.old->boot();
      return true;
    });
    return open.empty();
  }

  void pump(Duration time) {
    pump(time, [] { return false; });
  }
  // Until `done`, or for all of `time`; true when it was done.
  template <class Done>
  bool pump(Duration time, Done done, bool ends_early = true) {
    const auto end = os::now() + time;
    bool is_done = false;
    while (os::now() < end) {
      io_.run_for(pump_interval);
      const auto elapsed = os::now() - begin_;
      for (const auto& tenant : tenants_) tenant->world.run_until(tenant->begin + elapsed);
      is_done = done();
      if (is_done && ends_early) return true;
    }
    return is_done;
  }

  static double processor_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds_of = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  }

  static void say(const Tree& tree) {
    std::puts(to_json(tree).c_str());
    std::fflush(stdout);
  }

  Options options_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  Instant begin_;
  std::vector<std::unique_ptr<Tenant>> tenants_;
  std::unique_ptr<bench::RealEtcd> etcd_;
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: tanist-scale --endpoints HOST:PORT[,...] [--clusters N] [--seconds N]\n"
      "                    [--failovers N] [--ttl N] [--loop-wait N] [--connections N]\n",
      stderr);
  std::exit(2);
}

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string word = words[i];
    const int number = std::atoi(words[i + 1]);
    if (word == "--endpoints") {
      std::istringstream text(words[i + 1]);
      for (std::string part; std::getline(text, part, ',');) {
        const auto colon = part.rfind(':');
        if (colon == std::string::npos) usage();
        options.endpoints.push_back({part.substr(0, colon), static_cast<std::uint16_t>(std::atoi(
                                                                part.c_str() + colon + 1))});
      }
    } else if (word == "--clusters") {
      options.clusters = std::max(number, 1);
    } else if (word == "--seconds") {
      options.calm = seconds(number);
    } else if (word == "--failovers") {
      options.failovers = number;
    } else if (word == "--ttl") {
      options.timing.ttl = seconds(number);
    } else if (word == "--loop-wait") {
      options.timing.loop_wait = options.timing.retry_timeout = seconds(number);
    } else if (word == "--connections") {
      options.connections = number;
    } else {
      usage();
    }
  }
  if (count % 2 == 0 || options.endpoints.empty()) usage();
  return options;
}

}  // namespace

int main(int count, char** words) {
  Bench bench(parse(count, words));
  if (!bench.start()) {
    std::fputs("not all clusters came up\n", stderr);
    return 1;
  }
  bench.stay_calm();
  bench.fail_over();
  std::fflush(stdout);
  std::_Exit(0);  // what is under way is nobody's concern
}
