#include "stream/outbox_relay.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "capture/memory_graph.h"
#include "stream/memory_event_log.h"

namespace novafeed {
namespace {

constexpr TimeMs kStart = 1'795'382'793'122;

Event LikeEvent(int number) {
  Event event;
  event.user = {IdFromExternal(IdKind::kUser, std::to_string(number))};
  event.type = number % 2 == 0 ? EventType::kLike : EventType::kUnlike;
  event.post = {IdFromExternal(IdKind::kPost, "p")};
  event.at = kStart;
  event.event_id = {IdFromExternal(IdKind::kEvent, std::to_string(number))};
  return event;
}

// A graph that can fail where a process may die: after the log has the entries, before the outbox is cleared.
class FragileGraph final : public MemoryGraph {
 public:
  using MemoryGraph::MemoryGraph;

  void FailNextClears(int count) { failing_clears_ = count; }
  void BreakNextReads(int count) { breaking_reads_ = count; }

  std::vector<OutboxEntry> ReadOutbox(std::size_t limit) override {
    if (breaking_reads_ > 0) {
      --breaking_reads_;
      throw std::logic_error("a bug");
    }
    return MemoryGraph::ReadOutbox(limit);
  }

  void ClearOutbox(std::int64_t up_to) override {
    if (failing_clears_ > 0) {
      --failing_clears_;
      throw StoreError(Error{Failure::kStorageFull, "disk_full", "Free some space.", 0});
    }
    MemoryGraph::ClearOutbox(up_to);
  }

 private:
  std::atomic<int> failing_clears_ = 0;
  std::atomic<int> breaking_reads_ = 0;
};

// True once the condition holds; false where it does not within half a minute.
bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Given: how many partitions the log has.
class OutboxRelayTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  void Put(int first, int count) {
    graph_.Write(
        [&](GraphTransaction& tx) {
          for (int i = first; i < first + count; ++i) tx.AddToOutbox(LikeEvent(i));
        },
        [](const Result<std::int64_t>& result) { EXPECT_TRUE(result); });
  }

  bool IsEmpty() { return graph_.ReadOutbox(1).empty(); }
  bool EventuallyEmpty() {
    return Eventually([this] { return IsEmpty(); });
  }

  // The log holds the events numbered from 0, each once, in order: they are of one post.
  void ExpectLogged(int count) {
    const std::vector<LoggedEvent> logged = log_.Read({}, 10'000);
    ASSERT_EQ(logged.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) EXPECT_EQ(logged[static_cast<std::size_t>(i)].event, LikeEvent(i)) << i;
  }

  // The value of a metric without labels.
  double ValueOf(const std::string& metric) {
    const std::string text = metrics_.Render();
    const std::size_t at = text.find("\n" + metric + " ");
    if (at == std::string::npos) throw std::runtime_error("no metric " + metric);
    return std::stod(text.substr(at + metric.size() + 2));
  }
  double Failures() { return ValueOf("novafeed_outbox_failures_total"); }

  static OutboxRelayOptions Impatient() {
    OutboxRelayOptions options;
    options.batch = 10;
    options.first_pause = std::chrono::milliseconds(1);
    options.max_pause = std::chrono::milliseconds(4);
    return options;
  }

  ManualClock clock_{kStart};
  FragileGraph graph_{&clock_};
  MemoryEventLog log_{&clock_, std::make_shared<MemoryEventLogState>(GetParam())};
  Metrics metrics_;
};

INSTANTIATE_TEST_SUITE_P(Partitions, OutboxRelayTest, ::testing::Values(1, 4));

TEST_P(OutboxRelayTest, MovesWhatTheOutboxHoldsAtTheStart) {
  Put(0, 3);
  OutboxRelay relay(&graph_, &log_, &metrics_);
  EXPECT_FALSE(IsEmpty()) << "nothing moves before the start";
  relay.Start();
  EXPECT_TRUE(EventuallyEmpty());
  ExpectLogged(3);
}

TEST_P(OutboxRelayTest, MovesInOrderWhenWoken) {
  OutboxRelay relay(&graph_, &log_, &metrics_);
  graph_.OnCommit([&relay] { relay.Wake(); });
  relay.Start();
  for (int i = 0; i < 20; ++i) Put(i * 2, 2);
  EXPECT_TRUE(EventuallyEmpty());
  graph_.OnCommit(nullptr);
  relay.Stop();
  ExpectLogged(40);
  EXPECT_EQ(ValueOf("novafeed_outbox_moved_total"), 40);
}

TEST_P(OutboxRelayTest, LooksByItselfWhereNobodyTells) {
  OutboxRelayOptions options = Impatient();
  options.look_every = std::chrono::milliseconds(1);
  OutboxRelay relay(&graph_, &log_, &metrics_, options);
  relay.Start();
  for (int i = 0; i < 3; ++i) {
    Put(i, 1);
    EXPECT_TRUE(EventuallyEmpty());
  }
  relay.Stop();
  ExpectLogged(3);
}

TEST_P(OutboxRelayTest, LeavesTheOutboxToOthersUntilItMayMove) {
  std::atomic<bool> may{false};
  std::atomic<int> asked{0};
  OutboxRelayOptions options = Impatient();
  options.look_every = std::chrono::milliseconds(1);
  options.may_move = [&] {
    ++asked;
    return may.load();
  };
  Put(0, 2);
  OutboxRelay relay(&graph_, &log_, &metrics_, options);
  relay.Start();
  EXPECT_TRUE(Eventually([&] { return asked.load() >= 3; }));
  EXPECT_FALSE(IsEmpty());
  may.store(true);
  EXPECT_TRUE(EventuallyEmpty());
  relay.Stop();
  ExpectLogged(2);
}

TEST_P(OutboxRelayTest, MovesMoreThanOneBatch) {
  Put(0, 95);
  OutboxRelay relay(&graph_, &log_, &metrics_, Impatient());
  relay.Start();
  EXPECT_TRUE(EventuallyEmpty());
  ExpectLogged(95);
}

TEST_P(OutboxRelayTest, KeepsTryingWhileTheLogRefusesAndHeals) {
  log_.Refuse(Error{Failure::kStorageFull, "log_full", "Free some space.", 0});
  Put(0, 25);
  OutboxRelay relay(&graph_, &log_, &metrics_, Impatient());
  relay.Start();
  EXPECT_TRUE(Eventually([this] { return Failures() >= 3; }));
  EXPECT_EQ(graph_.ReadOutbox(100).size(), 25u) << "nothing leaves the outbox before the log has it";
  log_.Refuse(std::nullopt);
  EXPECT_TRUE(EventuallyEmpty()) << "nobody has to wake it";
  ExpectLogged(25);
}

TEST_P(OutboxRelayTest, AnEntryMovedAgainIsOneEvent) {
  graph_.FailNextClears(3);
  Put(0, 5);
  OutboxRelay relay(&graph_, &log_, &metrics_, Impatient());
  relay.Start();
  EXPECT_TRUE(EventuallyEmpty());
  ExpectLogged(5);
  EXPECT_EQ(Failures(), 3);
}

TEST_P(OutboxRelayTest, AnyExceptionIsAFailureAndHeals) {
  graph_.BreakNextReads(3);
  Put(0, 5);
  OutboxRelay relay(&graph_, &log_, &metrics_, Impatient());
  relay.Start();
  EXPECT_TRUE(Eventually([this] { return Failures() == 3; }));
  EXPECT_TRUE(EventuallyEmpty());
  ExpectLogged(5);
}

TEST_P(OutboxRelayTest, StopEndsAPauseAndLeavesTheRestInTheOutbox) {
  log_.Refuse(Error{Failure::kUnavailable, "overloaded", "Try again.", 0});
  Put(0, 5);
  OutboxRelayOptions options;
  options.first_pause = options.max_pause = std::chrono::hours(24);
  OutboxRelay relay(&graph_, &log_, &metrics_, options);
  relay.Start();
  EXPECT_TRUE(Eventually([this] { return Failures() == 1; }));
  relay.Stop();  // would last a day
  EXPECT_EQ(graph_.ReadOutbox(100).size(), 5u);
  ExpectLogged(0);
}

TEST_P(OutboxRelayTest, CanBeStoppedTwiceAndWithoutAStart) {
  OutboxRelay never(&graph_, &log_, &metrics_);
  never.Stop();
  OutboxRelay relay(&graph_, &log_, &metrics_);
  relay.Start();
  relay.Stop();
  relay.Stop();
  relay.Wake();
}

}  // namespace
}  // namespace novafeed
