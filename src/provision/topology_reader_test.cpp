// SPDX-License-Identifier: Apache-2.0
// What a topology file may say, what it means when it says nothing, and how each mistake is told.
#include "provision/topology_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provision/section.h"
#include "yaml/yaml.h"

namespace tanist::provision {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<Topology> read(std::string_view text) {
  const auto document = yaml::parse_yaml(text, "t.yml");
  EXPECT_TRUE(document.has_value()) << document.error().message;
  return topology_from(document->tree, document->lines, "t.yml");
}

Topology good(std::string_view text) {
  auto topology = read(text);
  EXPECT_TRUE(topology.has_value()) << topology.error().message;
  return topology.value_or(Topology{});
}

std::string complaint(std::string_view text) {
  const auto topology = read(text);
  return topology ? "" : topology.error().message;
}

constexpr auto* three = R"(cluster: c
nodes:
  - {name: a, address: 10.0.0.1}
  - {name: b, address: 10.0.0.2}
  - {name: d, address: 10.0.0.3}
)";

std::string three_and(std::string_view more) { return three + std::string(more); }

std::vector<std::string> names(const std::vector<Host>& hosts) {
  std::vector<std::string> found;
  for (const auto& host : hosts) found.push_back(host.name);
  return found;
}

TEST(TopologyFile, NeedsNothingButAClusterAndItsNodes) {
  const auto topology = good(three);
  EXPECT_EQ(topology.cluster, "c");
  EXPECT_EQ(topology.namespace_, "/service");
  EXPECT_EQ(topology.timing, Timing{});
  EXPECT_EQ(topology.synchronous_mode, SynchronousMode::off);
  EXPECT_EQ(topology.data_dir(), "/var/lib/postgresql/c");
  EXPECT_EQ(topology.bin_dir(), "/usr/lib/postgresql/16/bin");
  EXPECT_EQ(topology.hosts.front().ports, Ports{});
}

TEST(TopologyFile, PutsEtcdOnTheNodesUnlessItIsToldWhere) {
  EXPECT_THAT(names(good(three).hosts_with(&Roles::etcd)), ElementsAre("a", "b", "d"));
  const auto elsewhere = good(three_and("etcd: [a, b, {name: e, address: 10.0.0.9}]\n"));
  EXPECT_THAT(names(elsewhere.hosts_with(&Roles::etcd)), ElementsAre("a", "b", "e"));
  EXPECT_THAT(names(elsewhere.hosts_with(&Roles::node)), ElementsAre("a", "b", "d"));
}

TEST(TopologyFile, HasNoProxyUnlessOneIsNamed) {
  EXPECT_THAT(good(three).hosts_with(&Roles::haproxy), IsEmpty());
  const auto topology = good(three_and("haproxy: [a, {name: p, address: 10.0.0.9}]\n"));
  EXPECT_THAT(names(topology.hosts_with(&Roles::haproxy)), ElementsAre("a", "p"));
}

TEST(TopologyFile, TakesASingleValueForAList) {
  EXPECT_THAT(names(good(three_and("haproxy: a\n")).hosts_with(&Roles::haproxy)), ElementsAre("a"));
  EXPECT_EQ(good(three_and("applications: 10.1.0.0/16\n")).applications.size(), 1u);
}

TEST(TopologyFile, OpensTheEntryPointsToAllWithoutApplications) {
  EXPECT_THAT(good(three).applications,
              ElementsAre(Network::everything_v4(), Network::everything_v6()));
}

TEST(TopologyFile, LetsAHostOverrideTheClustersPorts) {
  const auto topology = good(R"(cluster: c
ports: {postgresql: 6000, rest: 6001}
nodes: [{name: a, address: 10.0.0.1, ports: {rest: 7001}}]
)");
  EXPECT_EQ(topology.hosts.front().ports.postgresql, 6000);
  EXPECT_EQ(topology.hosts.front().ports.rest, 7001);
}

TEST(TopologyFile, ReadsTheSynchronousModesAsTheAgentDoes) {
  const auto mode = [](std::string_view word) {
    return good(three_and("synchronous_mode: " + std::string(word) + "\n")).synchronous_mode;
  };
  EXPECT_EQ(mode("on"), SynchronousMode::priority);
  EXPECT_EQ(mode("'true'"), SynchronousMode::priority);
  EXPECT_EQ(mode("quorum"), SynchronousMode::quorum);
  EXPECT_EQ(mode("off"), SynchronousMode::off);
}

TEST(TopologyFile, SortsTheNamesOfCertificatesFromTheAddresses) {
  const auto topology =
      good(three_and("certificates: {names: [db.example.com, 10.9.9.9], days: 90}\n"));
  EXPECT_THAT(topology.certificates.names, ElementsAre("db.example.com"));
  EXPECT_EQ(topology.certificates.addresses.front().text(), "10.9.9.9");
  EXPECT_EQ(topology.certificates.days, 90);
}

TEST(TopologyFile, AllowsOneAddressTwiceOnOneMachineWithDistinctPorts) {
  const auto topology = good(R"(cluster: c
one_machine: true
etcd: [a]
nodes:
  - {name: a, address: 127.0.0.1, ports: {postgresql: 6001, rest: 6002}}
  - {name: b, address: 127.0.0.1, ports: {postgresql: 6003, rest: 6004}}
)");
  EXPECT_EQ(topology.hosts.size(), 2u);
}

TEST(TopologyFile, IsToldAllMistakesAtOnceInItsOwnOrder) {
  EXPECT_EQ(complaint("cluster: '-'\nnodes:\n  - {name: a, address: nowhere}\nnodse: 1\n"),
            "t.yml:1: cluster: has to be a name of at most 63 letters, digits, '_', '.' and '-'\n"
            "t.yml:3: nodes.0.address: 'nowhere' is no IPv4 or IPv6 address; write a number such "
            "as 192.168.122.48\n"
            "t.yml:4: nodse: unknown key; did you mean `nodes`?");
}

struct Mistake {
  const char* name;
  std::string text;
  const char* said;
};

class TopologyMistake : public testing::TestWithParam<Mistake> {};

TEST_P(TopologyMistake, IsToldWithItsLineAndRemedy) {
  EXPECT_THAT(complaint(GetParam().text), HasSubstr(GetParam().said));
}

const Mistake mistakes[] = {
    {"Empty", "", "t.yml:1: cluster: is missing; give the cluster a name"},
    {"NoMap", "- a\n", "t.yml:1: file: has to hold `key: value` pairs"},
    {"NoCluster", "nodes: [{name: a, address: 10.0.0.1}]\n", ":1: cluster: is missing;"},
    {"NoNodes", "cluster: c\n", ":1: nodes: are missing; list them"},
    {"NodesAreNoList", "cluster: c\nnodes: three\n",
     ":2: nodes.0: has to be a host; write `{name: pg-1, address:"},
    {"NodesHoldAList", "cluster: c\nnodes: [[a]]\n", ":2: nodes.0: has to be a host;"},
    {"NoName", "cluster: c\nnodes:\n  - address: 10.0.0.1\n", ":3: nodes.0.name: is missing;"},
    {"NoAddress", "cluster: c\nnodes:\n  - name: a\n",
     ":3: nodes.0.address: is missing; give the IP address of a"},
    {"AddressIsAName", "cluster: c\nnodes: [{name: a, address: pg-1}]\n",
     ":2: nodes.0.address: 'pg-1' is no IPv4 or IPv6 address;"},
    {"AddressOfNobody", "cluster: c\nnodes: [{name: a, address: 0.0.0.0}]\n",
     "0.0.0.0 is not the address of one machine;"},
    {"AddressOutOfRange", "cluster: c\nnodes: [{name: a, address: 10.0.0.256}]\n",
     "'10.0.0.256' is no IPv4 or IPv6 address;"},
    {"NameWithBlank", "cluster: c\nnodes: [{name: a b, address: 10.0.0.1}]\n",
     "nodes.0.name: 'a b' is no host name; use letters"},
    {"NameWithSlash", "cluster: c\nnodes: [{name: ../a, address: 10.0.0.1}]\n",
     "'../a' is no host name;"},
    {"NameIsReserved", "cluster: c\nnodes: [{name: ca, address: 10.0.0.1}]\n",
     "'ca' is the name of a folder of the output; choose another"},
    {"NameIsATruthValue", "cluster: c\nnodes: [{name: on, address: 10.0.0.1}]\n",
     "nodes.0.name: is read by YAML as true or false; put it in quotes"},
    {"ClusterWithQuote", three_and("").replace(9, 1, "\"it's\""),
     "cluster: has to be a name of at most 63"},
    {"NameTwice", three_and("haproxy: [{name: b, address: 10.0.0.9}]\n"),
     ":6: haproxy.0.name: the name b is taken by nodes.1; each host has a name of its own"},
    {"NameTwiceInOtherCase", three_and("haproxy: [{name: B, address: 10.0.0.9}]\n"),
     "the name B is taken by nodes.1;"},
    {"AddressTwice", three_and("haproxy: [{name: p, address: 10.0.0.2}]\n"),
     ":6: haproxy.0.address: 10.0.0.2 is the address of b too; give each host its own"},
    {"SlotTwice",
     "cluster: c\netcd: [a-1]\nnodes:\n  - {name: a-1, address: 10.0.0.1}\n"
     "  - {name: a.1, address: 10.0.0.2}\n",
     ":5: nodes.1.name: a-1 and a.1 would share the replication slot a_1; choose"},
    {"Loopback", "cluster: c\nnodes: [{name: a, address: 127.0.0.1}]\n",
     "127.0.0.1 is reachable on its own machine only; give the host's address in the network, or "
     "set `one_machine: true`"},
    {"TwoEtcdMembers",
     "cluster: c\nnodes:\n  - {name: a, address: 10.0.0.1}\n  - {name: b, address: 10.0.0.2}\n",
     ":2: nodes: 2 members survive no more losses than 1, and any odd number does better; list 3 "
     "hosts under `etcd`"},
    {"FourEtcdMembers", three_and("etcd: [a, b, d, {name: e, address: 10.0.0.9}]\n"),
     ":6: etcd: 4 members survive no more losses than 3"},
    {"UnknownEtcdHost", "cluster: c\netcd: [pg1]\nnodes: [{name: pg-1, address: 10.0.0.1}]\n",
     ":2: etcd.0: no host is named 'pg1'; did you mean pg-1?"},
    {"UnknownProxy", three_and("haproxy: [elsewhere]\n"),
     "no host is named 'elsewhere'; describe it here: `{name: elsewhere, address: IP}`"},
    {"PortZero", three_and("ports: {rest: 0}\n"),
     ":6: ports.rest: '0' is no whole number from 1 to 65535"},
    {"PortTooLarge", three_and("ports: {rest: 70000}\n"), "'70000' is no whole number"},
    {"PortIsAWord", three_and("ports: {rest: http}\n"), "'http' is no whole number"},
    {"PortIsReal", three_and("ports: {rest: 80.5}\n"), "'80.5' is no whole number"},
    {"PortUsedTwiceOnAHost", three_and("ports: {rest: 5432}\n"),
     "ports.rest: 10.0.0.1:5432 is used by postgresql of a too; give rest of a another port"},
    {"ProxyPortOnANode", three_and("haproxy: a\nports: {read_write: 5432}\n"),
     "10.0.0.1:5432 is used by postgresql of a too; give read_write of a another port"},
    {"OneMachineWithoutDistinctPorts",
     "cluster: c\none_machine: on\netcd: [a]\nnodes:\n  - {name: a, address: 127.0.0.1}\n"
     "  - {name: b, address: 127.0.0.1}\n",
     "127.0.0.1:5432 is used by postgresql of a too; give postgresql of b another port"},
    {"OneMachineWithAPrivilegedPort",
     "cluster: c\none_machine: on\nnodes: [{name: a, address: 127.0.0.1, ports: {rest: 80}}]\n",
     "port 80 needs root, and `one_machine` runs without; choose one from 1024 up"},
    {"UnknownPort", three_and("ports: {postgres: 1}\n"),
     ":6: ports.postgres: unknown key; did you mean `postgresql`?"},
    {"UnknownKeyOfAHost", "cluster: c\nnodes: [{name: a, adress: 10.0.0.1}]\n",
     "nodes.0.adress: unknown key; did you mean `address`?"},
    {"UnknownKeyFarFromAll", three_and("timing: {x: 1}\n"),
     "timing.x: unknown key; known here: ttl, loop_wait, retry_timeout"},
    {"PortsAreNoMap", three_and("ports: 5432\n"), ":6: ports: has to hold `key: value` pairs"},
    {"TtlTooSmall", three_and("timing: {ttl: 2}\n"),
     "timing.ttl: '2' is no whole number from 3 to 86400"},
    {"TtlSmallerThanItsParts", three_and("timing: {ttl: 10}\n"),
     ":6: timing: loop_wait 10 + 2 * retry_timeout 10 is more than ttl 10; raise ttl to 30"},
    {"StrictWithoutMode", three_and("synchronous_mode_strict: on\n"),
     "has no meaning while synchronous_mode is off;"},
    {"UnknownMode", three_and("synchronous_mode: maybe\n"), "choose off, on or quorum"},
    {"OldPostgresql", three_and("postgresql: {version: 9}\n"),
     "postgresql.version: '9' is no whole number from 12 to 99"},
    {"RelativeFolder", three_and("directories: {data: pgdata}\n"),
     "directories.data: 'pgdata' is no absolute path"},
    {"FolderWithBlank", three_and("directories: {data: /a b}\n"), "'/a b' is no absolute path"},
    {"OwnedParameter", three_and("postgresql: {parameters: {ssl: on}}\n"),
     "postgresql.parameters.ssl: is set by provision or by the agent; remove it here"},
    {"ParameterIsAList", three_and("postgresql: {parameters: {work_mem: [1]}}\n"),
     "postgresql.parameters.work_mem: has to be a single value"},
    {"LocaleWithQuote", three_and("postgresql: {locale: \"C'\"}\n"),
     "postgresql.locale: has to be a locale's name"},
    {"BadNetwork", three_and("applications: [10.0.0.0/40]\n"),
     ":6: applications.0: '10.0.0.0/40': the prefix length is a number from 0 to 32;"},
    {"BadCertificateName", three_and("certificates: {names: ['*.x']}\n"),
     "certificates.names.0: '*.x' is neither a host name nor an IP address"},
    {"NoDays", three_and("certificates: {days: 0}\n"), "'0' is no whole number from 1 to 36500"},
    {"NoTruthValue", three_and("one_machine: perhaps\n"),
     ":6: one_machine: 'perhaps' is neither true nor false"},
};

INSTANTIATE_TEST_SUITE_P(Each, TopologyMistake, testing::ValuesIn(mistakes),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(TopologyAdvice, IsGivenForWhatWorksButShouldBeKnown) {
  EXPECT_THAT(advice(good(three_and("applications: 10.0.0.0/8\n"))), IsEmpty());
  EXPECT_THAT(advice(good("cluster: c\nnodes: [{name: a, address: 10.0.0.1}]\n")),
              ElementsAre(HasSubstr("One node cannot fail over"), HasSubstr("One etcd member"),
                          HasSubstr("from every network")));
}

TEST(HostName, IsADnsName) {
  for (const auto* name : {"a", "pg-1", "PG1", "1", "db.example.com"}) {
    EXPECT_TRUE(is_host_name(name)) << name;
  }
  for (const auto* name : {"", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a_b", "a b", "a/b", "ä"}) {
    EXPECT_FALSE(is_host_name(name)) << name;
  }
  EXPECT_FALSE(is_host_name(std::string(64, 'a')));
}

TEST(Nearest, IsTheCandidateThatWasProbablyMeant) {
  EXPECT_EQ(nearest("adress", {"name", "address"}), "address");
  EXPECT_EQ(nearest("x", {"ttl", "loop_wait"}), "");
  EXPECT_EQ(nearest(std::string(10000, 'a'), {"address"}), "");
}

}  // namespace
}  // namespace tanist::provision
