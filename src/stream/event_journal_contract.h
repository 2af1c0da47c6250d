// The tests that every adapter of EventJournal passes. For tests only. An adapter runs them by
//
//   INSTANTIATE_TEST_SUITE_P(Memory, EventJournalContract, ::testing::Values(EventJournalFactory{"memory", ...}));
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/test_support.h"
#include "base/time.h"
#include "graph/store.h"
#include "social/ids.h"
#include "stream/event_journal.h"

namespace novafeed {

// A journal that is open; it closes with the last copy of `owner`.
struct OpenEventJournal {
  std::shared_ptr<void> owner;
  EventJournal* journal = nullptr;
};

// Opens the journal of a directory, new at first, with what it held when it was closed later on.
struct EventJournalFactory {
  std::string name;
  std::function<OpenEventJournal(const std::filesystem::path& directory)> open;

  friend void PrintTo(const EventJournalFactory& factory, std::ostream* out) { *out << factory.name; }
};

class EventJournalContract : public ::testing::TestWithParam<EventJournalFactory> {
 protected:
  static constexpr TimeMs kStart = 1'795'382'793'122;
  static constexpr std::size_t kPartitions = 4;

  void SetUp() override { Reopen(); }

  EventJournal& journal() { return *open_.journal; }
  void Reopen() {
    open_ = {};
    open_ = GetParam().open(directory_.path());
  }

  // The event with this number, at the next place of its partition, received at `kStart + number`.
  LoggedEvent Next(int number) {
    LoggedEvent logged;
    logged.partition = static_cast<std::size_t>(number) % kPartitions;
    logged.sequence = ++topic_[logged.partition];
    logged.received_at = kStart + number;
    logged.event.user = {IdFromExternal(IdKind::kUser, std::to_string(number % 7))};
    logged.event.type = EventType::kShare;
    logged.event.post = {IdFromExternal(IdKind::kPost, std::to_string(number % kPartitions))};
    logged.event.at = kStart - kMsPerHour + number;
    logged.event.event_id = {IdFromExternal(IdKind::kEvent, std::to_string(number))};
    logged.event.post_author = {IdFromExternal(IdKind::kUser, "a" + std::to_string(number % 3))};
    logged.event.post_created_at = kStart - kMsPerDay;
    return logged;
  }
  std::vector<LoggedEvent> NextOnes(int first, int count) {
    std::vector<LoggedEvent> events;
    for (int i = first; i < first + count; ++i) events.push_back(Next(i));
    return events;
  }
  std::size_t Add(const std::vector<LoggedEvent>& events) { return journal().Add(events, topic_); }

  EventJournal::Held Find(const std::vector<LoggedEvent>& events) {
    std::vector<EventKey> keys;
    for (const LoggedEvent& logged : events) keys.push_back({logged.event.at, logged.Identity()});
    std::promise<EventJournal::Held> held;
    journal().Find(keys, [&held](EventJournal::Held found) { held.set_value(std::move(found)); });
    return held.get_future().get();
  }

  // Sequences by partition of what is there behind `after`.
  using Places = std::map<std::size_t, std::vector<std::int64_t>>;
  Places Read(const EventPoints& after, std::size_t limit = 1'000'000) {
    Places places;
    for (const LoggedEvent& logged : journal().Read(after, limit)) {
      places[logged.partition].push_back(logged.sequence);
    }
    return places;
  }
  static Places PlacesOf(const std::vector<LoggedEvent>& events) {
    Places places;
    for (const LoggedEvent& logged : events) places[logged.partition].push_back(logged.sequence);
    return places;
  }

  std::string CodeOfRead(const EventPoints& after) {
    try {
      journal().Read(after, 10);
      return "";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.error().failure, Failure::kConflict);
      return error.error().code;
    }
  }

  TempDirectory directory_;
  EventPoints topic_;  // its end

 private:
  OpenEventJournal open_;
};

TEST_P(EventJournalContract, ANewOneWasNeverCopied) {
  EXPECT_EQ(journal().Copied(), std::nullopt);
  EXPECT_EQ(journal().HowFarForgotten().through, EventPoints());
  EXPECT_TRUE(Read({}).empty());
  journal().Skip({}, {}, 0);
  EXPECT_EQ(journal().Copied(), EventPoints()) << "begun, where the topic is empty";
  Reopen();
  EXPECT_EQ(journal().Copied(), EventPoints());
}

TEST_P(EventJournalContract, KeepsEventsWithTheirPlaces) {
  std::vector<LoggedEvent> events = NextOnes(0, 20);
  events[3].identity = Uuid{{9}};
  EXPECT_EQ(Add(events), 0u);
  Reopen();
  EXPECT_EQ(journal().Copied(), topic_);
  std::map<std::pair<std::size_t, std::int64_t>, LoggedEvent> read;
  for (const LoggedEvent& logged : journal().Read({}, 100)) read[{logged.partition, logged.sequence}] = logged;
  ASSERT_EQ(read.size(), events.size());
  for (const LoggedEvent& logged : events) {
    const LoggedEvent& found = read.at({logged.partition, logged.sequence});
    EXPECT_EQ(found.event, logged.event);
    EXPECT_EQ(found.received_at, logged.received_at);
    EXPECT_EQ(found.identity, logged.identity);
  }
}

TEST_P(EventJournalContract, ReadsEachPartitionInOrderBehindAnyPoints) {
  const std::vector<LoggedEvent> events = NextOnes(0, 40);
  Add(events);
  for (const std::size_t limit : {1u, 7u, 40u, 100u}) {
    EventPoints after;
    std::vector<LoggedEvent> all;
    for (auto page = journal().Read({}, limit); !page.empty(); page = journal().Read(after, limit)) {
      EXPECT_EQ(page.size(), std::min(limit, events.size() - all.size())) << "fewer only where no more is there";
      for (const LoggedEvent& logged : page) {
        EXPECT_FALSE(logged.IsWithin(after));
        Advance(&after, logged);
        all.push_back(logged);
      }
    }
    EXPECT_EQ(PlacesOf(all), PlacesOf(events)) << limit;
  }
}

TEST_P(EventJournalContract, AnIdentityThatComesAgainIsDroppedAndItsPlaceIsPassed) {
  const std::vector<LoggedEvent> first = {Next(1), Next(2), Next(1), Next(3)};
  EXPECT_EQ(Add(first), 1u);
  Reopen();
  const std::vector<LoggedEvent> again = {Next(2), Next(4), Next(1)};
  EXPECT_EQ(Add(again), 2u);
  EXPECT_EQ(Read({}), PlacesOf({first[0], first[1], first[3], again[1]})) << "the first place counts";
  EXPECT_EQ(journal().Copied(), topic_);
}

TEST_P(EventJournalContract, WhatLiesQuietIsPassed) {
  const std::vector<LoggedEvent> events = NextOnes(0, 8);
  Add(events);
  EventPoints after;
  EXPECT_EQ(journal().QuietThrough(after), after) << "there are events";
  for (const LoggedEvent& logged : events) Advance(&after, logged);
  Add({Next(0), Next(1), Next(5)});  // known already
  EXPECT_EQ(Read(after), Places());
  EXPECT_EQ(journal().QuietThrough(after), topic_);
  const LoggedEvent next = Next(9);
  Add({next});
  EventPoints quiet = topic_;
  quiet[next.partition] = after[next.partition];
  EXPECT_EQ(journal().QuietThrough(after), quiet) << "of the partition that has something nothing is passed";
  EXPECT_EQ(journal().QuietThrough(topic_), topic_);
  Reopen();
  EXPECT_EQ(journal().QuietThrough(after), quiet);
  EXPECT_EQ(Read(quiet), PlacesOf({next}));
}

TEST_P(EventJournalContract, FindsWhatItHolds) {
  const std::vector<LoggedEvent> events = NextOnes(0, 4);
  EXPECT_EQ(Find(events).is_held, std::vector<bool>(4, false));
  Add({events[0], events[2]});
  const EventJournal::Held held = Find(events);
  EXPECT_EQ(held.is_held, (std::vector<bool>{true, false, true, false}));
  EXPECT_TRUE(Reached(topic_, held.within));
  EXPECT_TRUE(Find({}).is_held.empty());
}

TEST_P(EventJournalContract, WhatIsSkippedCountsAsForgotten) {
  const EventPoints copied = {10, 0, 30};
  const EventPoints forgotten = {12, 0, 30};
  journal().Skip(copied, forgotten, kStart);
  EXPECT_EQ(journal().Copied(), copied);
  topic_ = copied;
  std::vector<LoggedEvent> events = NextOnes(0, 20);  // at 11.. in partition 0
  Add(events);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(journal().HowFarForgotten().through, forgotten);
    EXPECT_EQ(journal().HowFarForgotten().latest, kStart);
    EXPECT_EQ(CodeOfRead({}), "log_forgotten");
    EXPECT_EQ(CodeOfRead({11, 0, 30}), "log_forgotten");
    EXPECT_EQ(journal().QuietThrough({11, 0, 30}), (EventPoints{11, 0, 30})) << "nor is that passed";
    std::erase_if(events, [&](const LoggedEvent& logged) { return logged.IsWithin(forgotten); });
    EXPECT_EQ(Read(forgotten), PlacesOf(events));
    Reopen();
  }
  EXPECT_EQ(Add({Next(0)}), 1u) << "what cannot be read is known all the same";
}

TEST_P(EventJournalContract, SkippingNeverGoesBack) {
  Add(NextOnes(0, 20));
  journal().Skip({1, 1, 1, 1}, {}, 0);
  EXPECT_EQ(journal().Copied(), topic_);
  EXPECT_EQ(journal().HowFarForgotten().through, EventPoints());
  journal().Skip(topic_, {3, 0, 0, 0}, kStart);
  journal().Skip(topic_, {2, 2, 0, 0}, kStart - 1);
  EXPECT_EQ(journal().HowFarForgotten().through, (EventPoints{3, 2, 0, 0}));
  EXPECT_EQ(journal().HowFarForgotten().latest, kStart);
}

TEST_P(EventJournalContract, ForgetsTheOldestOfEachPartitionWithTheirIdentities) {
  const std::vector<LoggedEvent> events = NextOnes(0, 20);
  Add(events);
  EXPECT_EQ(journal().Forget(kStart, topic_), 0) << "received before, not at";
  EXPECT_EQ(journal().Forget(kStart + 100, {}), 0) << "nobody has taken them";
  EXPECT_EQ(journal().Forget(kStart + 6, topic_), 6);
  EXPECT_EQ(journal().HowFarForgotten().through, (EventPoints{2, 2, 1, 1}));
  EXPECT_EQ(journal().HowFarForgotten().latest, events[5].event.at);
  EXPECT_EQ(CodeOfRead({1, 2, 1, 1}), "log_forgotten");
  EXPECT_EQ(Read({2, 2, 1, 1}), PlacesOf({events.begin() + 6, events.end()}));
  EXPECT_EQ(Find({events.begin(), events.begin() + 8}).is_held,
            (std::vector<bool>{false, false, false, false, false, false, true, true}));
  Reopen();
  EXPECT_EQ(journal().Copied(), topic_);
  EXPECT_EQ(journal().Forget(kStart + 100, topic_), 14);
  EXPECT_EQ(Read(topic_), Places());
  EXPECT_EQ(journal().QuietThrough(topic_), topic_);
}

TEST_P(EventJournalContract, ForgettingKeepsWhatIsDatedAhead) {
  LoggedEvent ahead = Next(0);
  ahead.event.at = kStart + kMsPerDay;
  const LoggedEvent behind_it = Next(4);
  Add({ahead, behind_it});
  EXPECT_EQ(journal().Forget(kStart + kMsPerDay, topic_), 0);
  EXPECT_EQ(journal().Forget(kStart + kMsPerDay + 1, topic_), 2);
}

TEST_P(EventJournalContract, HiddenUsersAreInNoEventAndEachEventStaysTheSame) {
  const std::vector<LoggedEvent> events = NextOnes(0, 30);
  Add(events);
  const UserId user = events[1].event.user;
  const UserId author = events[2].event.post_author;
  const UserId pseudonym = {IdFromExternal(IdKind::kUser, "pseudonym")};
  const UserId other = {IdFromExternal(IdKind::kUser, "other pseudonym")};
  const std::vector<Erasure> erased = {{user, pseudonym, 0, true}, {author, other, 0, true}};
  for (int round = 0; round < 2; ++round) {
    journal().Hide(erased);
    std::set<Uuid> identities;
    for (const LoggedEvent& logged : journal().Read({}, 100)) {
      EXPECT_NE(logged.event.user, user);
      EXPECT_NE(logged.event.post_author, author);
      identities.insert(logged.Identity());
    }
    for (const LoggedEvent& logged : events) EXPECT_TRUE(identities.contains(logged.Identity()));
    EXPECT_EQ(Find(events).is_held, std::vector<bool>(30, true));
  }
  const LoggedEvent late = Next(36);  // of the same user
  ASSERT_EQ(late.event.user, user);
  EXPECT_EQ(Add({Next(1), late}), 1u);
  for (const LoggedEvent& logged : journal().Read({}, 100)) EXPECT_NE(logged.event.user, user);
  EXPECT_EQ(Find({late}).is_held, std::vector<bool>{true});
  EXPECT_EQ(journal().Forget(kStart + kMsPerDay, topic_), 31);
  EXPECT_EQ(Find(events).is_held, std::vector<bool>(30, false)) << "hidden ones go with their identities";
}

TEST_P(EventJournalContract, TellsWhomItsEventsNameEachOnce) {
  EXPECT_TRUE(journal().Users().empty());
  std::set<UserId> expected;
  std::vector<LoggedEvent> events;
  for (int i = 0; i < 30; ++i) {
    events.push_back(Next(i));
    expected.insert({events.back().event.user, events.back().event.post_author});
  }
  Add(events);
  const std::vector<UserId> users = journal().Users();
  EXPECT_EQ(users.size(), expected.size());
  EXPECT_EQ(std::set<UserId>(users.begin(), users.end()), expected);
}

TEST_P(EventJournalContract, ASubscriberIsToldOfEachCommitUntilItLeaves) {
  std::atomic<int> told = 0;
  journal().OnCommit([&told] { ++told; });
  for (int i = 0; i < 3; ++i) {
    const int before = told;
    Add({Next(i)});
    EXPECT_GT(told, before) << "before Add returns";
  }
  journal().OnCommit(nullptr);
  const int before = told;
  Add({Next(3)});
  EXPECT_EQ(told, before);
}

TEST_P(EventJournalContract, ScrubbingLeavesEverythingThatIsThere) {
  const std::vector<LoggedEvent> events = NextOnes(0, 200);
  Add(events);
  journal().Forget(kStart + 100, topic_);
  EXPECT_GE(journal().Scrub(), 0);
  EXPECT_EQ(Read(journal().HowFarForgotten().through), PlacesOf({events.begin() + 100, events.end()}));
}

// A reader who takes what comes, and what lies quiet, sees each identity once, whatever is cut and repeated.
TEST_P(EventJournalContract, AReaderTakesEachIdentityOnceThroughAnyCuts) {
  std::mt19937_64 random(TestSeed());
  EventPoints at;
  std::set<Uuid> taken;
  std::set<Uuid> sent;
  int next = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<LoggedEvent> events;
    for (std::uint64_t count = random() % 20; count > 0; --count) {
      // What is forgotten below does not come again.
      const int repeated = next - 1 - static_cast<int>(random() % static_cast<std::uint64_t>(std::clamp(next, 1, 40)));
      events.push_back(Next(next == 0 || random() % 3 != 0 ? next++ : repeated));
      sent.insert(events.back().Identity());
    }
    Add(events);
    if (random() % 10 == 0) Reopen();
    for (std::uint64_t reads = random() % 4; reads > 0; --reads) {
      for (const LoggedEvent& logged : journal().Read(at, 1 + random() % 15)) {
        EXPECT_TRUE(taken.insert(logged.Identity()).second);
        Advance(&at, logged);
      }
      if (random() % 2 == 0) at = journal().QuietThrough(at);
    }
    if (random() % 5 == 0) journal().Forget(kStart + next - 50, at);
  }
  for (auto page = journal().Read(at, 50); !page.empty(); page = journal().Read(at, 50)) {
    for (const LoggedEvent& logged : page) {
      EXPECT_TRUE(taken.insert(logged.Identity()).second);
      Advance(&at, logged);
    }
  }
  EXPECT_EQ(taken, sent);
  EXPECT_EQ(journal().QuietThrough(at), topic_);
}

}  // namespace novafeed
