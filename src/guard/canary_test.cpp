// SPDX-License-Identifier: Apache-2.0
// The canary in a process of its own.
#include "guard/canary.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

// A clock on which everything takes a millisecond.
uint64_t now() {
  static uint64_t time = 0;
  return time += 1000000;
}

// A data directory, and the canary in a process of its own whose lines are read here.
class Canary : public testing::Test {
 protected:
  Canary() {
    char path[] = "/tmp/tanist-canary.XXXXXX";
    data = mkdtemp(path);
    fs::create_directories(data + "/global");
    fs::create_directories(data + "/pg_wal");
  }
  ~Canary() override {
    if (child > 0) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    if (lines != nullptr) fclose(lines);
    fs::remove_all(data);
  }
  void be_a_server() const { std::ofstream(data + "/global/pg_control") << "x"; }

  void start() {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    child = fork();
    if (child == 0) {
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      _exit(guard_canary(data.c_str(), 1, now));
    }
    close(ends[1]);
    lines = fdopen(ends[0], "r");
  }
  // The next line that begins with `name`; any if that is empty.
  std::string next(const std::string& name) {
    char text[256];
    while (fgets(text, sizeof text, lines) != nullptr) {
      const std::string line(text);
      if (name.empty() || line.starts_with(name + " ")) return line.substr(0, line.size() - 1);
    }
    return "";
  }
  std::string file() const { return data + "/global/pgsql_tmp_canary"; }

  std::string data;
  pid_t child = 0;
  FILE* lines = nullptr;
};

TEST_F(Canary, TellsHowLongAWriteTook) {
  be_a_server();
  start();
  // In either order; the one that has nothing to do says so once.
  EXPECT_THAT((std::vector{next(""), next("")}),
              testing::UnorderedElementsAre("data 1000", "wal idle"));
  EXPECT_EQ(fs::file_size(file()), 8192U);
}

TEST_F(Canary, WritesNothingWhereNoServerIs) {
  start();
  EXPECT_EQ(next("data"), "data idle");
  EXPECT_FALSE(fs::exists(file()));
  be_a_server();
  EXPECT_THAT(next("data"), MatchesRegex("data [0-9]+"));
  fs::remove(data + "/global/pg_control");
  fs::remove(file());
  EXPECT_EQ(next("data"), "data idle");
  EXPECT_FALSE(fs::exists(file())) << "a directory that is being emptied stays empty";
}

TEST_F(Canary, NamesTheErrorOfAWrite) {
  be_a_server();
  fs::create_directory(file());
  start();
  EXPECT_EQ(next("data"), "data error " + std::to_string(EISDIR));
}

TEST_F(Canary, EndsWithoutATraceAtSigterm) {
  be_a_server();
  start();
  next("data");
  kill(child, SIGTERM);
  int status = -1;
  waitpid(child, &status, 0);
  child = 0;
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(Canary, EndsWhenNobodyReadsAnyMore) {
  be_a_server();
  start();
  next("data");
  fclose(lines);
  lines = nullptr;
  int status = -1;
  waitpid(child, &status, 0);
  child = 0;
  EXPECT_EQ(status, 0);
}

}  // namespace
