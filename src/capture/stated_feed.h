// A feed of changes that knows the state: made of a log that holds changes only, and of the store that they are of.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "capture/change.h"

namespace novafeed {

// What is read behind the cut of the state follows it: the log has the store's own sequences. It may not have come as
// far as the cut yet (QuietThrough).
class StatedChangeFeed final : public ChangeFeed {
 public:
  using Take = std::function<void(const std::vector<Change>&)>;
  using ReadStateOf = std::function<std::int64_t(const Take& take)>;  // as ChangeFeed::ReadState

  // The log, and what `read_state` uses, outlive it.
  StatedChangeFeed(ChangeFeed* log, ReadStateOf read_state) : log_(log), read_state_(std::move(read_state)) {}

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override { return log_->Read(after, limit); }
  std::int64_t QuietThrough(std::int64_t after) override { return log_->QuietThrough(after); }
  std::optional<TimeMs> CompleteAsOf(std::int64_t after) override { return log_->CompleteAsOf(after); }
  std::int64_t End() override { return log_->End(); }
  std::int64_t ReadState(const Take& take) override { return read_state_(take); }
  void OnCommit(std::function<void()> notify) override { log_->OnCommit(std::move(notify)); }

 private:
  ChangeFeed* log_;
  ReadStateOf read_state_;
};

}  // namespace novafeed
