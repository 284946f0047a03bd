// SPDX-License-Identifier: Apache-2.0
// docs/reference/metrics.md is what `GET /metrics` says of itself.
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "base/format.h"
#include "os/file.h"
#include "rest/metrics.h"

namespace tanist::rest {
namespace {

const std::string page_path = std::string(TANIST_SOURCE_DIR) + "/docs/reference/metrics.md";

// With everything that a node may have to tell.
std::string all_metrics() {
  Status status;
  status.document =
      Tree::map({{"patroni", Tree::map({{"version", "4.1.4"}, {"scope", "s"}, {"name", "n"}})}});
  status.server_version = 170000;
  const ServerCounters counters;
  Figures figures;
  figures.lease_margin_least = Duration(1);
  figures.certificate_ends.front() = WallTime();
  return render_metrics({status, counters, figures, Duration(1), WallTime()});
}

struct Row {
  std::string type;
  std::string help;
  std::string values;
};

std::string table() {
  std::string out = "| series | type | meaning |\n| --- | --- | --- |\n";
  std::istringstream lines(all_metrics());
  std::string name;
  Row row;
  for (std::string line; std::getline(lines, line);) {
    const auto text = [&](std::string_view head) { return line.substr(head.size()); };
    if (line.starts_with("# HELP ")) {
      const auto rest = text("# HELP ");
      name = rest.substr(0, rest.find(' '));
      row = {.type = {}, .help = rest.substr(name.size() + 1), .values = {}};
    } else if (line.starts_with("# Values: ")) {
      row.values = " " + text("# Values: ");
    } else if (line.starts_with("# TYPE ")) {
      row.type = line.substr(line.rfind(' ') + 1);
      out += format_text("| `{}` | {} | {}{} |\n", name, row.type, row.help, row.values);
    }
  }
  return out;
}

std::string page() {
  return "# Metrics\n\n"
         "Every agent answers `GET /metrics` in the text format of Prometheus. All series have the "
         "labels `scope`\n(the cluster) and `name` (the member). Those that begin with `patroni_` "
         "are Patroni's, for the\ndashboards that know them. What to do with them: "
         "[guide/monitoring](../guide/monitoring.md). Printed by\n"
         "`TANIST_REWRITE=1 rest_test --gtest_filter='MetricsPage.*'`.\n\n" +
         table();
}

TEST(MetricsPage, IsTheCommittedOne) {
  if (std::getenv("TANIST_REWRITE") != nullptr) {
    ASSERT_TRUE(os::replace_file(page_path, page(), 0644));
  }
  const auto committed = os::read_file(page_path);
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_EQ(*committed, page()) << page_path << " is out of date; its text says how to print it";
}

}  // namespace
}  // namespace tanist::rest
