// SPDX-License-Identifier: Apache-2.0
// Command line through CLI11; the only file of the agent that includes it.
#include "agent/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace tanist::agent {

namespace {

constexpr const char* epilogue =
    R"(The file is a Patroni configuration; PATRONI_* variables are merged over it.

Examples:
  tanist /etc/tanist/tanist.yml                     run beside the local PostgreSQL
  tanist --validate-config /etc/tanist/tanist.yml   check a file and say what is wrong with it
  tanist --generate-sample-config                   a file to start from

Exit codes: 0 stopped by SIGTERM or SIGINT, check passed; 1 the configuration cannot be used, the
name is taken, the data belongs to another cluster; 2 wrong usage.
See also: tanistctl(1), tanist.yml(5), and docs/guide.)";

// Python's argparse takes any unambiguous beginning of a long option; scripts use that.
const std::vector<std::string> long_options{"--help",
                                            "--version",
                                            "--validate-config",
                                            "--print",
                                            "--ignore-listen-port",
                                            "--generate-sample-config"};

std::string completed(const std::string& argument) {
  if (!argument.starts_with("--") || argument.size() < 4) return argument;
  std::vector<std::string> fitting;
  for (const auto& option : long_options) {
    if (option == argument) return argument;
    if (option.starts_with(argument)) fitting.push_back(option);
  }
  return fitting.size() == 1 ? fitting.front() : argument;
}

}  // namespace

Result<Arguments> read_arguments(const std::vector<std::string>& arguments) {
  Arguments read;
  bool validate = false;
  bool sample = false;
  CLI::App app("tanist - keeps a PostgreSQL cluster highly available", "tanist");
  app.footer(epilogue);
  app.set_version_flag("--version", std::string("tanist ") + TANIST_VERSION);
  app.add_option("configfile", read.config_file, "YAML file, or a folder of *.yml files");
  auto* check = app.add_flag("--validate-config", validate, "check the configuration and exit");
  auto* make = app.add_flag("--generate-sample-config", sample,
                            "write a sample to the file (or standard output) and exit");
  check->excludes(make);
  app.add_flag("-i,--ignore-listen-port", read.ignore_listen_port,
               "with --validate-config: a port in use is no error");
  app.add_flag("-p,--print", read.print,
               "with --validate-config: print the configuration as it is understood");
  std::vector<std::string> words;
  for (const auto& argument : arguments) words.push_back(completed(argument));
  std::ranges::reverse(words);
  try {
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    read.mode = Mode::show_text;
    read.text = app.help();
    return read;
  } catch (const CLI::CallForVersion&) {
    read.mode = Mode::show_text;
    read.text = app.version() + "\n";
    return read;
  } catch (const CLI::ParseError& error) {
    return fail(Errc::invalid, "{}\nTry 'tanist --help'.", error.what());
  }
  if (validate) read.mode = Mode::validate;
  if (sample) read.mode = Mode::print_sample;
  return read;
}

}  // namespace tanist::agent
