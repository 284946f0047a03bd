// SPDX-License-Identifier: Apache-2.0
// One map of the topology file while it is read: typed look-ups that turn every surprise into a
// finding and remember which keys are known, so that the others can be reported. Used by
// topology_reader.cpp on one thread; lives no longer than the Tree and the Findings it refers to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/tree.h"
#include "provision/address.h"
#include "provision/findings.h"

namespace tanist::provision {

class Section {
 public:
  // `path` is the map's own dotted path, "" for the whole file. Anything but a map (or nothing at
  // all) is a finding, and reads as an empty map.
  Section(const Tree* tree, std::string path, Findings& findings);
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  // Reports the keys that nobody asked for.
  ~Section();

  // The dotted path of `key`.
  std::string path_of(std::string_view key) const;
  // The value, or nullptr when the key is absent or null. Makes the key a known one.
  const Tree* find(std::string_view key);
  // The items of a list; a single scalar or map counts as a list of one.
  Tree::List list(std::string_view key);

  // Each leaves `target` alone when the key is absent, and adds a finding when the value is of
  // another kind or out of range.
  void read(std::string_view key, std::string& target);
  void read(std::string_view key, bool& target);
  void read(std::string_view key, int& target, int smallest, int largest);
  void read_port(std::string_view key, std::uint16_t& target);
  // An absolute path of printable characters, without a slash at its end.
  void read_path(std::string_view key, std::string& target);

  void add(std::string_view key, std::string_view text) { findings_.add(path_of(key), text); }
  Findings& findings() { return findings_; }

 private:
  const Tree* tree_ = nullptr;
  std::string path_;
  Findings& findings_;
  std::vector<std::string> known_;
};

// True for a DNS name of letters, digits, '-' and '.', at most 63 characters, such as pg-1.
bool is_host_name(std::string_view text);

}  // namespace tanist::provision
