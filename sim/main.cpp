// SPDX-License-Identifier: Apache-2.0
// tanist-sim: runs one seed with its story, or many. Exit code 1 when a rule was broken.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <sstream>
#include <string>

#include "base/format.h"
#include "base/json.h"
#include "sim/run.h"

namespace {

using tanist::format_text;
using tanist::Tree;
using tanist::sim::RunOptions;
using tanist::sim::RunResult;

struct Options {
  RunOptions run;
  std::uint64_t runs = 1;
  bool story = false;
  bool keep_going = false;
  bool summary = false;
  std::string expect;  // a rule that some run must break
};

constexpr const char* usage_text =
    "usage: tanist-sim [--seed N] [--story] [OPTIONS]\n"
    "       tanist-sim --runs N [--first-seed N] [--keep-going] [--summary] [OPTIONS]\n"
    "       tanist-sim --runs N [--first-seed N] --expect RULE [OPTIONS]\n"
    "options: --nodes N, --seconds N (of trouble), --interval N (seconds between faults),\n"
    "         --ttl 5|10|20|30, --synchronous off|on|quorum, --failsafe on|off, --standby on|off,\n"
    "         --pooler on|off (paused over switchovers),\n"
    "         --only KIND[,KIND] (of faults; a hyphen stands for a space)\n"
    "--expect succeeds when a run breaks a rule that begins with RULE.\n"
    "--summary prints nothing but one line of JSON with the counts, for programs. SIGINT and\n"
    "SIGTERM end many runs after the one under way, with what there is so far.\n";

volatile std::sig_atomic_t interrupted = 0;

[[noreturn]] void usage(const char* why) {
  std::fprintf(stderr, "%s\n%s", why, usage_text);
  std::exit(2);
}

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream text(list);
  for (std::string part; std::getline(text, part, ',');) parts.push_back(part);
  return parts;
}

// False when there is no such option.
bool take_value(Options& options, const std::string& word, const std::string& value) {
  const auto number = std::strtoull(value.c_str(), nullptr, 10);
  auto& run = options.run;
  if (word == "--seed" || word == "--first-seed") {
    run.seed = number;
  } else if (word == "--runs") {
    options.runs = number;
  } else if (word == "--nodes" && number >= 1 && number <= 7) {
    run.nodes = static_cast<int>(number);
  } else if (word == "--seconds") {
    run.seconds_of_trouble = static_cast<std::int64_t>(number);
  } else if (word == "--interval") {
    run.fault_interval = static_cast<std::int64_t>(number);
  } else if (word == "--ttl") {
    run.ttl = static_cast<std::int64_t>(number);
  } else if (word == "--synchronous") {
    run.synchronous_mode = value;
  } else if (word == "--failsafe") {
    run.failsafe_mode = value == "on";
  } else if (word == "--standby") {
    run.standby_cluster = value == "on";
  } else if (word == "--pooler") {
    run.pooler = value == "on";
  } else if (word == "--only") {
    run.only = parts_of(value);
  } else if (word == "--expect") {
    options.expect = value;
  } else {
    return false;
  }
  return true;
}

Options parse(int count, char** words) {
  Options options;
  options.run.seed = 1;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--help") {
      std::fputs(usage_text, stdout);
      std::exit(0);
    }
    if (word == "--story") {
      options.story = true;
    } else if (word == "--keep-going") {
      options.keep_going = true;
    } else if (word == "--summary") {
      options.summary = true;
    } else if (i + 1 == count) {
      usage("a value is missing");
    } else if (!take_value(options, word, words[++i])) {
      usage("unknown option, or not 1 to 7 nodes");
    }
  }
  return options;
}

void print(const std::string& line) {
  std::fprintf(stdout, "%s\n", line.c_str());
  std::fflush(stdout);
}

std::string replay_command(const RunOptions& options) {
  auto command = format_text("tanist-sim --seed {} --seconds {} --story", options.seed,
                             options.seconds_of_trouble);
  if (options.nodes != 0) command += format_text(" --nodes {}", options.nodes);
  if (options.fault_interval) command += format_text(" --interval {}", *options.fault_interval);
  if (options.ttl) command += format_text(" --ttl {}", *options.ttl);
  if (options.synchronous_mode) command += " --synchronous " + *options.synchronous_mode;
  if (options.failsafe_mode)
    command += *options.failsafe_mode ? " --failsafe on" : " --failsafe off";
  if (options.standby_cluster)
    command += *options.standby_cluster ? " --standby on" : " --standby off";
  if (options.pooler) command += *options.pooler ? " --pooler on" : " --pooler off";
  for (std::size_t i = 0; i < options.only.size(); ++i) {
    command += (i == 0 ? " --only " : ",") + options.only[i];
  }
  return command;
}

void print_result(const RunOptions& options, const RunResult& result) {
  for (const auto& line : result.story) print(line);
  print(format_text("seed {}: {} events, {:.0f} s simulated, hash {:016x}", options.seed,
                    result.events, result.seconds_simulated, result.hash));
  print(
      format_text("  {} promotions ({} by switchover), {} rows acknowledged, {} of them given up "
                  "by failovers, well after {:.1f} s",
                  result.promotions, result.hand_overs, result.acknowledged, result.lost,
                  result.seconds_to_heal));
  if (!result.violation) return;
  print(format_text("VIOLATION: {}: {}", result.violation->rule, result.violation->detail));
  print("replay: " + replay_command(options));
}

struct Sum {
  std::uint64_t runs = 0, failed = 0;
  double seconds = 0;
  std::uint64_t promotions = 0, hand_overs = 0, acknowledged = 0, lost = 0;
  std::map<std::string, int> faults;
  Tree failures = Tree::list();

  void add(const RunOptions& options, const RunResult& result) {
    ++runs;
    if (result.violation) {
      ++failed;
      failures.push(Tree::map({{"seed", std::to_string(options.seed)},
                               {"rule", result.violation->rule},
                               {"detail", result.violation->detail},
                               {"replay", replay_command(options)}}));
    }
    seconds += result.seconds_simulated;
    promotions += result.promotions;
    hand_overs += result.hand_overs;
    acknowledged += result.acknowledged;
    lost += result.lost;
    for (const auto& [name, count] : result.faults) faults[name] += count;
  }
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void print_summary(const Sum& sum) {
  Tree faults = Tree::map();
  for (const auto& [name, count] : sum.faults) faults.set(name, count);
  print(to_json(Tree::map({{"runs", sum.runs},
                           {"failed", sum.failed},
                           {"seconds", sum.seconds},
                           {"cpu_seconds", cpu_seconds()},
                           {"promotions", sum.promotions},
                           {"switchovers", sum.hand_overs},
                           {"acknowledged", sum.acknowledged},
                           {"lost", sum.lost},
                           {"faults", faults},
                           {"failures", sum.failures}})));
}

void print_sum(const Sum& sum) {
  print(
      format_text("{} runs, {} failed; {:.1f} hours simulated, {} promotions ({} by switchover), "
                  "{} rows acknowledged, {} of them given up by failovers",
                  sum.runs, sum.failed, sum.seconds / 3600, sum.promotions, sum.hand_overs,
                  sum.acknowledged, sum.lost));
  std::string faults;
  for (const auto& [name, count] : sum.faults) faults += format_text(" {}: {};", name, count);
  print("faults:" + faults);
}

// The story of a failed run is told by running it again.
void tell(RunOptions options) {
  options.story = true;
  print_result(options, tanist::sim::run(options));
}

int run_many(const Options& options) {
  Sum sum;
  auto each = options.run;
  for (std::uint64_t i = 0; i < options.runs && interrupted == 0; ++i, ++each.seed) {
    const auto result = tanist::sim::run(each);
    sum.add(each, result);
    if (!result.violation || (options.summary && options.keep_going)) continue;
    if (options.summary) break;
    if (options.keep_going) {
      print(format_text("seed {}: {}: {}", each.seed, result.violation->rule,
                        result.violation->detail));
      continue;
    }
    tell(each);
    break;
  }
  if (options.summary) {
    print_summary(sum);
  } else {
    print_sum(sum);
  }
  return sum.failed == 0 ? 0 : 1;
}

// A fault that was built in must be found by one of the runs, and by the rule that it breaks.
int find_fault(const Options& options) {
  auto each = options.run;
  std::map<std::string, int> others;
  for (std::uint64_t i = 0; i < options.runs; ++i, ++each.seed) {
    const auto result = tanist::sim::run(each);
    if (!result.violation) continue;
    if (!result.violation->rule.starts_with(options.expect)) {
      ++others[result.violation->rule];
      continue;
    }
    print(format_text("run {}: {}: {}", i + 1, result.violation->rule, result.violation->detail));
    print("replay: " + replay_command(each));
    return 0;
  }
  print(format_text("in {} runs nobody broke the rule: {}", options.runs, options.expect));
  for (const auto& [rule, count] : others) print(format_text("  but {}: {} times", rule, count));
  return 1;
}

}  // namespace

int main(int count, char** words) {
  auto options = parse(count, words);
  const auto interrupt = [](int) { interrupted = 1; };
  const bool many = options.expect.empty() && (options.runs > 1 || options.summary);
  if (many) {
    std::signal(SIGINT, interrupt);
    std::signal(SIGTERM, interrupt);
  }
  if (!options.summary) print(format_text("seed {}", options.run.seed));
  if (!options.expect.empty()) return find_fault(options);
  if (many) return run_many(options);
  options.run.story = options.story;
  const auto result = tanist::sim::run(options.run);
  if (result.violation && !options.story) {
    tell(options.run);
  } else {
    print_result(options.run, result);
  }
  return result.violation ? 1 : 0;
}
