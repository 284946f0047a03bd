// SPDX-License-Identifier: Apache-2.0
// Whole plans: golden files of the three-node example (testdata/three-nodes: every file of pg-1
// and haproxy with marks for passwords, and an index of all files and certificates), and the rules
// that a reader of golden files would not see. TANIST_REWRITE_GOLDEN=1 writes them anew.
#include "provision/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/format.h"
#include "os/file.h"
#include "provision/provision.h"
#include "provision/topology_reader.h"
#include "yaml/yaml.h"

namespace tanist::provision {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string source = TANIST_SOURCE_DIR;
const std::string golden_folder = source + "/src/provision/testdata/three-nodes/";

Topology example(const std::string& name) {
  auto topology = read_topology(source + "/examples/" + name);
  EXPECT_TRUE(topology.has_value()) << topology.error().message;
  return topology.value_or(Topology{});
}

Plan three_nodes() {
  auto plan = make_plan(example("topology-three-nodes.yml"), "/output");
  EXPECT_TRUE(plan.has_value()) << plan.error().message;
  return plan.value_or(Plan{});
}

std::string text_of(const PlannedFile& file) {
  if (const auto* text = std::get_if<std::string>(&file.content)) return *text;
  if (const auto* part = std::get_if<CertificatePart>(&file.content)) {
    return format_text("@{} {}@\n", part->is_key ? "key" : "certificate", part->index);
  }
  return "@trust bundle@\n";
}

std::string text_of(const Plan& plan, const std::string& path) {
  for (const auto& file : plan.files) {
    if (file.path == path) return text_of(file);
  }
  ADD_FAILURE() << "no file " << path;
  return "";
}

// All files and certificates, one a line.
std::string index_of(const Plan& plan) {
  std::string text;
  for (const auto& file : plan.files) {
    const bool is_text = std::holds_alternative<std::string>(file.content);
    text += format_text("{:04o} {:<17} {} -> {}{}", file.mode, file.owner, file.path,
                        file.install.empty() ? "-" : file.install,
                        is_text ? "\n" : " " + text_of(file));
  }
  for (std::size_t i = 0; i < plan.certificates.size(); ++i) {
    const auto& [path, request] = plan.certificates[i];
    text += format_text("certificate {}: {} CN={} for {}: {}\n", i, path, request.common_name,
                        to_text(request.use), fmt::join(request.alternative_names(), " "));
  }
  return text;
}

void expect_golden(const std::string& name, const std::string& text) {
  const auto path = golden_folder + name;
  if (std::getenv("TANIST_REWRITE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    ASSERT_TRUE(os::replace_file(path, text, 0644).has_value());
    return;
  }
  const auto golden = os::read_file(path);
  ASSERT_TRUE(golden.has_value()) << golden.error().message;
  EXPECT_EQ(text, *golden) << path << " differs; TANIST_REWRITE_GOLDEN=1 writes it anew";
}

TEST(ThreeNodePlan, IsTheGoldenOne) {
  const auto plan = three_nodes();
  expect_golden("index.txt", index_of(plan));
  for (const auto& file : plan.files) {
    if (!std::holds_alternative<std::string>(file.content)) continue;
    if (file.host.empty() || file.host == "pg-1" || file.host == "haproxy") {
      expect_golden(file.path, text_of(file));
    }
  }
}

TEST(ThreeNodePlan, ShowsNoSecretToOthers) {
  for (const auto& file : three_nodes().files) {
    if (text_of(file).find("-password@") != std::string::npos ||
        text_of(file).starts_with("@key")) {
      EXPECT_EQ(file.mode, 0600u) << file.path;
    }
  }
}

TEST(ThreeNodePlan, TrustsNobodyFromTheNetworkWithoutPassword) {
  for (const auto& file : three_nodes().files) {
    EXPECT_THAT(text_of(file), Not(HasSubstr(" trust\n"))) << file.path;
  }
}

Tree parsed(const std::string& text) {
  auto document = yaml::parse_yaml(text, "generated");
  EXPECT_TRUE(document.has_value()) << document.error().message;
  EXPECT_TRUE(document->warnings.empty());
  return document->tree;
}

TEST(AgentFile, IsReadBackAsWhatItMeans) {
  const auto tree = parsed(text_of(three_nodes(), "pg-2/etc/tanist/tanist.yml"));
  const auto at = [&](std::initializer_list<std::string_view> keys) {
    const auto* found = tree.find_path(keys);
    return found == nullptr ? "absent" : text_form(*found);
  };
  EXPECT_EQ(at({"scope"}), "postgres-ha");
  EXPECT_EQ(at({"name"}), "pg-2");
  EXPECT_EQ(at({"etcd3", "protocol"}), "https");
  EXPECT_EQ(at({"restapi", "listen"}), "192.168.122.24:8008");
  EXPECT_EQ(at({"postgresql", "connect_address"}), "192.168.122.24:5432");
  EXPECT_EQ(at({"postgresql", "use_unix_socket"}), "True");
  EXPECT_EQ(at({"postgresql", "parameters", "ssl"}), "on");
  EXPECT_EQ(at({"postgresql", "authentication", "rewind", "password"}), "@rewind-password@");
  EXPECT_EQ(at({"bootstrap", "dcs", "postgresql", "use_pg_rewind"}), "True");
  EXPECT_EQ(at({"bootstrap", "dcs", "ttl"}), "30");
}

Plan plan_of(std::string_view text) {
  const auto document = yaml::parse_yaml(text, "t.yml");
  auto topology = topology_from(document->tree, document->lines, "t.yml");
  EXPECT_TRUE(topology.has_value()) << topology.error().message;
  auto plan = make_plan(topology.value_or(Topology{}), "/o");
  EXPECT_TRUE(plan.has_value()) << plan.error().message;
  return plan.value_or(Plan{});
}

TEST(AgentFile, CarriesTheOperatorsParametersOverTheDefaults) {
  const auto plan = plan_of(
      "cluster: c\nnodes: [{name: a, address: 10.0.0.1}]\n"
      "postgresql: {parameters: {max_connections: 300, work_mem: 64MB, log_connections: 'on'}}\n");
  const auto tree = parsed(text_of(plan, "a/etc/tanist/tanist.yml"));
  const auto* parameters = tree.find_path({"bootstrap", "dcs", "postgresql", "parameters"});
  ASSERT_NE(parameters, nullptr);
  EXPECT_EQ(text_form(*parameters->find("max_connections")), "300");
  EXPECT_EQ(text_form(*parameters->find("work_mem")), "64MB");
  EXPECT_EQ(text_form(*parameters->find("log_connections")), "on");
  EXPECT_EQ(text_form(*parameters->find("max_wal_senders")), "10");
}

TEST(AgentFile, LetsApplicationsInDirectlyOnlyWithoutAProxy) {
  const std::string nodes =
      "cluster: c\nnodes: [{name: a, address: 10.0.0.1}]\napplications: 10.7.0.0/16\n";
  const auto direct = text_of(plan_of(nodes), "a/etc/tanist/tanist.yml");
  EXPECT_THAT(direct, HasSubstr("hostssl all all 10.7.0.0/16 scram-sha-256"));
  const auto behind = text_of(plan_of(nodes + "haproxy: [{name: p, address: 10.0.0.9}]\n"),
                              "a/etc/tanist/tanist.yml");
  EXPECT_THAT(behind, AllOf(HasSubstr("hostssl all all 10.0.0.9/32 scram-sha-256"),
                            Not(HasSubstr("10.7.0.0/16"))));
}

TEST(EtcdFile, ElectsFasterForAShortLease) {
  const auto timing = [](const char* ttl) {
    const auto text =
        text_of(plan_of(format_text("cluster: c\nnodes: [{{name: a, address: 10.0.0.1}}]\n"
                                    "timing: {{ttl: {}, loop_wait: 1, retry_timeout: 1}}\n",
                                    ttl)),
                "a/etc/etcd/etcd.yml");
    const auto tree = parsed(text);
    return text_form(*tree.find("heartbeat-interval")) + "/" +
           text_form(*tree.find("election-timeout"));
  };
  EXPECT_EQ(timing("10"), "100/1000");
  EXPECT_EQ(timing("9"), "50/500");
}

TEST(Plan, WritesAddressesOfVersionSixAsEachFileWantsThem) {
  const auto plan = plan_of(
      "cluster: c\nnodes: [{name: a, address: 'fd00::1'}]\n"
      "haproxy: [{name: p, address: 'fd00::9'}]\napplications: ['fd00::/16', 10.0.0.0/8]\n");
  EXPECT_THAT(text_of(plan, "a/etc/tanist/tanist.yml"),
              AllOf(HasSubstr("listen: '[fd00::1]:5432'"),
                    HasSubstr("hostssl all all fd00::9/128 scram-sha-256")));
  EXPECT_THAT(text_of(plan, "a/etc/etcd/etcd.yml"), HasSubstr("https://[fd00::1]:2380"));
  EXPECT_THAT(text_of(plan, "p/etc/haproxy/haproxy.cfg"),
              AllOf(HasSubstr("server a [fd00::1]:5432"), HasSubstr("bind [::]:5000")));
  EXPECT_THAT(text_of(plan, "p/firewall/nftables.conf"),
              AllOf(HasSubstr("ip6 saddr { fd00::/16 } tcp dport 5000"),
                    HasSubstr("ip saddr { 10.0.0.0/8 } tcp dport 5000")));
}

TEST(Plan, OfOneMachineStaysInTheOutputFolder) {
  const auto plan = make_plan(example("topology-demo.yml"), "/tmp/demo");
  ASSERT_TRUE(plan.has_value());
  for (const auto& file : plan->files) {
    EXPECT_EQ(file.install, "") << file.path;
    EXPECT_THAT(file.path, Not(HasSubstr("systemd")));
    EXPECT_THAT(file.path, Not(HasSubstr("firewall")));
  }
  EXPECT_THAT(
      text_of(*plan, "node1/etc/tanist/tanist.yml"),
      AllOf(HasSubstr("data_dir: /tmp/demo/node1/var/lib/postgresql/demo"),
            HasSubstr("local all postgres scram-sha-256"), HasSubstr("replicator 127.0.0.0/8")));
}

// Trap 165: the server's own worker connects to the database.
TEST(Plan, LetsTheSlotSynchronisationInWhereItIsOn) {
  const auto hba = [](const std::string& parameters) {
    return text_of(plan_of("cluster: c\nnodes: [{name: a, address: 10.0.0.1}]\n"
                           "applications: [10.0.0.0/8]\npostgresql: {parameters: {" +
                           parameters + "}}\n"),
                   "a/etc/tanist/tanist.yml");
  };
  const auto* line = "hostssl postgres replicator 10.0.0.1/32 scram-sha-256";
  EXPECT_THAT(hba("sync_replication_slots: 'on'"), HasSubstr(line));
  EXPECT_THAT(hba("sync_replication_slots: off"), Not(HasSubstr(line)));
  EXPECT_THAT(hba("work_mem: 8MB"), Not(HasSubstr(line)));
}

TEST(Plan, OfOneMachineRefusesAFolderThatNoFileCouldName) {
  const auto topology = example("topology-demo.yml");
  for (const auto* folder : {"/tmp/with blank", "/tmp/with'quote", "/tmp/with#mark"}) {
    const auto plan = make_plan(topology, folder);
    ASSERT_FALSE(plan.has_value()) << folder;
    EXPECT_THAT(plan.error().message, HasSubstr("cannot carry this path"));
  }
  EXPECT_TRUE(make_plan(example("topology-three-nodes.yml"), "/tmp/with blank").has_value());
}

TEST(Plan, RefusesASocketsPathThatIsTooLong) {
  const auto plan = make_plan(example("topology-demo.yml"), "/" + std::string(80, 'x'));
  ASSERT_FALSE(plan.has_value());
  EXPECT_THAT(plan.error().message, HasSubstr("choose a shorter output folder"));
}

}  // namespace
}  // namespace tanist::provision
