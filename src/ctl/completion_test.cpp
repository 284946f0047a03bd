// SPDX-License-Identifier: Apache-2.0
// Completion as real shells carry it out; one that is not installed is skipped.
#include "ctl/completion.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "ctl/command_table.h"
#include "os/file.h"

namespace tanist::ctl {
namespace {

std::string output_of(const std::string& command) {
  std::string out;
  std::FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), n);
  }
  EXPECT_EQ(pclose(pipe), 0) << command << "\n" << out;
  return out;
}

// The script in a folder of its own, under the name by which zsh finds it in $fpath.
class Script {
 public:
  explicit Script(Shell shell) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    EXPECT_TRUE(os::replace_file(path(), completion_script(shell), 0600));
  }
  ~Script() { std::filesystem::remove_all(folder_); }
  const std::string& folder() const { return folder_; }
  std::string path() const { return folder_ + "/_tanistctl"; }

 private:
  std::string folder_ = "/tmp/tanist_completion_XXXXXX";  // as mkdtemp wants it
};

// What bash offers for the last of the words.
std::set<std::string> offered(const std::string& words) {
  const Script script(Shell::bash);
  const auto text = output_of("bash -c '. \"$0\"; COMP_WORDS=(" + words +
                              "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tanistctl; printf "
                              "\"%s\\n\" \"${COMPREPLY[@]}\"' " +
                              script.path());
  std::set<std::string> out;
  std::string word;
  for (const char c : text) {
    if (c != '\n') {
      word += c;
    } else {
      if (!word.empty()) out.insert(word);
      word.clear();
    }
  }
  return out;
}

using Words = std::set<std::string>;

TEST(BashCompletion, OffersTheCommands) {
  const auto words = offered("tanistctl \"\"");
  for (const auto& command : command_table()) EXPECT_TRUE(words.contains(command.name));
  EXPECT_EQ(offered("tanistctl sw"), Words{"switchover"});
}

TEST(BashCompletion, LooksPastGlobalOptionsAndTheirValues) {
  EXPECT_EQ(offered("tanistctl -c list -k hi"), Words{"history"});
}

TEST(BashCompletion, OffersTheOptionsOfTheCommand) {
  EXPECT_EQ(offered("tanistctl switchover --ca"), Words{"--candidate"});
  EXPECT_EQ(offered("tanistctl pause --fo"), Words{});
}

TEST(BashCompletion, OffersTheWordsOfAnOptionAndOfAnArgument) {
  EXPECT_EQ(offered("tanistctl list -f \"\""), (Words{"json", "pretty", "tsv", "yaml", "yml"}));
  EXPECT_EQ(offered("tanistctl flush shop s"), Words{"switchover"});
}

TEST(BashCompletion, OffersFilesWhereOneIsWanted) {
  EXPECT_EQ(offered("tanistctl replay /etc/host.con"), Words{"/etc/host.conf"});
  EXPECT_EQ(offered("tanistctl explain --file /etc/host.con"), Words{"/etc/host.conf"});
}

bool is_installed(const std::string& shell) {
  return std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) == 0;
}

// An interactive zsh on a terminal of its own, to which two Tabs are typed. `load` makes the script
// known to it; $1 is its folder.
void expect_zsh_completes(const std::string& load) {
  if (!is_installed("zsh")) GTEST_SKIP() << "zsh is not installed";
  const Script script(Shell::zsh);
  const auto text = output_of("timeout 60 zsh -f -c '" + load + R"(
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; $load; print LOA""DED"
zpty -r shell out "*LOADED*"
zpty -w -n shell "tanistctl switchov"$'"'\t'"'
zpty -r shell out "*switchover*" && print switchover
zpty -w -n shell "--ca"$'"'\t'"'
zpty -r shell out "*--candidate*" && print -- --candidate
' zsh )" + script.folder() + " 2>&1");
  EXPECT_EQ(text, "switchover\n--candidate\n");
}

TEST(ZshCompletion, CompletesCommandsAndOptions) {
  expect_zsh_completes(R"(load="fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D")");
}

TEST(ZshCompletion, CanBeSourced) {
  expect_zsh_completes(R"(load="autoload -Uz compinit; compinit -u -D; source $1/_tanistctl")");
}

TEST(FishCompletion, CompletesCommandsOptionsAndTheirWords) {
  if (!is_installed("fish")) GTEST_SKIP() << "fish is not installed";
  const Script script(Shell::fish);
  const auto offers = [&script](const std::string& line) {
    return output_of("fish --no-config -c 'source " + script.path() + "; complete -C \"" + line +
                     "\"' 2>&1");
  };
  EXPECT_TRUE(offers("tanistctl switchov").starts_with("switchover\t"));
  EXPECT_TRUE(offers("tanistctl switchover --ca").starts_with("--candidate\t"));
  EXPECT_NE(offers("tanistctl list -f ").find("\nyaml"), std::string::npos);
  EXPECT_TRUE(offers("tanistctl -c list switchov").starts_with("switchover\t"));
  EXPECT_EQ(offers("tanistctl flush shop "), "restart\nswitchover\n") << "no files";
  EXPECT_EQ(offers("tanistctl replay /etc/host.con"), "/etc/host.conf\n");
}

TEST(Completion, EveryOptionOccursInEveryScript) {
  for (const auto shell : {Shell::bash, Shell::zsh, Shell::fish}) {
    const auto script = completion_script(shell);
    for (const auto& command : command_table()) {
      for (const auto& option : command.options) {
        const auto name =
            shell == Shell::fish ? option.key().substr(option.key().rfind("--") + 2) : option.key();
        if (option.key().starts_with("--")) {
          EXPECT_NE(script.find(name), std::string::npos) << command.name << " " << option.key();
        }
      }
    }
  }
}

}  // namespace
}  // namespace tanist::ctl
