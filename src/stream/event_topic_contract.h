// The tests that every adapter of EventTopic passes. For tests only. An adapter runs them by
//
//   INSTANTIATE_TEST_SUITE_P(Memory, EventTopicContract, ::testing::Values(EventTopicFactory{"memory", ...}));
//
// The tests of a program may share one topic: each looks only at what comes behind the place where it began.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/time.h"
#include "graph/store.h"
#include "social/ids.h"
#include "stream/event_topic.h"

namespace novafeed {

// A topic that is open; it closes with the last copy of `owner`.
struct OpenEventTopic {
  std::shared_ptr<void> owner;
  EventTopic* topic = nullptr;
};

struct EventTopicFactory {
  std::string name;
  // Another process of the same topic. No topic: what it needs is not installed.
  std::function<OpenEventTopic()> open;
  // Everything within these points is gone from now on.
  std::function<void(const EventPoints&)> lose;

  friend void PrintTo(const EventTopicFactory& factory, std::ostream* out) { *out << factory.name; }
};

class EventTopicContract : public ::testing::TestWithParam<EventTopicFactory> {
 protected:
  static constexpr std::chrono::milliseconds kLong{30'000};
  static constexpr std::chrono::milliseconds kShort{50};

  void SetUp() override {
    open_ = GetParam().open();
    if (open_.topic == nullptr) GTEST_SKIP() << "not installed";
    start_ = topic().End();
    now_ = NextTime();
  }

  EventTopic& topic() { return *open_.topic; }

  // Later than all times that were given before, also by other tests of the topic, so that the times along it rise; and
  // not far from now.
  static TimeMs NextTime() {
    static std::atomic<TimeMs> next = SystemClock().Now();
    return next += kMsPerSecond;
  }

  LoggedEvent NumberedEvent(int number) const {
    LoggedEvent logged;
    logged.received_at = now_;
    logged.event.user = {IdFromExternal(IdKind::kUser, std::to_string(number % 7))};
    logged.event.type = number % 2 == 0 ? EventType::kShare : EventType::kImpression;
    logged.event.post = {IdFromExternal(IdKind::kPost, std::to_string(number % 5))};
    logged.event.at = 1'795'382'793'122 + number;
    logged.event.event_id = {IdFromExternal(IdKind::kEvent, std::to_string(number))};
    logged.event.post_author = {IdFromExternal(IdKind::kUser, "a" + std::to_string(number % 5))};
    logged.event.post_created_at = 1'795'000'000'000;
    return logged;
  }
  std::vector<LoggedEvent> NumberedEvents(int first, int count) const {
    std::vector<LoggedEvent> events;
    for (int i = first; i < first + count; ++i) events.push_back(NumberedEvent(i));
    return events;
  }

  static std::future<Result<EventPoints>> StartAppend(EventTopic* topic, std::vector<LoggedEvent> events) {
    const auto answer = std::make_shared<std::promise<Result<EventPoints>>>();
    topic->Append(std::move(events), [answer](Result<EventPoints> result) { answer->set_value(std::move(result)); });
    return answer->get_future();
  }
  EventPoints Append(std::vector<LoggedEvent> events) {
    const Result<EventPoints> result = StartAppend(&topic(), std::move(events)).get();
    if (!result) throw std::runtime_error("refused: " + result.error().detail);
    return *result;
  }

  // What lies between, in pages of `limit`; each is looked at.
  std::vector<LoggedEvent> ReadUntil(const EventPoints& until, EventPoints after, std::size_t limit = 1000) {
    std::vector<LoggedEvent> events;
    while (!Reached(until, after)) {
      const EventTopic::Batch batch = topic().Read(after, limit, kLong);
      EXPECT_LE(batch.events.size(), limit);
      EXPECT_TRUE(Reached(after, batch.through)) << "never back";
      EXPECT_FALSE(Reached(batch.through, after)) << "nothing came in half a minute";
      if (batch.through == after) break;
      for (const LoggedEvent& logged : batch.events) {
        EXPECT_FALSE(logged.IsWithin(after));
        EXPECT_TRUE(logged.IsWithin(batch.through));
        Advance(&after, logged);
        events.push_back(logged);
      }
      after = batch.through;
    }
    return events;
  }

  using ByPost = std::map<PostId, std::vector<Event>>;
  static ByPost Grouped(const std::vector<LoggedEvent>& events) {
    ByPost grouped;
    for (const LoggedEvent& logged : events) grouped[logged.event.post].push_back(logged.event);
    return grouped;
  }

  std::string CodeOfRead(const EventPoints& after) {
    try {
      topic().Read(after, 10, kShort);
      return "";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.error().failure, Failure::kConflict);
      return error.error().code;
    }
  }

  EventPoints start_;
  TimeMs now_ = 0;

 private:
  OpenEventTopic open_;
};

TEST_P(EventTopicContract, WhatIsAppendedIsReadInTheOrderOfEachPost) {
  std::vector<LoggedEvent> sent = NumberedEvents(0, 50);
  sent[7].identity = Uuid{{7}};  // a pseudonym has changed it
  const EventPoints first = Append({sent.begin(), sent.begin() + 20});
  const EventPoints end = Append({sent.begin() + 20, sent.end()});
  EXPECT_EQ(topic().End(), Union(start_, Union(first, end)));
  EXPECT_EQ(topic().End().Total() - start_.Total(), 50) << "one place each";

  const std::vector<LoggedEvent> read = ReadUntil(end, start_);
  EXPECT_EQ(Grouped(read), Grouped(sent));
  std::map<PostId, std::size_t> partitions;
  std::map<EventId, LoggedEvent> by_id;
  for (const LoggedEvent& logged : read) {
    EXPECT_EQ(partitions.emplace(logged.event.post, logged.partition).first->second, logged.partition);
    EXPECT_EQ(logged.received_at, now_);
    by_id[logged.event.event_id] = logged;
  }
  for (const LoggedEvent& logged : sent) EXPECT_EQ(by_id.at(logged.event.event_id).Identity(), logged.Identity());
}

TEST_P(EventTopicContract, WhatWasAnsweredLiesWithinTheAnswer) {
  for (int i = 0; i < 5; ++i) {
    const std::vector<LoggedEvent> sent = NumberedEvents(10 * i, 10);
    const EventPoints end = Append(sent);
    EXPECT_TRUE(Reached(end, topic().End()));
    EXPECT_EQ(Grouped(ReadUntil(end, start_)), Grouped(NumberedEvents(0, 10 * i + 10)));
  }
}

TEST_P(EventTopicContract, AnEmptyBatchIsAnswered) {
  EXPECT_TRUE(Reached(Append({}), topic().End()));
}

TEST_P(EventTopicContract, WhatComesTwiceIsThereTwice) {
  const std::vector<LoggedEvent> sent = {NumberedEvent(1), NumberedEvent(2), NumberedEvent(1)};
  Append(sent);
  const EventPoints end = Append(sent);
  EXPECT_EQ(ReadUntil(Union(end, topic().End()), start_).size(), 6u);
}

TEST_P(EventTopicContract, ReadGoesOnBehindAnyPoints) {
  const EventPoints end = Union(Append(NumberedEvents(0, 30)), topic().End());
  const std::vector<LoggedEvent> all = ReadUntil(end, start_);
  ASSERT_EQ(all.size(), 30u);
  for (const std::size_t limit : {1u, 7u, 30u}) {
    EXPECT_EQ(Grouped(ReadUntil(end, start_, limit)), Grouped(all)) << limit;
  }
  EventPoints after = start_;
  for (std::size_t taken = 0; taken < all.size(); taken += 7) {
    const std::vector<LoggedEvent> rest(all.begin() + static_cast<std::ptrdiff_t>(taken), all.end());
    EXPECT_EQ(Grouped(ReadUntil(end, after)), Grouped(rest)) << "behind " << taken;
    for (std::size_t i = taken; i < std::min(taken + 7, all.size()); ++i) Advance(&after, all[i]);
  }
}

TEST_P(EventTopicContract, ReadWaitsForWhatComes) {
  EventTopic::Batch batch = topic().Read(start_, 10, kShort);
  EXPECT_TRUE(batch.events.empty());
  EXPECT_EQ(batch.through, start_);
  const OpenEventTopic other = GetParam().open();
  std::future<Result<EventPoints>> answer;
  std::thread writer([&] { answer = StartAppend(other.topic, {NumberedEvent(1)}); });
  batch = topic().Read(start_, 10, kLong);
  writer.join();
  ASSERT_EQ(batch.events.size(), 1u);
  EXPECT_EQ(batch.events[0].event, NumberedEvent(1).event);
  EXPECT_TRUE(answer.get());
}

TEST_P(EventTopicContract, PointsAtATimeAreWhereWhatCameLaterBegins) {
  std::vector<TimeMs> times;
  std::vector<EventPoints> before;
  for (int i = 0; i < 3; ++i) {
    now_ = NextTime();
    times.push_back(now_);
    before.push_back(topic().End());
    Append(NumberedEvents(0, 20));  // of every partition that has any
  }
  const EventPoints end = topic().End();
  for (std::size_t i = 0; i < times.size(); ++i) {
    EXPECT_EQ(topic().PointsAt(times[i]), before[i]);
    EXPECT_EQ(topic().PointsAt(times[i] - 1), before[i]);
    EXPECT_EQ(topic().PointsAt(times[i] + 1), i + 1 < before.size() ? before[i + 1] : end);
  }
  EXPECT_EQ(topic().PointsAt(0), topic().Begin());
}

TEST_P(EventTopicContract, EachOfManyAppendsIsAnsweredOnceAndKept) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 25;
  std::atomic<int> answers = 0;
  std::vector<std::vector<std::future<Result<EventPoints>>>> answered(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int b = 0; b < kBatches; ++b) {
        const int first = 10 * (t * kBatches + b);
        answered[static_cast<std::size_t>(t)].push_back(StartAppend(&topic(), NumberedEvents(first, 10)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EventPoints end;
  for (auto& of_thread : answered) {
    for (auto& answer : of_thread) {
      const Result<EventPoints> result = answer.get();
      ASSERT_TRUE(result) << result.error().detail;
      end = Union(end, *result);
      ++answers;
    }
  }
  EXPECT_EQ(answers, kThreads * kBatches);
  std::set<EventId> kept;
  for (const LoggedEvent& logged : ReadUntil(end, start_)) kept.insert(logged.event.event_id);
  EXPECT_EQ(kept.size(), 10u * kThreads * kBatches);
}

TEST_P(EventTopicContract, ClosingAnswersWhatIsQueuedAndKeepsWhatItConfirmed) {
  std::vector<std::future<Result<EventPoints>>> answers;
  OpenEventTopic closing = GetParam().open();
  for (int i = 0; i < 50; ++i) answers.push_back(StartAppend(closing.topic, NumberedEvents(10 * i, 10)));
  closing = {};
  EventPoints end;
  std::set<EventId> confirmed;
  for (int i = 0; i < 50; ++i) {
    const Result<EventPoints> result = answers[static_cast<std::size_t>(i)].get();
    if (!result) continue;
    end = Union(end, *result);
    for (const LoggedEvent& logged : NumberedEvents(10 * i, 10)) confirmed.insert(logged.event.event_id);
  }
  std::set<EventId> kept;
  for (const LoggedEvent& logged : ReadUntil(end, start_)) kept.insert(logged.event.event_id);
  EXPECT_TRUE(std::ranges::includes(kept, confirmed));
}

TEST_P(EventTopicContract, WhatIsGoneIsForgottenAndWhatIsBehindItIsThere) {
  const EventPoints middle = Union(Append(NumberedEvents(0, 20)), topic().End());
  Append(NumberedEvents(20, 20));
  const EventPoints end = topic().End();
  ReadUntil(end, start_);  // it stood there already
  GetParam().lose(middle);
  EXPECT_EQ(topic().Begin(), middle);
  EXPECT_EQ(CodeOfRead(start_), "log_forgotten");
  EXPECT_EQ(Grouped(ReadUntil(end, middle)), Grouped(NumberedEvents(20, 20)));
  EXPECT_EQ(topic().PointsAt(0), middle);
}

TEST_P(EventTopicContract, BehindItsEndThereIsNothingToGoOnFrom) {
  EventPoints after = Union(Append(NumberedEvents(0, 20)), topic().End());
  EXPECT_EQ(CodeOfRead(after), "");
  ++after[0];
  EXPECT_EQ(CodeOfRead(after), "log_forgotten");
}

}  // namespace novafeed
