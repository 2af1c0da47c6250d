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
};

// Opens the log of a directory, empty at first, with what it held when it was closed later on. The clock outlives it.
struct EventLogFactory {
  std::string name;
  std::function<OpenEventLog(const std::filesystem::path& directory, const Clock* clock)> open;

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
    return *std::move(result);
  }

  std::int64_t ForgottenThrough() {
    return log().ReadForgotten([](const auto&) {}, [](const auto&) {});
  }

  // What the log still holds; or of that, what is behind a sequence.
  std::vector<Event> ReadAll() { return ReadAll(ForgottenThrough()); }
  std::vector<Event> ReadAll(std::int64_t after) {
    std::vector<Event> events;
    for (const LoggedEvent& logged : log().Read(after, 1'000'000)) events.push_back(logged.event);
    return events;
  }

  std::vector<Uuid> ReadIdentities() {
    std::vector<Uuid> identities;
    for (const LoggedEvent& logged : log().Read(ForgottenThrough(), 1'000'000)) identities.push_back(logged.Identity());
    return identities;
  }

  // The code that a Read is refused with; empty where it is not.
  std::string CodeOfRead(std::int64_t after) {
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
    std::int64_t up_to = log().ReadForgotten(take_totals, [](const auto&) {});
    std::vector<LoggedEvent> page;
    while (!(page = log().Read(up_to, kPage)).empty()) {
      for (const LoggedEvent& logged : page) sums[logged.event.post].Add(logged.event.type);
      up_to = page.back().sequence;
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
    const std::int64_t up_to = log().ReadForgotten([](const auto&) {}, take);
    for (const auto& [key, count] : InteractionsOf(ReadAll(up_to))) forgotten[key] += count;
    return forgotten;
  }

  TempDirectory directory_;
  ManualClock clock_{kStart};

 private:
  OpenEventLog open_;
};

TEST_P(EventLogContract, AnEmptyLogHasNothing) {
  EXPECT_EQ(log().End(), 0);
  EXPECT_TRUE(log().Read(0, 10).empty());
  const auto nothing = [](const auto& batch) { EXPECT_TRUE(batch.empty()); };
  EXPECT_EQ(log().ReadForgotten(nothing, nothing), 0);
}

TEST_P(EventLogContract, EventsAreKeptInOrderWithTheTimeOfTheirArrival) {
  Append(NumberedEvents(0, 5));
  clock_.Advance(70);
  Append(NumberedEvents(5, 3));
  Reopen();
  const std::vector<LoggedEvent> logged = log().Read(0, 100);
  ASSERT_EQ(logged.size(), 8u);
  for (std::size_t i = 0; i < logged.size(); ++i) {
    EXPECT_EQ(logged[i].event, NumberedEvent(static_cast<int>(i))) << i;
    EXPECT_EQ(logged[i].received_at, i < 5 ? kStart : kStart + 70) << i;
    if (i > 0) {
      EXPECT_GT(logged[i].sequence, logged[i - 1].sequence);
    }
  }
}

TEST_P(EventLogContract, AnAnsweredBatchIsReadableAndItsEndIsTheLogs) {
  std::int64_t last = 0;
  for (int i = 0; i < 10; ++i) {
    const EventLog::Appended appended = Append(NumberedEvents(i * 3, 3));
    EXPECT_GT(appended.end, last);
    last = appended.end;
    EXPECT_EQ(log().End(), appended.end);
    EXPECT_EQ(log().Read(0, 1000).back().sequence, appended.end);
    EXPECT_EQ(appended.duplicate, std::vector<bool>(3, false));
  }
}

TEST_P(EventLogContract, AnEmptyBatchIsAnswered) {
  const std::int64_t end = Append(NumberedEvents(0, 2)).end;
  const EventLog::Appended appended = Append({});
  EXPECT_EQ(appended.end, end);
  EXPECT_TRUE(appended.duplicate.empty());
}

TEST_P(EventLogContract, ARepeatInsideABatchIsOneEvent) {
  const EventLog::Appended appended =
      Append({NumberedEvent(1), NumberedEvent(2), NumberedEvent(1), NumberedEvent(1), NumberedEvent(3)});
  EXPECT_EQ(appended.duplicate, (std::vector<bool>{false, false, true, true, false}));
  EXPECT_EQ(ReadAll(), (std::vector<Event>{NumberedEvent(1), NumberedEvent(2), NumberedEvent(3)}));
}

TEST_P(EventLogContract, ARepeatInALaterBatchIsOneEvent) {
  const std::int64_t end = Append(NumberedEvents(0, 4)).end;
  clock_.Advance(23 * kMsPerHour);
  const EventLog::Appended again = Append(NumberedEvents(0, 4));
  EXPECT_EQ(again.duplicate, std::vector<bool>(4, true));
  EXPECT_EQ(again.end, end) << "what the first batch reached: its events are durable";
  EXPECT_EQ(Append(NumberedEvents(2, 4)).duplicate, (std::vector<bool>{true, true, false, false}));
  EXPECT_EQ(ReadAll(), NumberedEvents(0, 6));
}

TEST_P(EventLogContract, ARepeatAfterReopeningIsOneEvent) {
  Append(NumberedEvents(0, 4));
  Reopen();
  EXPECT_EQ(Append(NumberedEvents(0, 5)).duplicate, (std::vector<bool>{true, true, true, true, false}));
  EXPECT_EQ(ReadAll(), NumberedEvents(0, 5));
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

TEST_P(EventLogContract, ReadGoesOnBehindAnySequence) {
  Append(NumberedEvents(0, 10));
  for (std::size_t limit : {1u, 3u, 10u, 11u}) {
    std::vector<Event> events;
    std::int64_t after = 0;
    for (std::vector<LoggedEvent> page = log().Read(0, limit); !page.empty(); page = log().Read(after, limit)) {
      EXPECT_LE(page.size(), limit);
      for (const LoggedEvent& logged : page) events.push_back(logged.event);
      after = page.back().sequence;
    }
    EXPECT_EQ(events, NumberedEvents(0, 10)) << "limit " << limit;
  }
  EXPECT_TRUE(log().Read(log().End(), 10).empty());
}

TEST_P(EventLogContract, ALargeBatchIsKeptWhole) {
  EXPECT_EQ(Append(NumberedEvents(0, 5000)).duplicate, std::vector<bool>(5000, false));
  EXPECT_EQ(ReadAll().size(), 5000u);
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
  for (const Event& event : ReadAll()) EXPECT_TRUE(kept.insert(EventIdentity(event)).second);
  for (int i = 0; i < kEvents; ++i) {
    const bool is_kept = kept.contains(EventIdentity(NumberedEvent(i)));
    EXPECT_EQ(accepted[static_cast<std::size_t>(i)], is_kept ? 1 : 0) << "event " << i;
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
  std::set<Uuid> kept;
  for (const Event& event : ReadAll()) kept.insert(EventIdentity(event));
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
  const std::int64_t end = log().End();
  EXPECT_EQ(log().Forget(kStart, end), 0) << "received before, not at";
  EXPECT_EQ(log().Forget(kStart + 1, end), 4);
  EXPECT_EQ(ReadAll(), NumberedEvents(4, 3));
  EXPECT_EQ(log().Forget(kStart + 1, end), 0);
  EXPECT_EQ(log().End(), end) << "the end stays where it is";
}

TEST_P(EventLogContract, ForgettingKeepsWhatIsDatedAhead) {
  std::vector<Event> events = NumberedEvents(0, 3);
  events[1].at = kStart + kMsPerHour;
  const std::int64_t end = Append(events).end;
  clock_.Advance(1);
  EXPECT_EQ(log().Forget(kStart + kMsPerHour, end), 1);
  EXPECT_EQ(ReadAll(), (std::vector<Event>{events[1], events[2]}));
  EXPECT_EQ(Append({events[1]}).duplicate, std::vector<bool>{true}) << "nor is its identity forgotten";
  EXPECT_EQ(log().HowFarForgotten().latest, events[0].at);
  EXPECT_EQ(log().Forget(kStart + kMsPerHour + 1, end), 2);
  Reopen();
  EXPECT_EQ(log().HowFarForgotten().latest, kStart + kMsPerHour) << "the latest, not the last";
}

TEST_P(EventLogContract, ForgettingStopsAtWhatEveryConsumerHasTaken) {
  Append(NumberedEvents(0, 10));
  const std::int64_t fourth = log().Read(0, 4).back().sequence;
  EXPECT_EQ(log().Forget(kStart + 1000, 0), 0);
  EXPECT_EQ(log().Forget(kStart + 1000, fourth), 4);
  EXPECT_EQ(ReadAll(), NumberedEvents(4, 6));
  EXPECT_EQ(ForgottenThrough(), fourth);
  EXPECT_EQ(log().HowFarForgotten().through, fourth);
}

TEST_P(EventLogContract, ReadingBehindWhatWasForgottenIsAnError) {
  const std::int64_t end = Append(NumberedEvents(0, 10)).end;
  const std::int64_t fourth = log().Read(0, 4).back().sequence;
  EXPECT_EQ(CodeOfRead(0), "");
  log().Forget(kStart + 1000, fourth);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(CodeOfRead(0), "log_forgotten");
    EXPECT_EQ(CodeOfRead(fourth - 1), "log_forgotten");
    EXPECT_EQ(ReadAll(fourth), NumberedEvents(4, 6));
    Reopen();
  }
  log().Forget(kStart + 1000, end);
  EXPECT_EQ(CodeOfRead(end - 1), "log_forgotten") << "also where nothing is left that could be read";
  EXPECT_TRUE(ReadAll(end).empty());
}

TEST_P(EventLogContract, ForgottenEventsStayInTheTotalsOfTheirPosts) {
  Append(NumberedEvents(0, 60));
  const std::int64_t half = log().Read(0, 30).back().sequence;
  log().Forget(kStart + 1000, half);
  EXPECT_EQ(SumEverything(), SumsOf(0, 60));
  log().Forget(kStart + 1000, log().End());
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
  std::mt19937_64 random(TestSeed());
  std::vector<Event> events = NumberedEvents(0, 300);
  for (Event& event : events) event.at -= static_cast<TimeMs>(random() % 5) * kMsPerDay;
  for (std::size_t i = 2; i < events.size(); i += 10) events[i].user = events[i].post_author;  // shares of one's own
  const InteractionSums expected = InteractionsOf(events);
  ASSERT_GT(expected.size(), 10u);
  Append(events);
  const std::vector<LoggedEvent> logged = log().Read(0, 1000);
  for (const std::size_t forgotten : {1u, 100u, 101u, 300u}) {
    log().Forget(kStart + 1000, logged[forgotten - 1].sequence);
    EXPECT_EQ(SumInteractions(), expected) << forgotten;
    Reopen();
    EXPECT_EQ(SumInteractions(), expected) << forgotten;
  }
}

TEST_P(EventLogContract, InteractionsAreKeptUntilNoWindowNeedsThem) {
  Event event = NumberedEvent(2);
  ASSERT_TRUE(IsInteraction(event));
  const TimeMs before = kStart + 1000;
  event.at = OldestForgottenDay(before) * kMsPerDay;
  Event older = event;
  older.at -= 1;
  Append({event, older});
  EXPECT_EQ(log().Forget(before, log().End()), 2);
  EXPECT_EQ(SumInteractions(), InteractionsOf({event})) << "the day before it is in no window any more";
  log().Forget(before + kMsPerDay, log().End());
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
  const std::vector<Uuid> identities = ReadIdentities();
  for (int round = 0; round < 2; ++round) {
    log().Hide(TwoErasures());
    EXPECT_EQ(ReadAll(), expected);
    EXPECT_EQ(ReadIdentities(), identities) << "of the events as they were sent";
    EXPECT_EQ(SumEverything(), SumsOf(0, 50));
    EXPECT_EQ(Append(sent).duplicate, std::vector<bool>(50, true)) << "sent again as they were";
    Reopen();
    EXPECT_EQ(Append(sent).duplicate, std::vector<bool>(50, true));
  }
}

TEST_P(EventLogContract, AnEventThatComesLateIsHiddenToo) {
  log().Hide(TwoErasures());
  Append({NumberedEvent(1)});
  EXPECT_EQ(ReadAll(), std::vector{WithPseudonyms(NumberedEvent(1))});
  EXPECT_EQ(ReadIdentities(), std::vector{EventIdentity(NumberedEvent(1))});
  EXPECT_EQ(Append({NumberedEvent(1)}).duplicate, std::vector<bool>{true});
  Reopen();
  EXPECT_EQ(Append({NumberedEvent(1)}).duplicate, std::vector<bool>{true});
}

TEST_P(EventLogContract, HiddenEventsAreForgottenWithTheirIdentities) {
  Append(NumberedEvents(0, 9));
  log().Hide(TwoErasures());
  log().Forget(kStart + 1000, log().End());
  const auto look = [&](const std::vector<ForgottenTotals>& batch) {
    for (const ForgottenTotals& totals : batch) {
      for (const Erasure& erasure : TwoErasures()) EXPECT_NE(totals.post_author, erasure.user);
    }
  };
  log().ReadForgotten(look, [](const auto&) {});
  EXPECT_EQ(SumEverything(), SumsOf(0, 9));
  EXPECT_EQ(Append(NumberedEvents(0, 9)).duplicate, std::vector<bool>(9, false)) << "nobody remembers them";
}

TEST_P(EventLogContract, TotalsAreHiddenAsWell) {
  Append(NumberedEvents(0, 9));
  log().Forget(kStart + 1000, log().End());
  log().Hide(TwoErasures());
  int hidden = 0;
  const auto look = [&](const std::vector<ForgottenTotals>& batch) {
    for (const ForgottenTotals& totals : batch) hidden += totals.post_author == TwoErasures()[1].pseudonym ? 1 : 0;
  };
  log().ReadForgotten(look, [](const auto&) {});
  EXPECT_EQ(hidden, 1);
}

TEST_P(EventLogContract, ForgottenInteractionsAreHiddenWhereverTheyStand) {
  const std::vector<Event> sent = NumberedEvents(0, 150);
  Append(sent);
  InteractionSums expected;
  for (const auto& [key, count] : InteractionsOf(sent)) {
    Event event;
    std::tie(event.user, event.post_author, std::ignore) = key;
    event = WithPseudonyms(event);
    expected[{event.user, event.post_author, std::get<2>(key)}] += count;
  }
  const std::vector<LoggedEvent> logged = log().Read(0, 1000);
  log().Forget(kStart + 1000, logged[49].sequence);
  log().Hide(TwoErasures());
  EXPECT_EQ(SumInteractions(), expected);
  log().Forget(kStart + 1000, logged[99].sequence);
  log().Hide(TwoErasures());
  EXPECT_EQ(SumInteractions(), expected) << "also where both names have a row";
}

TEST_P(EventLogContract, ScrubbingLeavesEverythingThatIsThere) {
  Append(NumberedEvents(0, 200));
  log().Forget(kStart + 1000, log().Read(0, 100).back().sequence);
  EXPECT_GE(log().Scrub(), 0);
  EXPECT_EQ(ReadAll(), NumberedEvents(100, 100));
  Reopen();
  EXPECT_EQ(SumEverything(), SumsOf(0, 200));
}

TEST_P(EventLogContract, SequencesAreNotUsedAgainAfterEverythingWasForgotten) {
  const std::int64_t end = Append(NumberedEvents(0, 5)).end;
  EXPECT_EQ(log().Forget(kStart + 1000, end), 5);
  EXPECT_EQ(log().End(), end);
  Reopen();
  EXPECT_EQ(log().End(), end);
  EXPECT_GT(Append({NumberedEvent(9)}).end, end);
  EXPECT_EQ(ReadAll(end), std::vector{NumberedEvent(9)});
}

TEST_P(EventLogContract, TotalsAndTheRestAreEverythingWhileForgettingGoesOn) {
  constexpr int kEvents = 3000;
  Append(NumberedEvents(0, kEvents));
  const auto expected = SumsOf(0, kEvents);
  std::vector<std::int64_t> sequences;
  for (const LoggedEvent& logged : log().Read(0, kEvents)) sequences.push_back(logged.sequence);
  std::atomic<bool> forgetting = true;
  std::thread forgetter([&] {
    for (std::size_t i = 99; i < sequences.size(); i += 100) log().Forget(kStart + 1000, sequences[i]);
    forgetting = false;
  });
  do {
    EXPECT_EQ(SumEverything(), expected);
  } while (forgetting);
  forgetter.join();
  EXPECT_EQ(SumEverything(), expected);
}

}  // namespace novafeed
