// A topic of dead letters in memory. For tests; not for product code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "graph/store.h"
#include "stream/dead_letters.h"

namespace novafeed {

// What a topic holds: shared by all processes that use it.
struct MemoryDeadLetterState {
  std::vector<DeadLetterRecord> records;
  std::optional<Error> broken;  // every call fails with this
};

class MemoryDeadLetterTopic final : public DeadLetterTopic {
 public:
  explicit MemoryDeadLetterTopic(std::shared_ptr<MemoryDeadLetterState> state) : state_(std::move(state)) {}

  void Write(const std::vector<DeadLetterRecord>& records) override {
    if (state_->broken) throw StoreError(*state_->broken);
    state_->records.insert(state_->records.end(), records.begin(), records.end());
  }
  std::int64_t Read(std::int64_t from, const Take& take) override {
    if (state_->broken) throw StoreError(*state_->broken);
    for (; from < std::ssize(state_->records); ++from) take(state_->records[static_cast<std::size_t>(from)]);
    return from;
  }

 private:
  std::shared_ptr<MemoryDeadLetterState> state_;
};

}  // namespace novafeed
