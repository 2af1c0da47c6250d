#include "warehouse/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/test_support.h"
#include "capture/retention.h"
#include "stream/memory_event_log.h"
#include "warehouse/fake_olap.h"
#include "warehouse/log_positions.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using testing::FakeOlap;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kGeneration = "0000000000aa";

Uuid Numbered(int number) {
  Uuid id;
  id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}

std::size_t CountOf(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// Users that come, in a log that may forget them; the state is one user for each.
class UsersFeed final : public ChangeFeed {
 public:
  void Add(int count) {
    const std::scoped_lock lock(mutex_);
    for (int i = 0; i < count; ++i) ++end_;
  }
  void ForgetUpTo(std::int64_t sequence) {
    const std::scoped_lock lock(mutex_);
    forgotten_ = sequence;
  }

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override {
    const std::scoped_lock lock(mutex_);
    RequireKept(after, forgotten_);
    std::vector<Change> changes;
    while (after < end_ && changes.size() < limit) changes.push_back(Make(++after, ChangeOp::kCreate));
    return changes;
  }
  std::int64_t End() override {
    const std::scoped_lock lock(mutex_);
    return end_;
  }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    const std::int64_t cut = End();
    std::vector<Change> rows;
    for (std::int64_t sequence = 1; sequence <= cut; ++sequence) rows.push_back(Make(sequence, ChangeOp::kRead));
    take(rows);
    return cut;
  }
  void OnCommit(std::function<void()>) override {}

 private:
  static Change Make(std::int64_t sequence, ChangeOp op) {
    const User user{UserId{Numbered(static_cast<int>(sequence))}, {}, "u" + std::to_string(sequence), "", 5};
    return Change{sequence, sequence, 5, op, std::nullopt, Row(user)};
  }

  std::mutex mutex_;
  std::int64_t end_ = 0;
  std::int64_t forgotten_ = 0;
};

// Given: how many partitions the events have.
class WarehouseSinkTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  ~WarehouseSinkTest() override { sink_.reset(); }

  void AddEvents(int count) {
    std::vector<Event> events;
    for (int i = 0; i < count; ++i) {
      Event event;
      event.type = EventType::kShare;
      event.event_id = EventId{Numbered(++last_event_)};
      event.post = PostId{Numbered(last_event_)};
      event.at = 5;
      events.push_back(event);
    }
    events_.Append(std::move(events), [](Result<EventLog::Appended>) {});
  }

  WarehouseSink& Start(WarehouseSinkOptions options = {}) {
    options.refresh_every = milliseconds(20);
    options.first_pause = milliseconds(1);
    sink_ = std::make_unique<WarehouseSink>(&clock_, &olap_, &changes_, &events_, kGeneration, &metrics_, options);
    sink_->Start();
    return *sink_;
  }
  Position End() { return {kGeneration, changes_.End(), events_.End()}; }
  bool Reaches(const Position& wanted, milliseconds timeout = seconds(10)) {
    return Await(sink_.get(), wanted, timeout.count());
  }
  SinkStatus WaitForPhase(SinkPhase phase) {
    const auto give_up = std::chrono::steady_clock::now() + seconds(10);
    while (sink_->status().phase != phase && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    EXPECT_EQ(SinkPhaseName(sink_->status().phase), SinkPhaseName(phase));
    return sink_->status();
  }
  std::size_t UsersLanded() const { return olap_.Lines("novafeed.users_kafka").size(); }

  ManualClock clock_{1'700'000'000'000};
  Metrics metrics_;
  FakeOlap olap_;
  UsersFeed changes_;
  MemoryEventLog events_{&clock_, std::make_shared<MemoryEventLogState>(GetParam())};
  std::unique_ptr<WarehouseSink> sink_;
  int last_event_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Partitions, WarehouseSinkTest, ::testing::Values(1, 4));

TEST_P(WarehouseSinkTest, LandsBothStreamsAndSaysHowFar) {
  changes_.Add(3);
  AddEvents(40);
  ASSERT_EQ(events_.End().List().size(), GetParam());
  Start();
  ASSERT_TRUE(Reaches(End()));
  EXPECT_EQ(sink_->position(), End());
  EXPECT_THAT(olap_.Lines("novafeed.users_kafka"), SizeIs(3));
  EXPECT_THAT(olap_.Lines("novafeed.events_kafka"), SizeIs(40));
  EXPECT_EQ(olap_.Point("changes"), 3);
  for (std::size_t partition = 0; partition < GetParam(); ++partition) {
    EXPECT_EQ(olap_.Point("events", partition), events_.End()[partition]);
    EXPECT_EQ(olap_.Point("events_landed", partition), events_.End()[partition]);
  }
  EXPECT_EQ(olap_.Point("changes", 1), std::nullopt);

  changes_.Add(1);
  ASSERT_TRUE(Reaches(End()));
  EXPECT_THAT(olap_.Lines("novafeed.users_kafka"), SizeIs(4));
  EXPECT_EQ(sink_->LagSeconds(), 0);
}

TEST_P(WarehouseSinkTest, CountersAreAsFreshAsTheLogIsApplied) {
  changes_.Add(3);
  const TimeMs start = clock_.Now();
  sink_ = std::make_unique<WarehouseSink>(&clock_, &olap_, &changes_, &events_, kGeneration, &metrics_);
  EXPECT_EQ(sink_->CountersAsOf(), 0) << "nothing is known of the warehouse yet";
  sink_.reset();
  Start();
  ASSERT_TRUE(Reaches(End()));
  EXPECT_EQ(sink_->CountersAsOf(), start);
  clock_.Advance(60'000);
  EXPECT_EQ(sink_->CountersAsOf(), clock_.Now()) << "at the log's end, a moment later";

  sink_->RequestStop();
  sink_->Stop();
  changes_.Add(1);
  clock_.Advance(60'000);
  EXPECT_LT(sink_->CountersAsOf(), clock_.Now()) << "an entry is missing";
  EXPECT_GE(sink_->CountersAsOf(), start);
}

TEST_P(WarehouseSinkTest, BatchesAreBounded) {
  changes_.Add(10);
  AddEvents(10);
  WarehouseSinkOptions options;
  options.batch_rows = 4;
  Start(options);
  ASSERT_TRUE(Reaches(End()));
  EXPECT_GE(olap_.inserts(), 5U);
  EXPECT_EQ(UsersLanded(), 10U);

  options.batch_bytes = 1;  // one message at a time
  sink_.reset();
  const std::size_t before = olap_.inserts();
  changes_.Add(3);
  Start(options);
  ASSERT_TRUE(Reaches(End()));
  EXPECT_EQ(olap_.inserts(), before + 3);
}

TEST_P(WarehouseSinkTest, CountersAreRefreshedAfterABacklogAndNotWithEachBatch) {
  changes_.Add(100);
  WarehouseSinkOptions options;
  options.batch_rows = 10;
  Start(options);
  ASSERT_TRUE(Reaches(End()));
  EXPECT_GE(olap_.inserts(), 10U);
  EXPECT_LE(olap_.refreshes(), 3U);
  EXPECT_GE(olap_.refreshes(), 1U);
}

TEST_P(WarehouseSinkTest, GoesOnInEachPartitionFromWhereTheWarehouseIs) {
  AddEvents(40);
  Start();
  ASSERT_TRUE(Reaches(End()));
  sink_.reset();
  AddEvents(9);
  Start();
  ASSERT_TRUE(Reaches(End()));
  EXPECT_THAT(olap_.Lines("novafeed.events_kafka"), SizeIs(49));
}

TEST_P(WarehouseSinkTest, GoesOnFromWhereTheWarehouseIs) {
  changes_.Add(5);
  olap_.SetPosition("changes", kGeneration, 3);
  olap_.SetPosition("events", kGeneration, 0);
  olap_.SetPosition("changes_landed", kGeneration, 4);
  olap_.SetPosition("events_landed", kGeneration, 0);
  Start();
  ASSERT_TRUE(Reaches(End()));
  EXPECT_EQ(UsersLanded(), 1U);
}

TEST_P(WarehouseSinkTest, WhatFailsIsSentAgain) {
  changes_.Add(6);
  std::atomic<int> calls = 0;
  olap_.FailWhen([&calls](std::string_view) -> std::optional<Error> {
    if (++calls % 3 != 0) return std::nullopt;
    return Error{Failure::kUnavailable, "olap_unavailable", "away", 0};
  });
  WarehouseSinkOptions options;
  options.batch_rows = 2;
  Start(options);
  WaitForPhase(SinkPhase::kWaiting);
  olap_.FailWhen(nullptr);
  ASSERT_TRUE(Reaches(End()));
  EXPECT_GE(UsersLanded(), 6U);
  EXPECT_EQ(olap_.Point("changes"), 6);
}

TEST_P(WarehouseSinkTest, NeverSaysMoreThanWhatCounts) {
  changes_.Add(2);
  olap_.FailWhen([this](std::string_view call) -> std::optional<Error> {
    if (call != "execute" || changes_.End() < 3) return std::nullopt;
    return Error{Failure::kInternal, "olap_error", "the refresh fails", 0};
  });
  Start();
  ASSERT_TRUE(Reaches(End()));
  changes_.Add(1);
  ASSERT_TRUE(Eventually([this] { return UsersLanded() > 2; }));
  EXPECT_FALSE(Reaches(End(), milliseconds(100)));
  EXPECT_EQ(sink_->position().changes, 2);
  olap_.FailWhen(nullptr);
  EXPECT_TRUE(Reaches(End()));
}

TEST_P(WarehouseSinkTest, RefusesAWarehouseOfAnotherDataSet) {
  changes_.Add(1);
  olap_.SetPosition("changes", "ffffffffffff", 0);
  olap_.SetPosition("events", "ffffffffffff", 0);
  Start();
  EXPECT_THAT(WaitForPhase(SinkPhase::kRefused).reason, AllOf(HasSubstr("another data set"), HasSubstr("olap")));
  EXPECT_FALSE(Reaches(End()));
  EXPECT_EQ(UsersLanded(), 0U);
  EXPECT_THAT(metrics_.Render(), HasSubstr("novafeed_warehouse_refused 1"));
  const Result<Position> paused = sink_->Pause(seconds(10));
  ASSERT_FALSE(paused);
  EXPECT_EQ(paused.error().code, "warehouse_refused");
}

TEST_P(WarehouseSinkTest, WhatItRefusesItRefusesForGood) {
  changes_.Add(1);
  for (const char* stream : {"changes", "events"}) olap_.SetPosition(stream, "ffffffffffff", 0);
  Start();
  WaitForPhase(SinkPhase::kRefused);
  const auto many_rounds = std::chrono::steady_clock::now() + milliseconds(200);
  while (std::chrono::steady_clock::now() < many_rounds) {
    const SinkStatus status = sink_->status();
    ASSERT_EQ(SinkPhaseName(status.phase), "refused");
    ASSERT_THAT(status.reason, HasSubstr("another data set"));
    std::this_thread::yield();
  }
  EXPECT_FALSE(Reaches(End()));
}

TEST_P(WarehouseSinkTest, RefusesAWarehouseAheadOfTheLog) {
  changes_.Add(1);
  for (const char* stream : {"changes", "changes_landed"}) olap_.SetPosition(stream, kGeneration, 2);
  for (const char* stream : {"events", "events_landed"}) olap_.SetPosition(stream, kGeneration, 0);
  Start();
  EXPECT_THAT(WaitForPhase(SinkPhase::kRefused).reason, HasSubstr("restored"));
}

TEST_P(WarehouseSinkTest, RefusesAWarehouseAheadOfAPartition) {
  AddEvents(40);
  for (const char* stream : {"changes", "changes_landed"}) olap_.SetPosition(stream, kGeneration, 0);
  const std::size_t last = GetParam() - 1;
  for (const char* stream : {"events", "events_landed"}) {
    olap_.SetPosition(stream, kGeneration, events_.End()[last] + 1, last);
  }
  Start();
  EXPECT_THAT(WaitForPhase(SinkPhase::kRefused).reason, HasSubstr("restored"));
}

TEST_P(WarehouseSinkTest, RefusesAWarehouseThatTheLogHasLeftBehind) {
  changes_.Add(5);
  changes_.ForgetUpTo(4);
  for (const char* stream : {"changes", "changes_landed"}) olap_.SetPosition(stream, kGeneration, 2);
  for (const char* stream : {"events", "events_landed"}) olap_.SetPosition(stream, kGeneration, 0);
  Start();
  EXPECT_THAT(WaitForPhase(SinkPhase::kRefused).reason, HasSubstr("forgotten"));
  EXPECT_EQ(UsersLanded(), 0U);
}

TEST_P(WarehouseSinkTest, ANewWarehouseGetsTheStateAndTheForgottenTotals) {
  changes_.Add(5);
  changes_.ForgetUpTo(3);
  AddEvents(30);
  const EventPoints forgotten = events_.End();
  AddEvents(10);
  clock_.Advance(kMsPerDay * 200);
  ASSERT_EQ(events_.Forget(clock_.Now(), forgotten), 30);
  AddEvents(1);
  Start();
  ASSERT_TRUE(Reaches(End()));
  EXPECT_THAT(olap_.Lines("novafeed.users_kafka"), SizeIs(5));
  EXPECT_THAT(olap_.Lines("novafeed.users_kafka").front(), HasSubstr(R"("op":"r")"));
  EXPECT_EQ(CountOf(olap_.totals(), ",0,1,0,0)"), 30U) << "a share of each post";
  EXPECT_THAT(olap_.Lines("novafeed.events_kafka"), SizeIs(11));
  for (std::size_t partition = 0; partition < GetParam(); ++partition) {
    EXPECT_EQ(olap_.Point("events_from", partition), forgotten[partition]);
  }
}

// Between the snapshot that was interrupted and the one that follows it, the log says what went: it is read from where
// the first one began.
TEST_P(WarehouseSinkTest, AFirstFillingThatWasInterruptedBeginsWhereItBegan) {
  changes_.Add(5);
  changes_.ForgetUpTo(3);
  std::atomic<bool> was_interrupted = false;
  // Once, and what changes meanwhile has changed before the next snapshot is taken.
  olap_.FailWhen([&](std::string_view call) -> std::optional<Error> {
    if (call != "insert" || was_interrupted) return std::nullopt;
    changes_.Add(2);
    was_interrupted = true;
    return Error{Failure::kUnavailable, "olap_unavailable", "away", 0};
  });
  Start();
  while (!was_interrupted) std::this_thread::yield();
  ASSERT_TRUE(Reaches(End()));
  EXPECT_EQ(olap_.Point("changes_from"), 5);
  EXPECT_EQ(UsersLanded(), 7U + 2U);  // the state, and the log behind 5
}

TEST_P(WarehouseSinkTest, APauseHoldsStillAtItsPosition) {
  changes_.Add(3);
  Start();
  const Result<Position> paused = sink_->Pause(seconds(10));
  ASSERT_TRUE(paused) << paused.error().detail;
  EXPECT_EQ(*paused, sink_->position());
  EXPECT_EQ(sink_->status().phase, SinkPhase::kPaused);
  const std::size_t inserts = olap_.inserts();
  const Result<Position> second = sink_->Pause(seconds(10));
  ASSERT_TRUE(second);
  changes_.Add(1);
  EXPECT_FALSE(Reaches(End(), milliseconds(50)) && olap_.inserts() == inserts);
  EXPECT_EQ(olap_.inserts(), inserts);
  sink_->Resume();
  EXPECT_EQ(sink_->status().phase, SinkPhase::kPaused);
  sink_->Resume();
  EXPECT_TRUE(Reaches(End()));
}

TEST_P(WarehouseSinkTest, NoPauseWhileABatchIsHalfThere) {
  changes_.Add(3);
  olap_.FailWhen([](std::string_view call) -> std::optional<Error> {
    if (call != "insert") return std::nullopt;
    return Error{Failure::kUnavailable, "olap_unavailable", "away", 0};
  });
  Start();
  const Result<Position> paused = sink_->Pause(milliseconds(100));
  ASSERT_FALSE(paused);
  EXPECT_EQ(paused.error().code, "warehouse_busy");
  olap_.FailWhen(nullptr);
  const Result<Position> later = sink_->Pause(seconds(10));
  ASSERT_TRUE(later);
  EXPECT_EQ(later->changes, 3);
  sink_->Resume();
}

TEST_P(WarehouseSinkTest, APartOfTheLogCanBeLandedAgain) {
  changes_.Add(4);
  AddEvents(30);
  Start();
  ASSERT_TRUE(Reaches(End()));
  SinkRewind rewind;
  rewind.changes = 1;
  rewind.events = events_.End();
  --(*rewind.events)[GetParam() - 1];
  ASSERT_TRUE(sink_->Rewind(rewind));
  while (UsersLanded() < 7) std::this_thread::yield();
  EXPECT_EQ(sink_->position(), End());  // it never falls
  while (sink_->status().reading != End()) std::this_thread::yield();
  EXPECT_THAT(olap_.Lines("novafeed.events_kafka"), SizeIs(31));

  rewind = {};
  rewind.state = true;
  ASSERT_TRUE(sink_->Rewind(rewind));
  while (UsersLanded() < 11) std::this_thread::yield();
  EXPECT_THAT(olap_.Lines("novafeed.users_kafka").back(), HasSubstr(R"("op":"r")"));
}

TEST_P(WarehouseSinkTest, RefusesToGoBackBeyondTheLogOrForward) {
  changes_.Add(4);
  Start();
  ASSERT_TRUE(Reaches(End()));
  changes_.ForgetUpTo(2);
  SinkRewind rewind;
  rewind.changes = 1;
  EXPECT_EQ(sink_->Rewind(rewind).error().code, "log_forgotten");
  rewind.changes = 5;
  EXPECT_EQ(sink_->Rewind(rewind).error().code, "bad_rewind");
  rewind.changes = -1;
  EXPECT_EQ(sink_->Rewind(rewind).error().code, "bad_rewind");
  rewind.changes = 4;
  for (const EventPoints& events : {EventPoints{1}, EventPoints{0, 1}, EventPoints{-1}, EventPoints{0, -1}}) {
    rewind.events = events;
    EXPECT_EQ(sink_->Rewind(rewind).error().code, "bad_rewind");
  }
}

TEST_P(WarehouseSinkTest, StoppingAnswersWhoWaits) {
  Start();
  std::promise<bool> reached;
  sink_->WaitFor({kGeneration, 10, {10}}, 60'000, [&reached](bool is) { reached.set_value(is); });
  sink_->Stop();
  EXPECT_FALSE(reached.get_future().get());
  EXPECT_FALSE(Reaches({kGeneration, 10, {10}}));
}

TEST(SinkPhases, HaveNames) {
  EXPECT_EQ(SinkPhaseName(SinkPhase::kCatchingUp), "catching_up");
}

}  // namespace
}  // namespace novafeed
