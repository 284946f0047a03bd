// SPDX-License-Identifier: Apache-2.0
// The library behind `tanistctl provision` as a program of its own, for test_provision.py:
// provision TOPOLOGY -o FOLDER [--renew certificates|authority|retire] [--overwrite].
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "os/clock.h"
#include "provision/provision.h"

namespace {

using namespace tanist;  // NOLINT(google-build-using-namespace): a program of one file

int complain(const Error& error) {
  std::fprintf(stderr, "Error: %s\n", error.message.c_str());
  return 1;
}

provision::Renew renewal_named(std::string_view name) {
  if (name == "certificates") return provision::Renew::certificates;
  if (name == "authority") return provision::Renew::authority;
  return name == "retire" ? provision::Renew::retire : provision::Renew::nothing;
}

void print(const char* title, const std::vector<std::string>& lines) {
  for (const auto& line : lines) std::printf("%s %s\n", title, line.c_str());
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string_view> arguments(words + 1, words + count);
  if (arguments.size() < 4 || arguments[0] != "provision" || arguments[2] != "-o") return 2;
  provision::WriteOptions options{.now = os::wall_now()};
  for (std::size_t i = 4; i < arguments.size(); ++i) {
    if (arguments[i] == "--overwrite") options.overwrite = true;
    if (arguments[i - 1] == "--renew") options.renew = renewal_named(arguments[i]);
  }
  const auto topology = provision::read_topology(std::string(arguments[1]));
  if (!topology) return complain(topology.error());
  const auto report = provision::write(*topology, std::string(arguments[3]), options);
  if (!report) return complain(report.error());
  print("created", report->created);
  print("updated", report->updated);
  print("kept", report->kept);
  print("left over", report->left_over);
  print("issued", report->issued);
  print("advice", report->advice);
  return 0;
}
