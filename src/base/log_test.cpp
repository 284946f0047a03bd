// SPDX-License-Identifier: Apache-2.0
// The log as a whole: levels, heartbeats, the bounded queue, and a stderr that nobody reads.
#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace tanist {
namespace {

WallTime fixed_time() { return WallTime(std::chrono::microseconds{1'700'000'000'000'000}); }

class Log : public testing::Test {
 protected:
  Log() {
    std::string folder = testing::TempDir() + "tanist-log-XXXXXX";
    directory = mkdtemp(folder.data());
    settings.directory = directory;
    settings.format = "%(levelname)s %(message)s";
  }
  ~Log() override {
    flush_log(seconds(5));
    configure_log({}, fixed_time);  // lets go of the file
    flush_log(seconds(5));
    std::filesystem::remove_all(directory);
  }

  void configure() { configure_log(settings, fixed_time); }
  std::string written() const {
    EXPECT_TRUE(flush_log(seconds(10)));
    std::ifstream file(directory + "/patroni.log");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string directory;
  LogSettings settings;
};

TEST_F(Log, WritesRecordsFromTheConfiguredLevelOn) {
  configure();
  EXPECT_FALSE(log_enabled(LogLevel::debug));
  log_debug("no");
  log_info("a {}", 1);
  log_critical("b");
  EXPECT_EQ(written(), "INFO a 1\nCRITICAL b\n");
}

TEST_F(Log, EveryNameOfALevelIsUnderstood) {
  for (const auto& [name, first] :
       std::vector<std::pair<std::string, LogLevel>>{{"DEBUG", LogLevel::debug},
                                                     {"INFO", LogLevel::info},
                                                     {"WARN", LogLevel::warning},
                                                     {"WARNING", LogLevel::warning},
                                                     {"ERROR", LogLevel::error},
                                                     {"FATAL", LogLevel::critical},
                                                     {"CRITICAL", LogLevel::critical}}) {
    settings.level = name;
    configure();
    EXPECT_TRUE(log_enabled(first)) << name;
    if (first != LogLevel::debug) {
      EXPECT_FALSE(log_enabled(static_cast<LogLevel>(static_cast<int>(first) - 1))) << name;
    }
  }
}

TEST_F(Log, AnUnknownLevelIsInfoWithAWarning) {
  settings.level = "LOUD";
  configure();
  log_info("x");
  EXPECT_EQ(written(), "WARNING log.level: \"LOUD\" is no level; INFO is used\nINFO x\n");
}

TEST_F(Log, TheLevelOfPatronisLoggerIsOurs) {
  settings.loggers = {{"patroni", "DEBUG"}, {"urllib3", "ERROR"}};
  configure();
  EXPECT_TRUE(log_enabled(LogLevel::debug));
}

TEST_F(Log, ReconfigurationTakesEffectAtOnce) {
  configure();
  log_info("one");
  flush_log(seconds(5));
  settings.format = "%(message)s";
  settings.level = "ERROR";
  configure();
  log_info("dropped");
  log_error("two");
  EXPECT_EQ(written(), "INFO one\ntwo\n");
}

TEST_F(Log, AReloadOpensTheFileAnew) {
  configure();
  log_info("one");
  flush_log(seconds(5));
  std::filesystem::rename(directory + "/patroni.log", directory + "/moved");
  configure();
  log_info("two");
  EXPECT_EQ(written(), "INFO two\n");
}

TEST_F(Log, TheLockOwnerLineIsDroppedBeforeAHeartbeat) {
  configure();
  log_info("Lock owner: a; I am a");
  log_info("no action. I am (a), the leader with the lock");
  log_info("Lock owner: a; I am a");
  log_info("PAUSE: no action. I am (a)");
  EXPECT_EQ(
      written(),
      "INFO no action. I am (a), the leader with the lock\nINFO PAUSE: no action. I am (a)\n");
}

TEST_F(Log, TheLockOwnerLineComesFirstWhenAnythingElseFollows) {
  configure();
  log_info("Lock owner: b; I am a");
  log_info("promoted self to leader");
  log_info("Lock owner: c; I am a");
  EXPECT_EQ(
      written(),
      "INFO Lock owner: b; I am a\nINFO promoted self to leader\nINFO Lock owner: c; I am a\n");
}

TEST_F(Log, OtherThreadsDoNotReleaseAHeldLine) {
  configure();
  log_info("Lock owner: b; I am a");
  std::thread([] { log_info("from elsewhere"); }).join();
  log_info("no action. fine");
  EXPECT_EQ(written(), "INFO from elsewhere\nINFO no action. fine\n");
}

TEST_F(Log, AtOtherLevelsThanInfoBothLinesAreWritten) {
  settings.level = "DEBUG";
  configure();
  log_info("Lock owner: b; I am a");
  log_info("no action. fine");
  EXPECT_EQ(written(), "INFO Lock owner: b; I am a\nINFO no action. fine\n");
}

TEST_F(Log, RepeatedHeartbeatsAreDroppedOnRequest) {
  settings.deduplicate_heartbeat = true;
  configure();
  for (int i = 0; i < 3; ++i) {
    log_info("Lock owner: a; I am a");
    log_info("no action. again");
  }
  log_info("something");
  log_info("no action. again");
  log_info("no action. other");
  EXPECT_EQ(
      written(),
      "INFO no action. again\nINFO something\nINFO no action. again\nINFO no action. other\n");
}

TEST_F(Log, VeryLongTextsAreCut) {
  configure();
  log_info("{}", std::string(1'000'000, 'x'));
  EXPECT_LT(written().size(), 70'000U);
}

TEST_F(Log, UnusableSettingsAreToldInTheLog) {
  settings.format = "%(nonsense)s";
  configure();
  EXPECT_NE(written().find("WARNING: log.format: there is no field \"nonsense\""),
            std::string::npos);
}

TEST_F(Log, LastWordsReachTheFileAndStderr) {
  configure();
  log_info("one");
  flush_log(seconds(5));
  testing::internal::CaptureStderr();
  log_last_words("the end");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "the end\n");
  EXPECT_EQ(written(), "INFO one\nthe end\n");
}

// A pipe in place of stderr, full from the start.
class FullPipe {
 public:
  FullPipe() {
    EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0);
    saved_ = dup(STDERR_FILENO);
    fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string filler(4096, '.');
    while (write(ends_[1], filler.data(), filler.size()) > 0) {
    }
    fcntl(ends_[1], F_SETFL, 0);
    dup2(ends_[1], STDERR_FILENO);
  }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;
  ~FullPipe() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    close(ends_[0]);
    close(ends_[1]);
  }

  // Reads until `last` was seen.
  std::string drain(const std::string& last) {
    std::string text;
    std::array<char, 65536> buffer{};
    while (text.find(last) == std::string::npos) {
      const auto count = read(ends_[0], buffer.data(), buffer.size());
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text.substr(text.find_first_not_of('.'));
  }

 private:
  std::array<int, 2> ends_{};
  int saved_ = -1;
};

TEST_F(Log, AFullPipeBlocksNobodyAndLosesTheOldest) {
  settings.directory.clear();
  settings.queue_records_max = 5;
  FullPipe pipe;
  configure();
  const auto lost_before = log_queue().lost;
  for (int i = 1; i <= 20; ++i) log_info("record {:02}", i);
  EXPECT_FALSE(flush_log(milliseconds(50)));
  EXPECT_GE(log_queue().waiting, 4);  // one may be in the writer's hands
  log_last_words("no room for this");
  EXPECT_GE(log_queue().lost - lost_before, 14);
  const auto text = pipe.drain("record 20\n");
  EXPECT_NE(text.find("WARNING QueueHandler has lost "), std::string::npos) << text;
  EXPECT_NE(
      text.find("INFO record 16\nINFO record 17\nINFO record 18\nINFO record 19\nINFO record 20\n"),
      std::string::npos)
      << text;
  EXPECT_EQ(text.find("no room"), std::string::npos);
  EXPECT_TRUE(flush_log(seconds(10)));
}

TEST_F(Log, ManyThreadsMayLogWhileItIsReconfigured) {
  settings.queue_records_max = 100'000;
  configure();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) log_info("thread {} record {}", t, i);
    });
  }
  for (int i = 0; i < 20; ++i) configure();
  for (auto& thread : threads) thread.join();
  const auto text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2000);
}

}  // namespace
}  // namespace tanist
