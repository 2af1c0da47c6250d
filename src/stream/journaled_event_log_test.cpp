#include "stream/journaled_event_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "graph/retired.h"
#include "stream/memory_event_journal.h"
#include "stream/memory_event_topic.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;

constexpr TimeMs kStart = 1'795'382'793'122;

JournaledEventLogOptions Quick() {
  JournaledEventLogOptions options;
  options.copier.patience = options.copier.look_every = milliseconds(1);
  options.first_pause = options.max_pause = milliseconds(1);
  return options;
}

// True once the condition holds; false where it does not within half a minute.
bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

Event NumberedEvent(int number) {
  Event event;
  event.user = {IdFromExternal(IdKind::kUser, std::to_string(number % 7))};
  event.type = EventType::kShare;
  event.post = {IdFromExternal(IdKind::kPost, std::to_string(number % 5))};
  event.at = kStart;
  event.event_id = {IdFromExternal(IdKind::kEvent, std::to_string(number))};
  return event;
}
std::vector<Event> NumberedEvents(int first, int count) {
  std::vector<Event> events;
  for (int i = first; i < first + count; ++i) events.push_back(NumberedEvent(i));
  return events;
}

const Error kAway = {Failure::kUnavailable, "log_unavailable", "Kafka is away.", 1000};

class JournaledLog : public ::testing::Test {
 protected:
  void Open(JournaledEventLogOptions options = Quick()) {
    log_.reset();
    auto journal = std::make_unique<MemoryEventJournal>(journal_state_);
    journal_ = journal.get();
    log_ = std::make_unique<JournaledEventLog>(&clock_, std::make_unique<MemoryEventTopic>(topic_), std::move(journal),
                                               &metrics_, options);
  }

  Result<EventLog::Appended> Append(std::vector<Event> events) {
    std::promise<Result<EventLog::Appended>> answer;
    log_->Append(std::move(events),
                 [&answer](Result<EventLog::Appended> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }
  // Another process appends it.
  void PutElsewhere(int number) { topic_->Put({0, 0, clock_.Now(), NumberedEvent(number), std::nullopt}); }

  std::size_t CountReadable() { return log_->Read({}, 1'000'000).size(); }
  bool EventuallyReadable(std::size_t count) {
    return Eventually([&] { return CountReadable() == count; });
  }
  Error ErrorOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const StoreError& error) {
      return error.error();
    }
    return {};
  }
  double ValueOf(const std::string& name) { return metrics_.Read().Values(name).at(0).value; }

  ManualClock clock_{kStart};
  Metrics metrics_;
  std::shared_ptr<MemoryEventTopicState> topic_ = std::make_shared<MemoryEventTopicState>(4);
  std::shared_ptr<MemoryEventJournalState> journal_state_ = std::make_shared<MemoryEventJournalState>();
  MemoryEventJournal* journal_ = nullptr;
  std::unique_ptr<JournaledEventLog> log_;
};

TEST_F(JournaledLog, WhatOtherProcessesAppendIsReadOnce) {
  Open();
  for (int i = 0; i < 20; ++i) PutElsewhere(i);
  for (int i = 0; i < 20; ++i) PutElsewhere(i);
  EXPECT_TRUE(EventuallyReadable(20));
  const Result<EventLog::Appended> again = Append(NumberedEvents(10, 20));
  ASSERT_TRUE(again);
  EXPECT_EQ(std::ranges::count(again->duplicate, true), 10);
  EXPECT_TRUE(EventuallyReadable(30));
  EXPECT_EQ(log_->End().Total(), 50) << "what the journal holds is not sent again";
}

TEST_F(JournaledLog, AReaderReachesTheEndAlsoWhereItHoldsWhatCameTwice) {
  Open();
  for (int i = 0; i < 10; ++i) PutElsewhere(i);
  for (int i = 0; i < 10; ++i) PutElsewhere(i);
  EventPoints at;
  EXPECT_TRUE(Eventually([&] {
    for (const LoggedEvent& logged : log_->Read(at, 3)) Advance(&at, logged);
    at = log_->QuietThrough(at);
    return Reached(log_->End(), at);
  }));
}

TEST_F(JournaledLog, ATopicThatIsAwayIsAnErrorForWritersAndForReadersWhoHaveReadEverything) {
  Open();
  ASSERT_TRUE(Append(NumberedEvents(0, 10)));
  ASSERT_TRUE(EventuallyReadable(10));
  const EventPoints end = log_->End();
  topic_->Break(kAway);
  EXPECT_EQ(Append(NumberedEvents(10, 10)).error().code, "log_unavailable");
  EXPECT_EQ(ErrorOf([&] { log_->End(); }).code, "log_unavailable");
  EXPECT_TRUE(Eventually([&] { return ErrorOf([&] { log_->Read(end, 10); }).code == "log_unavailable"; }));
  EXPECT_EQ(CountReadable(), 10u) << "what the journal holds is there";
  EXPECT_GT(ValueOf("novafeed_journal_failures_total"), 0);
  topic_->Break(std::nullopt);
  EXPECT_TRUE(Eventually([&] { return ErrorOf([&] { log_->Read(end, 10); }).code.empty(); }));
  ASSERT_TRUE(Append(NumberedEvents(10, 10)));
  EXPECT_TRUE(EventuallyReadable(20));
}

TEST_F(JournaledLog, BeforeTheTopicWasSeenNothingIsSaidOfIt) {
  topic_->Break(kAway);
  Open();
  EXPECT_EQ(ErrorOf([&] { log_->Read({}, 10); }).code, "log_unavailable");
  EXPECT_EQ(ErrorOf([&] { log_->HowFarForgotten(); }).code, "log_unavailable");
  EXPECT_EQ(log_->QuietThrough({3}), (EventPoints{3}));
  topic_->Break(std::nullopt);
  EXPECT_TRUE(Eventually([&] { return ErrorOf([&] { log_->HowFarForgotten(); }).code.empty(); }));
}

TEST_F(JournaledLog, AJournalThatCannotBeWrittenIsAnErrorAndHeals) {
  Open();
  ASSERT_TRUE(EventuallyReadable(0));
  journal_->Refuse(Error{Failure::kStorageFull, "disk_full", "Free some space.", 0});
  ASSERT_TRUE(Append(NumberedEvents(0, 10))) << "the topic has them";
  EXPECT_TRUE(Eventually([&] { return ErrorOf([&] { log_->Read({}, 10); }).code == "disk_full"; }));
  journal_->Refuse(std::nullopt);
  EXPECT_TRUE(Eventually([&] { return ErrorOf([&] { log_->Read({}, 10); }).code.empty(); }));
  EXPECT_TRUE(EventuallyReadable(10));
}

TEST_F(JournaledLog, AJournalThatIsBehindDoesNotSayThatThereIsNothing) {
  JournaledEventLogOptions options = Quick();
  options.current_within = milliseconds(-1);  // it always is
  options.read_patience = milliseconds(20);
  Open(options);
  EXPECT_EQ(ErrorOf([&] { log_->Read({}, 10); }).code, "log_unavailable");
  PutElsewhere(1);
  EXPECT_TRUE(Eventually([&] {
    std::size_t count = 0;
    ErrorOf([&] { count = CountReadable(); });
    return count == 1;
  })) << "what comes is given";
}

TEST_F(JournaledLog, ForgettingKeepsWhatCanComeAgain) {
  Open();
  ASSERT_TRUE(Append(NumberedEvents(0, 10)));
  ASSERT_TRUE(EventuallyReadable(10));
  const EventPoints end = log_->End();
  const auto complete = [this] { return Eventually([this] { return log_->CompleteAsOf() >= clock_.Now(); }); };
  clock_.Advance(kMsPerDay);
  ASSERT_TRUE(complete());
  EXPECT_EQ(log_->Forget(clock_.Now(), end), 0) << "a day is too early";
  topic_->Break(kAway);
  clock_.Advance(3 * kMsPerDay);
  EXPECT_EQ(log_->Forget(clock_.Now(), end), 0) << "what came meanwhile may be one of them";
  topic_->Break(std::nullopt);
  ASSERT_TRUE(complete());
  EXPECT_EQ(log_->Forget(clock_.Now(), end), 10);
}

TEST_F(JournaledLog, HiddenUsersDoNotReachTheTopic) {
  Open();
  const UserId user = NumberedEvent(1).user;
  const UserId pseudonym = {IdFromExternal(IdKind::kUser, "pseudonym")};
  const std::vector<Erasure> erased = {{user, pseudonym, 0, true}};
  log_->Hide(erased);
  ASSERT_TRUE(Append({NumberedEvent(1)}));
  ASSERT_TRUE(EventuallyReadable(1));
  const LoggedEvent read = log_->Read({}, 1).at(0);
  EXPECT_EQ(read.event.user, pseudonym);
  EXPECT_EQ(read.Identity(), EventIdentity(NumberedEvent(1)));
  const std::scoped_lock lock(topic_->mutex);
  EXPECT_EQ(topic_->partitions[read.partition].at(0)->event.user, pseudonym);
}

// The topic keeps their names, for its retention.
TEST_F(JournaledLog, PurgedUsersAreInNothingThatIsReadHoweverOftenTheTopicIs) {
  Open();
  for (int i = 0; i < 20; ++i) PutElsewhere(i);
  ASSERT_TRUE(EventuallyReadable(20));
  const UserId user = NumberedEvent(1).user;
  const UserId pseudonym = {IdFromExternal(IdKind::kUser, "pseudonym")};
  const std::vector<PurgedUser> purged = {{1, RetiredDigest(RetiredKind::kUser, user.value), pseudonym, 0}};
  const auto expect_hidden = [&](std::size_t count) {
    std::set<Uuid> identities;
    const std::vector<LoggedEvent> events = log_->Read({}, 1000);
    EXPECT_EQ(events.size(), count);
    for (const LoggedEvent& logged : events) {
      EXPECT_NE(logged.event.user, user);
      identities.insert(logged.Identity());
    }
    for (int i = 0; i < static_cast<int>(count); ++i) EXPECT_TRUE(identities.contains(EventIdentity(NumberedEvent(i))));
  };
  log_->HidePurged(purged);
  expect_hidden(20);
  for (int i = 0; i < 30; ++i) PutElsewhere(i);
  ASSERT_TRUE(EventuallyReadable(30));
  expect_hidden(30);

  journal_state_ = std::make_shared<MemoryEventJournalState>();  // lost, or that of a new node
  JournaledEventLogOptions options = Quick();
  options.purged = purged;
  Open(options);
  ASSERT_TRUE(EventuallyReadable(30));
  expect_hidden(30);
}

TEST_F(JournaledLog, ALossIsForgottenForWhoStandsBeforeIt) {
  Open();
  ASSERT_TRUE(Append(NumberedEvents(0, 10)));
  ASSERT_TRUE(EventuallyReadable(10));
  const EventPoints before = log_->End();
  log_.reset();
  for (int i = 10; i < 20; ++i) PutElsewhere(i);
  topic_->Lose(topic_->end);
  Open();
  EXPECT_TRUE(Eventually([&] { return ErrorOf([&] { log_->Read(before, 10); }).code == "log_forgotten"; }));
  const EventPoints end = log_->End();
  ASSERT_TRUE(Append(NumberedEvents(20, 10)));
  EXPECT_TRUE(Eventually([&] { return log_->Read(end, 100).size() == 10; }));
}

}  // namespace
}  // namespace novafeed
