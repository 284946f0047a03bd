// SPDX-License-Identifier: Apache-2.0
// Write-ahead log as a row of records. Each record exists once in the world and has a number of its
// own, so that two logs with the same number at the same place are the same up to there. Values.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cluster_view.h"
#include "core/types.h"

namespace tanist::sim {

using RecordId = std::uint32_t;

struct Record {
  Lsn begin;
  Lsn end;
  Timeline timeline;
  std::uint64_t row = 0;       // a client's row; 0 = checkpoint and the like
  std::uint32_t previous = 0;  // in its log
  std::size_t index = 0;       // in every log that has it
};

// All records of a run.
class Records {
 public:
  RecordId add(Record record) {
    all_.push_back(record);
    return static_cast<RecordId>(all_.size() - 1);
  }
  const Record& operator[](RecordId id) const { return all_[id]; }

 private:
  std::vector<Record> all_;
};

// What one data directory has of it.
struct Wal {
  std::vector<RecordId> records;
  Timeline timeline{1};
  std::vector<HistoryLine> history;  // one line for each earlier timeline

  Lsn end(const Records& all) const {
    return records.empty() ? Lsn(0x2000000) : all[records.back()].end;
  }
  bool has(RecordId id, const Records& all) const {
    const auto index = all[id].index;
    return index < records.size() && records[index] == id;
  }
  // Everything in this log is in `other`, at the same place.
  bool is_prefix_of(const Wal& other) const {
    const auto size = records.size();
    return size <= other.records.size() && (size == 0 || records.back() == other.records[size - 1]);
  }
};

}  // namespace tanist::sim
