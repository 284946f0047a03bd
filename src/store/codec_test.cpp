// SPDX-License-Identifier: Apache-2.0
// Paths and values: golden files of what is read and written, and the odd corners one by one.
#include "store/codec.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/format.h"
#include "base/json.h"
#include "store/cluster_cache.h"

namespace tanist::store {

namespace {

std::string golden_path(const std::string& name) {
  return TANIST_SOURCE_DIR "/src/store/testdata/" + name;
}

// ---- Paths (contract dcs 1) ------------------------------------------------------------------

TEST(KeyPaths, CollapseSlashes) {
  for (const auto* given : {"service", "/service", "/service/", "//service//"}) {
    EXPECT_EQ(KeyPaths(given, "c1").prefix(), "/service/c1/") << given;
  }
  EXPECT_EQ(KeyPaths("", "c1").prefix(), "/c1/");
  EXPECT_EQ(KeyPaths("/", "c1").prefix(), "/c1/");
  EXPECT_EQ(KeyPaths("/a/b", "c1").prefix(), "/a/b/c1/");
}

TEST(KeyPaths, AScopeThatEndsInASlashGivesTwoBeforeTheName) {
  EXPECT_EQ(KeyPaths("service", "c1/").leader(), "/service/c1//leader");
}

TEST(KeyPaths, TheRangeHoldsTheClusterAndNoOther) {
  const KeyPaths paths("service", "c1");
  EXPECT_EQ(paths.range_end(), "/service/c10");
  EXPECT_LT(paths.prefix(), paths.leader());
  EXPECT_LT(paths.leader(), paths.range_end());
  EXPECT_LE(paths.range_end(), KeyPaths("service", "c10").prefix());
}

TEST(KeyPaths, NameEveryKey) {
  const KeyPaths paths("service", "c1");
  EXPECT_EQ(paths.of(StoreKey::initialize), "/service/c1/initialize");
  EXPECT_EQ(paths.of(StoreKey::failsafe), "/service/c1/failsafe");
  EXPECT_EQ(paths.of(StoreKey::digests), "/service/c1/tanist/digests");
  EXPECT_EQ(paths.member(MemberName("n 1")), "/service/c1/members/n 1");
  EXPECT_EQ(paths.relative("/service/c1/members/a"), "members/a");
  EXPECT_EQ(paths.relative("/service/c12/leader"), std::nullopt);
}

// ---- Golden: reading -------------------------------------------------------------------------

struct Case {
  std::string text;  // up to the line of dashes, as it stands in the file
  std::vector<std::pair<std::string, std::string>> keys;
  std::string expected;
};

// What stands before the first case, and the cases.
std::pair<std::string, std::vector<Case>> load_cases(const std::string& path) {
  std::ifstream file(path);
  std::string head;
  std::vector<Case> cases;
  bool in_view = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("case: ")) {
      cases.push_back({line + "\n", {}, {}});
      in_view = false;
    } else if (cases.empty()) {
      head += line + "\n";
    } else if (in_view) {
      if (!line.empty()) cases.back().expected += line + "\n";
    } else {
      cases.back().text += line + "\n";
      in_view = line == "----";
      const auto blank = line.find(' ');
      if (!in_view) cases.back().keys.emplace_back(line.substr(0, blank), line.substr(blank + 1));
    }
  }
  return {head, cases};
}

std::string view_of(const Case& given) {
  ClusterCache cache(KeyPaths("service", "demo"));
  ClusterCache::Keys keys;
  std::int64_t revision = 10;
  for (const auto& [name, value] : given.keys) {
    ++revision;
    keys["/service/demo/" + name] = {value, Revision(revision), Revision(revision), LeaseId()};
  }
  cache.replace(keys, Revision(revision));
  const auto view = cache.view();
  std::string text;
  const Tree fields = to_tree(*view);
  for (const auto& [name, value] : *fields.as_map()) {
    if (value.is_map() && value.as_map()->empty()) continue;
    text += name + " " + to_json(value) + "\n";
  }
  return text + format_text("timeline {}\n", view->timeline().value());
}

TEST(CodecGolden, ReadsWhatOtherAgentsWrite) {
  const auto path = golden_path("reading.txt");
  const auto [head, cases] = load_cases(path);
  ASSERT_GT(cases.size(), 10U);
  std::string rewritten = head;
  for (const auto& each : cases) {
    const auto view = view_of(each);
    rewritten += each.text + view + "\n";
    if (std::getenv("TANIST_REWRITE") == nullptr) EXPECT_EQ(view, each.expected) << each.text;
  }
  rewritten.pop_back();
  if (std::getenv("TANIST_REWRITE") != nullptr) std::ofstream(path) << rewritten;
}

// ---- Golden: writing -------------------------------------------------------------------------

TEST(CodecGolden, WritesWhatOtherAgentsRead) {
  std::string written;
  const auto add = [&](std::string_view key, const std::string& value) {
    written += format_text("{} {}\n", key, value);
  };
  add("status", encode_status({.optime = Lsn(67108864)}));
  add("status", encode_status({.optime = Lsn(67108864),
                               .slots = {{"n1", 67108864}, {"n2", 16777216}},
                               .retain_slots = {"n2", "n1"}}));
  add("sync", encode_sync({}));
  add("sync", encode_sync({.leader = MemberName("n1")}));
  add("sync", encode_sync({.leader = MemberName("n1"),
                           .standbys = {MemberName("n3"), MemberName("N2"), MemberName("n2")},
                           .quorum = 1}));
  add("failover", encode_failover({}));
  add("failover", encode_failover({.leader = MemberName("n1"), .member = MemberName("n2")}));
  const std::string schedule = "2026-07-01T12:00:00+02:00";
  add("failover", encode_failover({.leader = MemberName("n1"),
                                   .scheduled_at = parse_timestamp(schedule),
                                   .scheduled_text = schedule}));
  add("failover",
      encode_failover({.leader = MemberName("n1"), .scheduled_at = parse_timestamp(schedule)}));
  add("failover", encode_failover({.member = MemberName("n2"), .scheduled_text = "some day"}));
  add("failsafe", encode_failsafe({{MemberName("n2"), "http://10.0.0.2:8008/patroni"},
                                   {MemberName("n1"), "http://10.0.0.1:8008/patroni"}}));
  add("history", encode_history({}));
  add("history",
      encode_history({{Timeline(1), Lsn(25165824), "no recovery target specified", "", ""},
                      {Timeline(2), Lsn(33554432), "größer", "2026-01-02T03:04:05+00:00", "n1"}}));
  const auto path = golden_path("writing.txt");
  if (std::getenv("TANIST_REWRITE") != nullptr) std::ofstream(path) << written;
  std::stringstream expected;
  expected << std::ifstream(path).rdbuf();
  EXPECT_EQ(written, expected.str());
}

TEST(Codec, ReadsWhatIsPausedWhateverSomebodyWrote) {
  const auto read = [](const std::string& text) {
    return decode_poolers({text, {}, Revision(7), {}});
  };
  const PoolersView good{{"10.0.0.9:6432"}, {"app"}, Revision(7)};
  EXPECT_EQ(read(R"({"hosts":["10.0.0.9:6432", 5],"databases":["app"],"at":"x"})"), good);
  for (const auto* text : {"", "[]", "nonsense", R"({"hosts":"x","databases":{}})"}) {
    EXPECT_EQ(read(text), (PoolersView{{}, {}, Revision(7)})) << text;
  }
}

TEST(Codec, ReadsBackWhatItWrites) {
  const StatusView status{Lsn(5), {{"a", 1}}, {"b"}, Revision(7), Timeline(3)};
  EXPECT_EQ(decode_status({encode_status(status), {}, Revision(7), {}}), status);
  const SyncView sync{MemberName("n1"), {MemberName("n2"), MemberName("n3")}, 1, Revision(7)};
  EXPECT_EQ(decode_sync({encode_sync(sync), {}, Revision(7), {}}), sync);
  const std::vector<HistoryLine> lines{{Timeline(1), Lsn(2), "r", "t", "n1"}};
  EXPECT_EQ(decode_history({encode_history(lines), {}, Revision(7), {}}).lines, lines);
}

TEST(Codec, Trap163ALongHistoryLosesItsOldestLines) {
  std::vector<HistoryLine> lines;
  for (std::uint32_t i = 1; i <= 20000; ++i) {
    lines.push_back({Timeline(i), Lsn(i), std::string(80, 'r'), "2026-01-02T03:04:05+00:00", "n1"});
  }
  const auto text = encode_history(lines);
  EXPECT_LE(text.size(), value_bytes_max);
  EXPECT_EQ(decode_history({text, {}, {}, {}}).lines.back(), lines.back());
}

// ---- Hostile values --------------------------------------------------------------------------

TEST(Codec, NothingThatOthersWriteBreaksTheReader) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += '[';
  const std::vector<std::string> values{"",
                                        "{",
                                        deep,
                                        std::string(1000, '\xff'),
                                        std::string("\0\0", 2),
                                        "null",
                                        "true",
                                        "1e999",
                                        "-99999999999999999999",
                                        R"({"leader":{},"quorum":true,"sync_standby":[1]})",
                                        R"({"optime":{},"slots":[],"retain_slots":{}})",
                                        R"([[[]],[1],[1,2],[1,2,3,4,5,6,7]])",
                                        R"({"tags":[],"conn_kwargs":[],"xlog_location":1.5e300})",
                                        ":",
                                        "::::",
                                        "postgres",
                                        "postgres://?application_name=%",
                                        "postgres://?application_name=%4",
                                        R"({"scheduled_at":1})"};
  for (const auto& value : values) {
    const StoredKey key{value, Revision(1), Revision(2), LeaseId(3)};
    EXPECT_EQ(decode_leader(key).revision, Revision(2));
    EXPECT_EQ(decode_initialize(key).revision, Revision(2));
    EXPECT_EQ(decode_config(key).revision, Revision(2));
    EXPECT_EQ(decode_failover(key).revision, Revision(2));
    EXPECT_EQ(decode_sync(key).revision, Revision(2));
    EXPECT_EQ(decode_status(key).revision, Revision(2));
    EXPECT_EQ(decode_history(key).revision, Revision(2));
    EXPECT_EQ(decode_member(MemberName("m"), key).revision, Revision(2));
    static_cast<void>(decode_failsafe(key));
    static_cast<void>(decode_legacy_optime(key));
  }
}

// ---- Timestamps ------------------------------------------------------------------------------

TEST(Timestamp, IsReadInEveryUsualForm) {
  const auto expected = parse_timestamp("2026-07-01T10:00:00+00:00");
  ASSERT_TRUE(expected);
  for (const auto* text :
       {"2026-07-01T12:00:00+02:00", "2026-07-01 12:00:00+02", "2026-07-01T10:00Z",
        "2026-07-01t10:00:00z", "2026-07-01T08:00:00.000-0200", "2026-07-01 10:00:00 +00:00",
        "2026-07-01T10:00:00,0000009Z"}) {
    EXPECT_EQ(parse_timestamp(text), expected) << text;
  }
  EXPECT_EQ(*parse_timestamp("2026-07-01T10:00:00.25Z") - *expected, milliseconds(250));
}

TEST(Timestamp, WithoutAZoneOrWithNonsenseIsNone) {
  for (const auto* text :
       {"", "2026-07-01T12:00:00", "2026-02-30T12:00:00Z", "2026-13-01T12:00:00Z",
        "2026-07-01T24:00:00Z", "2026-07-01T12:60:00Z", "2026-07-01T12:00:00.Z", "12:00",
        "2026-07-01T12:00:00Zebra", "2026-07-01T12:00:00+2", "-026-07-01T12:00:00Z"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

TEST(Timestamp, IsTheInverseOfToIso8601) {
  const auto time = *parse_timestamp("2031-12-31T23:59:59.000007+05:30");
  EXPECT_EQ(parse_timestamp(to_iso8601(time, std::chrono::minutes(-90))), time);
}

}  // namespace

}  // namespace tanist::store
