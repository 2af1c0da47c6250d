// Dead letters: what several processes meet stands on the topic once, and what can be read by now is put back once.
#include "stream/dead_letters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/test_support.h"
#include "stream/dead_letter_box.h"
#include "stream/dead_letter_replay.h"
#include "stream/event_json.h"
#include "stream/memory_dead_letter_topic.h"
#include "stream/memory_event_topic.h"

namespace novafeed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr TimeMs kNow = 1'795'382'793'122;

DeadLetter Letter(std::int64_t offset, const std::string& message = "no message", const std::string& topic = "events") {
  DeadLetter letter;
  letter.place = {topic, 2, offset};
  letter.message = message;
  letter.bytes = message.size();
  letter.reason = "it is none";
  letter.at = kNow;
  return letter;
}

Event NumberedEvent(int number) {
  Event event;
  event.user = {IdFromExternal(IdKind::kUser, std::to_string(number))};
  event.type = EventType::kShare;
  event.post = {IdFromExternal(IdKind::kPost, std::to_string(number % 3))};
  event.at = kNow - 3 * kMsPerDay;
  event.event_id = {IdFromExternal(IdKind::kEvent, std::to_string(number))};
  event.post_created_at = event.at;
  return event;
}

std::string Readable(int number) {
  return RenderEventJson({0, 0, kNow - 2 * kMsPerDay, NumberedEvent(number), std::nullopt});
}

// --- The box.

class DeadLetterBoxTest : public ::testing::Test {
 protected:
  struct Process {
    Metrics metrics;
    DeadLetterBox box;
    Process(std::shared_ptr<MemoryDeadLetterState> state, DeadLetterBoxOptions options)
        : box(std::make_unique<MemoryDeadLetterTopic>(std::move(state)), &metrics, options) {}
    double Value(const std::string& name) const { return metrics.Read().Values(name).at(0).value; }
  };
  Process* NewProcess(DeadLetterBoxOptions options = {}) {
    processes_.push_back(std::make_unique<Process>(state_, options));
    return processes_.back().get();
  }
  std::vector<std::int64_t> Offsets() const {
    std::vector<std::int64_t> offsets;
    for (const DeadLetterRecord& record : state_->records) offsets.push_back(record.letter.place.offset);
    return offsets;
  }

  const std::shared_ptr<MemoryDeadLetterState> state_ = std::make_shared<MemoryDeadLetterState>();
  std::vector<std::unique_ptr<Process>> processes_;
};

TEST_F(DeadLetterBoxTest, WhatSeveralMeetAgainAndAgainIsWrittenOnceByTheOneThatMay) {
  Process* leader = NewProcess();
  Process* other = NewProcess();
  for (int time = 0; time < 3; ++time) {
    for (Process* process : {leader, other}) {
      process->box.Put(Letter(7));
      process->box.Put(Letter(3));
      process->box.Step(process == leader);
    }
  }
  EXPECT_THAT(Offsets(), ElementsAre(3, 7));
  EXPECT_EQ(leader->Value("novafeed_dead_letters_total"), 2);
  EXPECT_EQ(leader->Value("novafeed_dead_letters_waiting"), 0);
  EXPECT_EQ(other->Value("novafeed_dead_letters_waiting"), 0) << "it has seen them there";
}

TEST_F(DeadLetterBoxTest, WhatTheOneMetAndDidNotWriteIsWrittenByTheNext) {
  Process* dies = NewProcess();
  Process* next = NewProcess();
  for (Process* process : {dies, next}) process->box.Put(Letter(1));
  next->box.Step(false);
  EXPECT_THAT(Offsets(), IsEmpty());
  EXPECT_EQ(next->Value("novafeed_dead_letters_waiting"), 1);
  next->box.Step(true);
  EXPECT_THAT(Offsets(), ElementsAre(1));
  Process* reborn = NewProcess();
  reborn->box.Put(Letter(1));
  reborn->box.Put(Letter(2));
  reborn->box.Step(true);
  EXPECT_THAT(Offsets(), ElementsAre(1, 2));
}

TEST_F(DeadLetterBoxTest, WhileTheTopicIsAwayTheyWait) {
  Process* leader = NewProcess();
  state_->broken = Error{Failure::kUnavailable, "log_unavailable", "away", 1000};
  leader->box.Put(Letter(1));
  EXPECT_THROW(leader->box.Step(true), StoreError);
  state_->broken.reset();
  leader->box.Step(true);
  EXPECT_THAT(Offsets(), ElementsAre(1));
}

TEST_F(DeadLetterBoxTest, WhatDoesNotFitIsCountedAndStopsNothing) {
  DeadLetterBoxOptions options;
  options.max_waiting = 2;
  options.max_waiting_bytes = 100;
  options.max_on_topic = 4;
  Process* leader = NewProcess(options);
  leader->box.Put(Letter(1, std::string(101, 'x')));
  EXPECT_EQ(leader->Value("novafeed_dead_letters_dropped_total"), 1);
  for (std::int64_t offset = 2; offset < 5; ++offset) leader->box.Put(Letter(offset));
  EXPECT_EQ(leader->Value("novafeed_dead_letters_dropped_total"), 2);
  leader->box.Step(true);
  EXPECT_THAT(Offsets(), ElementsAre(2, 3));
  for (std::int64_t offset = 5; offset < 8; ++offset) {
    leader->box.Put(Letter(offset));
    leader->box.Step(true);
  }
  EXPECT_THAT(Offsets(), ElementsAre(2, 3, 5, 6)) << "that many are on the topic at most";
  EXPECT_EQ(leader->Value("novafeed_dead_letters_dropped_total"), 3);
}

// --- Lists and replays.

class DeadLetterReplayTest : public ::testing::Test {
 protected:
  void Write(DeadLetter letter) { letters_.Write({{std::move(letter), false}}); }

  using Told = std::map<std::int64_t, std::string>;  // by offset
  Told Replay(const DeadLetterSelection& selection = {},
              std::optional<std::map<MessagePlace, std::string>> mended = std::nullopt) {
    Told told;
    DeadLetterReplay replay{&clock_, &letters_, &events_, [](UserId user) { return user == NumberedEvent(66).user; },
                            std::move(mended)};
    ReplayDeadLetters(
        replay, selection, [&told](const MessagePlace& place, ReplayOutcome outcome, const std::string& reason) {
          EXPECT_TRUE(told.emplace(place.offset, ReplayOutcomeName(outcome)).second) << place.offset;
          const bool is_back = outcome == ReplayOutcome::kReplayed || outcome == ReplayOutcome::kReplayedBefore;
          EXPECT_EQ(reason.empty(), is_back) << reason;
        });
    return told;
  }
  std::vector<Event> Events() {
    std::vector<Event> events;
    for (const LoggedEvent& logged : events_.Read({}, 1000, std::chrono::milliseconds(0)).events) {
      EXPECT_EQ(logged.received_at, kNow) << "it arrives when it is put back";
      events.push_back(logged.event);
    }
    return events;
  }

  const ManualClock clock_{kNow};
  MemoryDeadLetterTopic letters_{std::make_shared<MemoryDeadLetterState>()};
  const std::shared_ptr<MemoryEventTopicState> log_ = std::make_shared<MemoryEventTopicState>(4);
  MemoryEventTopic events_{log_};
};

TEST_F(DeadLetterReplayTest, EventsThatCanBeReadAreBackOnceHoweverOftenItIsDone) {
  Write(Letter(1, Readable(1)));
  Write(Letter(2));
  Write(Letter(3, Readable(3)));
  Write(Letter(3, Readable(3)));  // two processes met it
  Write(Letter(4, Readable(66)));
  Write(Letter(5, "{}", "cdc.likes"));
  DeadLetter cut = Letter(6, Readable(6));
  cut.bytes += 1;
  Write(cut);
  const Told expected = {{1, "replayed"}, {2, "unreadable"}, {3, "replayed"},
                         {4, "erased"},   {5, "no_event"},   {6, "unreadable"}};
  EXPECT_EQ(Replay(), expected);
  EXPECT_THAT(Events(), UnorderedElementsAre(NumberedEvent(1), NumberedEvent(3)));
  EXPECT_EQ(Replay()[3], "replayed_before");
  EXPECT_EQ(Replay()[2], "unreadable");
  EXPECT_EQ(Events().size(), 2U);

  std::vector<std::pair<std::int64_t, bool>> listed;
  ListDeadLetters(&letters_, [&listed](const DeadLetter& letter, bool was_replayed) {
    listed.emplace_back(letter.place.offset, was_replayed);
  });
  using Listed = std::pair<std::int64_t, bool>;
  EXPECT_THAT(listed, ElementsAre(Listed{1, true}, Listed{2, false}, Listed{3, true}, Listed{4, false},
                                  Listed{5, false}, Listed{6, false}));
}

TEST_F(DeadLetterReplayTest, OnlyWhatIsSelectedIsPutBack) {
  for (std::int64_t offset = 1; offset < 6; ++offset) {
    Write(Letter(offset, Readable(static_cast<int>(offset))));
  }
  DeadLetterSelection selection;
  selection.topic = "events";
  selection.partition = 2;
  selection.first = 2;
  selection.last = 3;
  EXPECT_EQ(Replay(selection), (Told{{2, "replayed"}, {3, "replayed"}}));
  selection.partition = 1;
  EXPECT_EQ(Replay(selection), Told());
}

TEST_F(DeadLetterReplayTest, AMendedMessageTakesThePlaceOfTheLetters) {
  Write(Letter(1, "half a mess"));
  Write(Letter(2, "another"));
  std::map<MessagePlace, std::string> mended{{Letter(1).place, Readable(1)}, {Letter(9).place, Readable(9)}};
  EXPECT_EQ(Replay({}, mended), (Told{{1, "replayed"}, {9, "unknown"}}));
  EXPECT_EQ(Replay({}, mended), (Told{{1, "replayed_before"}, {9, "unknown"}}));
  EXPECT_THAT(Events(), ElementsAre(NumberedEvent(1)));
}

TEST_F(DeadLetterReplayTest, ManyGoInSeveralSends) {
  for (int number = 100; number < 1300; ++number) Write(Letter(number, Readable(number)));
  EXPECT_EQ(Replay().size(), 1200U);
  EXPECT_EQ(log_->end.Total(), 1200);
}

TEST_F(DeadLetterReplayTest, WhatWasNotTakenIsNotMarked) {
  Write(Letter(1, Readable(1)));
  log_->Break(Error{Failure::kUnavailable, "log_unavailable", "away", 1000});
  EXPECT_THROW(Replay(), StoreError);
  log_->Break(std::nullopt);
  EXPECT_EQ(Replay(), (Told{{1, "replayed"}}));
}

}  // namespace
}  // namespace novafeed
