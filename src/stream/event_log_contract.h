// The tests that every adapter of EventLog passes. For tests only. An adapter runs them by
//
//   const EventLogFactory kFactory = {"sqlite", [](const std::filesystem::path& directory, const Clock* clock) {
//                                       return OpenEventLog{...};
//                                     }};
//   INSTANTIATE_TEST_SUITE_P(Sqlite, EventLogContract, ::testing::Values(kFactory));
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "base/test_support.h"
#include "base/time.h"
#include "graph/store.h"
#include "stream/event_log.h"

namespace novafeed {

// A log that is open; it closes with the last copy of `owner`.
struct OpenEventLog {
  std::shared_ptr<void> owner;
  EventLog* log = nullptr;
  // Waits until the log knows that it has everything up to the clock's time, without which a shared one forgets
  // nothing.
  std::function<void()> await_complete = [] {};
};

// Opens the log of a directory, empty at first, with what it held when it was closed later on. The clock outlives it.
struct EventLogFactory {
  std::string name;
  std::function<OpenEventLog(const std::filesystem::path& directory, const Clock* clock)> open;
  // Other processes write to it, too. What is answered is read a little later; of two that send the same event at the
  // same time both may be told that it is new; and it keeps no totals of what it forgets.
  bool is_shared = false;

  friend void PrintTo(const EventLogFactory& factory, std::ostream* out) { *out << factory.name; }
};

// What the events of a log and its forgotten totals add up to, by post.
struct EventSums {
  std::int64_t shares = 0;
  std::int64_t impressions = 0;
  std::int64_t views = 0;
  friend bool operator==(const EventSums&, const EventSums&) = default;

  void Add(EventType type) {
    shares += type == EventType::kShare ? 1 : 0;
    impressions += type == EventType::kImpression ? 1 : 0;
    views += type == EventType::kView ? 1 : 0;
  }
};

#define NOVAFEED_NEEDS_TOTALS() \
  if (GetParam().is_shared) GTEST_SKIP() << "a shared log keeps no totals"

class EventLogContract : public ::testing::TestWithParam<EventLogFactory> {
 protected:
  static constexpr TimeMs kStart = 1'795'382'793'122;

  void SetUp() override { Reopen(); }

  EventLog& log() { return *open_.log; }

  void Close() { open_ = {}; }
  void Reopen() {
    Close();
    open_ = GetParam().open(directory_.path(), &clock_);
  }

  // The event with this number: the type goes round, there are three posts.
  static Event NumberedEvent(int number) {
    static constexpr EventType kTypes[] = {EventType::kImpression, EventType::kView, EventType::kShare,
                                           EventType::kLike, EventType::kUnlike};
    Event event;
    event.user = {IdFromExternal(IdKind::kUser, std::to_string(number % 7))};
    event.type = kTypes[number % 5];
    event.post = PostOf(number);
    event.at = kStart - number;
    event.event_id = {IdFromExternal(IdKind::kEvent, std::to_string(number))};
    event.post_author = AuthorOf(number);
    event.post_created_at = kStart - 1000 * (1 + number % 3);
    return event;
  }
  static PostId PostOf(int number) { return {IdFromExternal(IdKind::kPost, std::to_string(number % 3))}; }
  static UserId AuthorOf(int number) { return {IdFromExternal(IdKind::kUser, "a" + std::to_string(number % 3))}; }

  static std::vector<Event> NumberedEvents(int first, int count) {
    std::vector<Event> events;
    for (int i = first; i < first + count; ++i) events.push_back(NumberedEvent(i));
    return events;
  }

  EventLog::Appended Append(std::vector<Event> events) {
    const auto answer = std::make_shared<std::promise<Result<EventLog::Appended>>>();
    std::future<Result<EventLog::Appended>> answered = answer->get_future();
    log().Append(std::move(events),
                 [answer](Result<EventLog::Appended> result) { answer->set_value(std::move(result)); });
    if (answered.wait_for(std::chrono::minutes(1)) != std::future_status::ready) {
      throw std::runtime_error("the log did not answer within a minute");
    }
    Result<EventLog::Appended> result = answered.get();
    if (!result) throw std::runtime_error("the log refused: " + result.error().code + ": " + result.error().detail);
    AwaitReadable(result->end);
    return *std::move(result);
  }

  // Reads until a reader who passes over what lies quiet has everything within these points.
  void AwaitReadable(const EventPoints& end) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (EventPoints at = ForgottenThrough(); !Reached(end, at); at = log().QuietThrough(at)) {
      for (const LoggedEvent& logged : log().Read(at, 1'000'000)) Advance(&at, logged);
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it is not readable after a minute");
    }
  }

  EventPoints ForgottenThrough() { return log().HowFarForgotten().through; }

  // Once that time has come.
  std::int64_t Forget(TimeMs before, const EventPoints& applied) {
    clock_.Set(std::max(clock_.Now(), before));
    open_.await_complete();
    return log().Forget(before, applied);
  }

  // Events by post: their order is the order of the log in any number of partitions.
  using ByPost = std::map<PostId, std::vector<Event>>;
  static ByPost Grouped(const std::vector<Event>& events) {
    ByPost grouped;
    for (const Event& event : events) grouped[event.post].push_back(event);
    return grouped;
  }

  // What the log still holds; or of that, what is behind a point.
  std::vector<LoggedEvent> ReadLogged() { return log().Read(ForgottenThrough(), 1'000'000); }
  ByPost ReadAll() { return ReadAll(ForgottenThrough()); }
  ByPost ReadAll(const EventPoints& after) { return Grouped(EventsOf(log().Read(after, 1'000'000))); }

  static std::vector<Event> EventsOf(const std::vector<LoggedEvent>& logged) {
    std::vector<Event> events;
    for (const LoggedEvent& one : logged) events.push_back(one.event);
    return events;
  }

  std::set<Uuid> ReadIdentities() {
    std::set<Uuid> identities;
    for (const LoggedEvent& logged : ReadLogged()) identities.insert(logged.Identity());
    return identities;
  }

  // Where a reader is that has taken the first `count` of these, or all.
  static EventPoints PointsBehind(const std::vector<LoggedEvent>& logged, std::size_t count) {
    EventPoints points;
    for (std::size_t i = 0; i < count; ++i) Advance(&points, logged.at(i));
    return points;
  }
  static EventPoints PointsBehind(const std::vector<LoggedEvent>& logged) {
    return PointsBehind(logged, logged.size());
  }

  // One event less, in some partition.
  static EventPoints OneBefore(EventPoints points) {
    --points[points.List().size() - 1];
    return points;
  }

  // The code that a Read is refused with; empty where it is not.
  std::string CodeOfRead(const EventPoints& after) {
    try {
      log().Read(after, 10);
      return "";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.error().failure, Failure::kConflict);
      return error.error().code;
    }
  }

  // Everything ever accepted, from the totals and what is behind them; from the start again where a Forget overtakes.
  std::map<PostId, EventSums> SumEverything() {
    while (true) {
      try {
        return TrySumEverything();
      } catch (const StoreError& error) {
        if (error.error().code != "log_forgotten") throw;
      }
    }
  }

  std::map<PostId, EventSums> TrySumEverything() {
    constexpr std::size_t kPage = 100;
    std::map<PostId, EventSums> sums;
    const auto take_totals = [&](const std::vector<ForgottenTotals>& batch) {
      for (const ForgottenTotals& totals : batch) {
        EXPECT_TRUE(sums.emplace(totals.post, EventSums{totals.shares, totals.impressions, totals.views}).second)
            << "a post comes once";
      }
    };
    EventPoints up_to = log().ReadForgotten(take_totals, [](const auto&) {});
    std::vector<LoggedEvent> page;
    while (!(page = log().Read(up_to, kPage)).empty()) {
      for (const LoggedEvent& logged : page) {
        sums[logged.event.post].Add(logged.event.type);
        Advance(&up_to, logged);
      }
    }
    return sums;
  }

  static std::map<PostId, EventSums> SumsOf(int first, int count) {
    std::map<PostId, EventSums> sums;
    for (const Event& event : NumberedEvents(first, count)) sums[event.post].Add(event.type);
    return sums;
  }

  // Interactions by user, author and day.
  using InteractionSums = std::map<std::tuple<UserId, UserId, std::int64_t>, std::int64_t>;

  static InteractionSums InteractionsOf(const std::vector<Event>& events) {
    InteractionSums sums;
    for (const Event& event : events) {
      if (IsInteraction(event)) ++sums[{event.user, event.post_author, DayOf(event.at)}];
    }
    return sums;
  }

  // Those that were forgotten, and those of what is behind them.
  InteractionSums SumInteractions() {
    InteractionSums forgotten;
    const auto take = [&](const std::vector<InteractionCount>& batch) {
      for (const InteractionCount& entry : batch) {
        EXPECT_TRUE(forgotten.emplace(std::tuple(entry.user, entry.author, entry.day), entry.count).second)
            << "a user, author and day come once";
      }
    };
    const EventPoints up_to = log().ReadForgotten([](const auto&) {}, take);
    const std::vector<Event> kept = EventsOf(log().Read(up_to, 1'000'000));
    for (const auto& [key, count] : InteractionsOf(kept)) forgotten[key] += count;
    return forgotten;
  }

  TempDirectory directory_;
  ManualClock clock_{kStart};

 private:
  OpenEventLog open_;
};

TEST_P(EventLogContract, AnEmptyLogHasNothing) {
  EXPECT_EQ(log().End(), EventPoints());
  EXPECT_TRUE(log().Read({}, 10).empty());
  EXPECT_EQ(log().QuietThrough({}), EventPoints());
  EXPECT_EQ(ForgottenThrough(), EventPoints());
  const auto nothing = [](const auto& batch) { EXPECT_TRUE(batch.empty()); };
  EXPECT_EQ(log().ReadForgotten(nothing, nothing), EventPoints());
}

TEST_P(EventLogContract, EventsAreKeptInOrderWithTheTimeOfTheirArrival) {
  Append(NumberedEvents(0, 5));
  clock_.Advance(70);
  Append(NumberedEvents(5, 3));
  Reopen();
  const std::vector<LoggedEvent> logged = log().Read({}, 100);
  ASSERT_EQ(logged.size(), 8u);
  std::map<EventId, int> numbers;
  for (int i = 0; i < 8; ++i) numbers[NumberedEvent(i).event_id] = i;
  std::map<std::size_t, LoggedEvent> before;  // by partition
  std::map<PostId, std::size_t> partitions;
  for (const LoggedEvent& one : logged) {
    const int number = numbers.at(one.event.event_id);
    EXPECT_EQ(one.event, NumberedEvent(number));
    EXPECT_EQ(one.received_at, number < 5 ? kStart : kStart + 70) << number;
    EXPECT_EQ(partitions.emplace(one.event.post, one.partition).first->second, one.partition) << "that of its post";
    if (const auto last = before.find(one.partition); last != before.end()) {
      EXPECT_GT(one.sequence, last->second.sequence);
      EXPECT_GT(number, numbers.at(last->second.event.event_id));
    }
    before.insert_or_assign(one.partition, one);
  }
}

TEST_P(EventLogContract, AnAnsweredBatchIsReadableAndWithinItsEnd) {
  EventPoints last;
  for (int i = 0; i < 10; ++i) {
    const EventLog::Appended appended = Append(NumberedEvents(i * 3, 3));
    EXPECT_FALSE(Reached(appended.end, last));
    last = Union(last, appended.end);
    EXPECT_EQ(log().End(), last);
    const std::vector<LoggedEvent> logged = log().Read({}, 1000);
    EXPECT_EQ(PointsBehind(logged), last);
    EXPECT_EQ(Grouped(EventsOf(logged)), Grouped(NumberedEvents(0, 3 * i + 3)));
    EXPECT_EQ(appended.duplicate, std::vector<bool>(3, false));
  }
}

TEST_P(EventLogContract, AnEmptyBatchIsAnswered) {
  Append(NumberedEvents(0, 2));
  const EventLog::Appended appended = Append({});
  EXPECT_TRUE(Reached(appended.end, log().End()));
  EXPECT_TRUE(appended.duplicate.empty());
}

TEST_P(EventLogContract, ARepeatInsideABatchIsOneEvent) {
  const EventLog::Appended appended =
      Append({NumberedEvent(1), NumberedEvent(2), NumberedEvent(1), NumberedEvent(1), NumberedEvent(3)});
  EXPECT_EQ(appended.duplicate, (std::vector<bool>{false, false, true, true, false}));
  EXPECT_EQ(ReadAll(), Grouped(NumberedEvents(1, 3)));
}

TEST_P(EventLogContract, ARepeatInALaterBatchIsOneEvent) {
  Append(NumberedEvents(0, 4));
  clock_.Advance(23 * kMsPerHour);
  const EventLog::Appended again = Append(NumberedEvents(0, 4));
  EXPECT_EQ(again.duplicate, std::vector<bool>(4, true));
  EXPECT_TRUE(Reached(PointsBehind(ReadLogged()), again.end)) << "what the first batch reached: its events are durable";
  EXPECT_EQ(Append(NumberedEvents(2, 4)).duplicate, (std::vector<bool>{true, true, false, false}));
  EXPECT_EQ(ReadAll(), Grouped(NumberedEvents(0, 6)));
}

TEST_P(EventLogContract, ARepeatAfterReopeningIsOneEvent) {
  Append(NumberedEvents(0, 4));
  Reopen();
  EXPECT_EQ(Append(NumberedEvents(0, 5)).duplicate, (std::vector<bool>{true, true, true, true, false}));
  EXPECT_EQ(ReadAll(), Grouped(NumberedEvents(0, 5)));
}

TEST_P(EventLogContract, EachPartOfTheIdentityMakesAnotherEvent) {
  const Event event = NumberedEvent(1);
  std::vector<Event> others(6, event);
  others[1].user = NumberedEvent(2).user;
  others[2].type = EventType::kShare;
  others[3].post = NumberedEvent(2).post;
  others[4].at += 1;
  others[5].event_id = NumberedEvent(2).event_id;
  EXPECT_EQ(Append(others).duplicate, std::vector<bool>(6, false));
  Event copied = event;
  copied.post_author = AuthorOf(2);
  copied.post_created_at += 1;
  EXPECT_EQ(Append({copied}).duplicate, std::vector<bool>{true}) << "what is copied from the post is not part of it";
}

TEST_P(EventLogContract, ReadGoesOnBehindAnyPoints) {
  Append(NumberedEvents(0, 10));
  for (std::size_t limit : {1u, 3u, 10u, 11u}) {
    std::vector<Event> events;
    EventPoints after;
    for (std::vector<LoggedEvent> page = log().Read({}, limit); !page.empty(); page = log().Read(after, limit)) {
      EXPECT_EQ(page.size(), std::min(limit, 10 - events.size())) << "fewer only where no more is there";
      for (const LoggedEvent& logged : page) {
        EXPECT_FALSE(logged.IsWithin(after));
        Advance(&after, logged);
        events.push_back(logged.event);
      }
    }
    EXPECT_EQ(Grouped(events), Grouped(NumberedEvents(0, 10))) << "limit " << limit;
  }
  EXPECT_TRUE(log().Read(log().End(), 10).empty());
}

TEST_P(EventLogContract, ALargeBatchIsKeptWhole) {
  EXPECT_EQ(Append(NumberedEvents(0, 5000)).duplicate, std::vector<bool>(5000, false));
  EXPECT_EQ(ReadAll(), Grouped(NumberedEvents(0, 5000)));
}

TEST_P(EventLogContract, ConcurrentBatchesKeepEachEventOnceAndTellOneCallerSo) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 25;
  constexpr int kEvents = 400;
  const std::uint64_t seed = TestSeed();
  std::vector<std::atomic<int>> accepted(kEvents);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(t));
      for (int b = 0; b < kBatches; ++b) {
        std::vector<int> numbers;
        std::vector<Event> events;
        for (int i = 0; i < 20; ++i) {
          numbers.push_back(static_cast<int>(random() % kEvents));
          events.push_back(NumberedEvent(numbers.back()));
        }
        const EventLog::Appended appended = Append(std::move(events));
        for (std::size_t i = 0; i < numbers.size(); ++i) {
          if (!appended.duplicate.at(i)) ++accepted[static_cast<std::size_t>(numbers[i])];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::set<Uuid> kept;
  for (const LoggedEvent& logged : ReadLogged()) EXPECT_TRUE(kept.insert(logged.Identity()).second);
  for (int i = 0; i < kEvents; ++i) {
    const bool is_kept = kept.contains(EventIdentity(NumberedEvent(i)));
    const int told = accepted[static_cast<std::size_t>(i)];
    EXPECT_EQ(GetParam().is_shared ? std::min(told, 1) : told, is_kept ? 1 : 0) << "event " << i;
  }
}

TEST_P(EventLogContract, ClosingAnswersEveryQueuedBatchOnceAndKeepsWhatItConfirmed) {
  constexpr int kBatches = 100;
  std::vector<std::atomic<int>> answered(kBatches);
  std::vector<std::atomic<bool>> confirmed(kBatches);
  for (int i = 0; i < kBatches; ++i) {
    const auto at = static_cast<std::size_t>(i);
    log().Append(NumberedEvents(i * 5, 5), [&, at](const Result<EventLog::Appended>& result) {
      ++answered[at];
      confirmed[at] = result.has_value();
    });
  }
  Reopen();
  AwaitReadable(log().End());
  std::set<Uuid> kept;
  for (const LoggedEvent& logged : ReadLogged()) kept.insert(logged.Identity());
  for (int i = 0; i < kBatches; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(answered[at], 1) << i;
    for (const Event& event : NumberedEvents(i * 5, 5)) {
      EXPECT_EQ(kept.contains(EventIdentity(event)), confirmed[at]) << "batch " << i;
    }
  }
}

TEST_P(EventLogContract, ASubscriberIsToldOfEachCommitUntilItLeaves) {
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  const auto count_told = [&] {
    const std::lock_guard lock(mutex);
    return told;
  };
  log().OnCommit([&] {
    const std::lock_guard lock(mutex);
    ++told;
    changed.notify_all();
  });
  for (int i = 0; i < 3; ++i) {
    const int before = count_told();
    Append({NumberedEvent(i)});
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return told > before; }));
  }
  log().OnCommit(nullptr);
  const int before = count_told();
  Append({NumberedEvent(3)});
  Append({NumberedEvent(4)});
  Close();  // whatever was still on its way has arrived
  EXPECT_EQ(count_told(), before);
}

// --- Retention.

TEST_P(EventLogContract, ForgettingGoesByTheTimeOfArrival) {
  Append(NumberedEvents(0, 4));
  clock_.Advance(100);
  Append(NumberedEvents(4, 3));
  const EventPoints end = log().End();
  EXPECT_EQ(Forget(kStart, end), 0) << "received before, not at";
  EXPECT_EQ(Forget(kStart + 1, end), 4);
  EXPECT_EQ(ReadAll(), Grouped(NumberedEvents(4, 3)));
  EXPECT_EQ(Forget(kStart + 1, end), 0);
  EXPECT_EQ(log().End(), end) << "the end stays where it is";
}

TEST_P(EventLogContract, ForgettingKeepsWhatIsDatedAhead) {
  std::vector<Event> events = {NumberedEvent(0), NumberedEvent(3), NumberedEvent(6)};  // of one post
  events[1].at = kStart + kMsPerHour;
  const EventPoints end = Append(events).end;
  clock_.Advance(1);
  EXPECT_EQ(Forget(kStart + kMsPerHour, end), 1);
  EXPECT_EQ(ReadAll(), Grouped({events[1], events[2]}));
  EXPECT_EQ(Append({events[1]}).duplicate, std::vector<bool>{true}) << "nor is its identity forgotten";
  EXPECT_EQ(log().HowFarForgotten().latest, events[0].at);
  EXPECT_EQ(Forget(kStart + kMsPerHour + 1, end), 2);
  Reopen();
  EXPECT_EQ(log().HowFarForgotten().latest, kStart + kMsPerHour) << "the latest, not the last";
}

TEST_P(EventLogContract, ForgettingStopsAtWhatEveryConsumerHasTaken) {
  Append(NumberedEvents(0, 10));
  const EventPoints fourth = PointsBehind(log().Read({}, 4));
  const ByPost rest = ReadAll(fourth);
  EXPECT_EQ(Forget(kStart + 1000, {}), 0);
  EXPECT_EQ(Forget(kStart + 1000, fourth), 4);
  EXPECT_EQ(ReadAll(), rest);
  EXPECT_EQ(ForgottenThrough(), fourth);
  EXPECT_EQ(log().HowFarForgotten().through, fourth);
}

TEST_P(EventLogContract, ReadingBehindWhatWasForgottenIsAnError) {
  const EventPoints end = Append(NumberedEvents(0, 10)).end;
  const EventPoints fourth = PointsBehind(log().Read({}, 4));
  const ByPost rest = ReadAll(fourth);
  EXPECT_EQ(CodeOfRead({}), "");
  Forget(kStart + 1000, fourth);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(CodeOfRead({}), "log_forgotten");
    EXPECT_EQ(CodeOfRead(OneBefore(fourth)), "log_forgotten");
    EXPECT_EQ(ReadAll(fourth), rest);
    Reopen();
  }
  Forget(kStart + 1000, end);
  EXPECT_EQ(CodeOfRead(OneBefore(end)), "log_forgotten") << "also where nothing is left that could be read";
  EXPECT_TRUE(ReadAll(end).empty());
}

TEST_P(EventLogContract, ForgottenEventsStayInTheTotalsOfTheirPosts) {
  NOVAFEED_NEEDS_TOTALS();
  Append(NumberedEvents(0, 60));
  Forget(kStart + 1000, PointsBehind(log().Read({}, 30)));
  EXPECT_EQ(SumEverything(), SumsOf(0, 60));
  Forget(kStart + 1000, log().End());
  Reopen();
  EXPECT_TRUE(ReadAll().empty());
  EXPECT_EQ(SumEverything(), SumsOf(0, 60)) << "later forgetting adds to what was there";

  std::vector<ForgottenTotals> totals;
  const auto add = [&](const auto& batch) { totals.insert(totals.end(), batch.begin(), batch.end()); };
  log().ReadForgotten(add, [](const auto&) {});
  ASSERT_EQ(totals.size(), 3u);
  for (const ForgottenTotals& of_post : totals) {
    const auto events = NumberedEvents(0, 3);
    const auto same_post =
        std::find_if(events.begin(), events.end(), [&](const Event& event) { return event.post == of_post.post; });
    ASSERT_NE(same_post, events.end());
    EXPECT_EQ(of_post.post_author, same_post->post_author);
    EXPECT_EQ(of_post.post_created_at, same_post->post_created_at);
  }
}

TEST_P(EventLogContract, ForgottenSharesStayInTheInteractionsOfTheirDay) {
  NOVAFEED_NEEDS_TOTALS();
  std::mt19937_64 random(TestSeed());
  std::vector<Event> events = NumberedEvents(0, 300);
  for (Event& event : events) event.at -= static_cast<TimeMs>(random() % 5) * kMsPerDay;
  for (std::size_t i = 2; i < events.size(); i += 10) events[i].user = events[i].post_author;  // shares of one's own
  const InteractionSums expected = InteractionsOf(events);
  ASSERT_GT(expected.size(), 10u);
  Append(events);
  const std::vector<LoggedEvent> logged = log().Read({}, 1000);
  for (const std::size_t forgotten : {1u, 100u, 101u, 300u}) {
    Forget(kStart + 1000, PointsBehind(logged, forgotten));
    EXPECT_EQ(SumInteractions(), expected) << forgotten;
    Reopen();
    EXPECT_EQ(SumInteractions(), expected) << forgotten;
  }
}

TEST_P(EventLogContract, InteractionsAreKeptUntilNoWindowNeedsThem) {
  NOVAFEED_NEEDS_TOTALS();
  Event event = NumberedEvent(2);
  ASSERT_TRUE(IsInteraction(event));
  const TimeMs before = kStart + 1000;
  event.at = OldestForgottenDay(before) * kMsPerDay;
  Event older = event;
  older.at -= 1;
  Append({event, older});
  EXPECT_EQ(Forget(before, log().End()), 2);
  EXPECT_EQ(SumInteractions(), InteractionsOf({event})) << "the day before it is in no window any more";
  Forget(before + kMsPerDay, log().End());
  EXPECT_TRUE(SumInteractions().empty());
}

// User 1 and author 1 of the numbered events.
inline std::vector<Erasure> TwoErasures() {
  const auto user = [](const char* name) { return UserId{IdFromExternal(IdKind::kUser, name)}; };
  return {{user("1"), user("pseudonym"), 0, true}, {user("a1"), user("other pseudonym"), 0, true}};
}

inline Event WithPseudonyms(Event event) {
  for (const Erasure& erasure : TwoErasures()) {
    if (event.user == erasure.user) event.user = erasure.pseudonym;
    if (event.post_author == erasure.user) event.post_author = erasure.pseudonym;
  }
  return event;
}

TEST_P(EventLogContract, HiddenUsersAreInNoEventAndEachEventStaysTheSame) {
  const std::vector<Event> sent = NumberedEvents(0, 50);
  Append(sent);
  std::vector<Event> expected;
  for (const Event& event : sent) expected.push_back(WithPseudonyms(event));
  const std::set<Uuid> identities = ReadIdentities();
  EXPECT_EQ(identities.size(), 50u);
  for (int round = 0; round < 2; ++round) {
    log().Hide(TwoErasures());
    EXPECT_EQ(ReadAll(), Grouped(expected));
    EXPECT_EQ(ReadIdentities(), identities) << "of the events as they were sent";
    if (!GetParam().is_shared) EXPECT_EQ(SumEverything(), SumsOf(0, 50));
    EXPECT_EQ(Append(sent).duplicate, std::vector<bool>(50, true)) << "sent again as they were";
    Reopen();
    EXPECT_EQ(Append(sent).duplicate, std::vector<bool>(50, true));
  }
}

TEST_P(EventLogContract, AnEventThatComesLateIsHiddenToo) {
  log().Hide(TwoErasures());
  Append({NumberedEvent(1)});
  EXPECT_EQ(ReadAll(), Grouped({WithPseudonyms(NumberedEvent(1))}));
  EXPECT_EQ(ReadIdentities(), std::set{EventIdentity(NumberedEvent(1))});
  EXPECT_EQ(Append({NumberedEvent(1)}).duplicate, std::vector<bool>{true});
  Reopen();
  EXPECT_EQ(Append({NumberedEvent(1)}).duplicate, std::vector<bool>{true});
}

TEST_P(EventLogContract, HiddenEventsAreForgottenWithTheirIdentities) {
  Append(NumberedEvents(0, 9));
  log().Hide(TwoErasures());
  EXPECT_EQ(Forget(kStart + 1000, log().End()), 9);
  EXPECT_EQ(Append(NumberedEvents(0, 9)).duplicate, std::vector<bool>(9, false)) << "nobody remembers them";
}

TEST_P(EventLogContract, HiddenUsersAreInNoTotals) {
  NOVAFEED_NEEDS_TOTALS();
  Append(NumberedEvents(0, 9));
  log().Hide(TwoErasures());
  Forget(kStart + 1000, log().End());
  const auto look = [&](const std::vector<ForgottenTotals>& batch) {
    for (const ForgottenTotals& totals : batch) {
      for (const Erasure& erasure : TwoErasures()) EXPECT_NE(totals.post_author, erasure.user);
    }
  };
  log().ReadForgotten(look, [](const auto&) {});
  EXPECT_EQ(SumEverything(), SumsOf(0, 9));
}

TEST_P(EventLogContract, TotalsAreHiddenAsWell) {
  NOVAFEED_NEEDS_TOTALS();
  Append(NumberedEvents(0, 9));
  Forget(kStart + 1000, log().End());
  log().Hide(TwoErasures());
  int hidden = 0;
  const auto look = [&](const std::vector<ForgottenTotals>& batch) {
    for (const ForgottenTotals& totals : batch) hidden += totals.post_author == TwoErasures()[1].pseudonym ? 1 : 0;
  };
  log().ReadForgotten(look, [](const auto&) {});
  EXPECT_EQ(hidden, 1);
}

TEST_P(EventLogContract, ForgottenInteractionsAreHiddenWhereverTheyStand) {
  NOVAFEED_NEEDS_TOTALS();
  const std::vector<Event> sent = NumberedEvents(0, 150);
  Append(sent);
  InteractionSums expected;
  for (const auto& [key, count] : InteractionsOf(sent)) {
    Event event;
    std::tie(event.user, event.post_author, std::ignore) = key;
    event = WithPseudonyms(event);
    expected[{event.user, event.post_author, std::get<2>(key)}] += count;
  }
  const std::vector<LoggedEvent> logged = log().Read({}, 1000);
  Forget(kStart + 1000, PointsBehind(logged, 50));
  log().Hide(TwoErasures());
  EXPECT_EQ(SumInteractions(), expected);
  Forget(kStart + 1000, PointsBehind(logged, 100));
  log().Hide(TwoErasures());
  EXPECT_EQ(SumInteractions(), expected) << "also where both names have a row";
}

TEST_P(EventLogContract, ScrubbingLeavesEverythingThatIsThere) {
  NOVAFEED_NEEDS_TOTALS();
  Append(NumberedEvents(0, 200));
  const EventPoints half = PointsBehind(log().Read({}, 100));
  const ByPost rest = ReadAll(half);
  Forget(kStart + 1000, half);
  EXPECT_GE(log().Scrub(), 0);
  EXPECT_EQ(ReadAll(), rest);
  Reopen();
  EXPECT_EQ(SumEverything(), SumsOf(0, 200));
}

TEST_P(EventLogContract, SequencesAreNotUsedAgainAfterEverythingWasForgotten) {
  const EventPoints end = Append(NumberedEvents(0, 5)).end;
  EXPECT_EQ(Forget(kStart + 1000, end), 5);
  EXPECT_EQ(log().End(), end);
  Reopen();
  EXPECT_EQ(log().End(), end);
  EXPECT_FALSE(Reached(Append({NumberedEvent(9)}).end, end));
  EXPECT_EQ(ReadAll(end), Grouped({NumberedEvent(9)}));
}

TEST_P(EventLogContract, TotalsAndTheRestAreEverythingWhileForgettingGoesOn) {
  NOVAFEED_NEEDS_TOTALS();
  constexpr int kEvents = 3000;
  Append(NumberedEvents(0, kEvents));
  const auto expected = SumsOf(0, kEvents);
  const std::vector<LoggedEvent> logged = log().Read({}, kEvents);
  std::atomic<bool> forgetting = true;
  std::thread forgetter([&] {
    for (std::size_t i = 100; i <= logged.size(); i += 100) Forget(kStart + 1000, PointsBehind(logged, i));
    forgetting = false;
  });
  do {
    EXPECT_EQ(SumEverything(), expected);
  } while (forgetting);
  forgetter.join();
  EXPECT_EQ(SumEverything(), expected);
}

}  // namespace novafeed
