#include "stream/topic_copier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/test_support.h"
#include "stream/memory_event_journal.h"
#include "stream/memory_event_topic.h"

namespace novafeed {
namespace {

constexpr TimeMs kStart = 1'795'382'793'122;
constexpr TimeMs kMinute = 60 * kMsPerSecond;

Event NumberedEvent(int number, TimeMs at) {
  Event event;
  event.user = {IdFromExternal(IdKind::kUser, std::to_string(number % 7))};
  event.type = EventType::kShare;
  event.post = {IdFromExternal(IdKind::kPost, std::to_string(number % 11))};
  event.at = at;
  event.event_id = {IdFromExternal(IdKind::kEvent, std::to_string(number))};
  return event;
}

double ValueOf(const Metrics& metrics, const std::string& name) {
  return metrics.Read().Values(name).at(0).value;
}

class TopicCopierTest : public ::testing::Test {
 protected:
  // Another process: it knows what the journal holds, or nothing where that is lost.
  void Restart(std::size_t batch = 10'000) {
    copier_.reset();
    journal_ = std::make_unique<MemoryEventJournal>(journal_state_);
    TopicCopierOptions options;
    options.batch = batch;
    options.patience = options.look_every = std::chrono::milliseconds(0);
    copier_ = std::make_unique<TopicCopier>(&clock_, &topic_, journal_.get(), &metrics_, options);
  }
  void LoseJournal() {
    journal_state_ = std::make_shared<MemoryEventJournalState>();
    Restart();
  }

  Event Put(int number) {
    const Event event = NumberedEvent(number, clock_.Now());
    Put(event);
    return event;
  }
  void Put(const Event& event) { topic_state_->Put({0, 0, clock_.Now(), event, std::nullopt}); }

  // Until it has everything.
  void CopyAll() {
    do copier_->Step();
    while (journal_->Copied() != topic_.End());
  }
  std::string CodeOfStep() {
    try {
      copier_->Step();
      return "";
    } catch (const StoreError& error) {
      return error.error().code;
    }
  }
  std::set<Uuid> IdentitiesBehind(const EventPoints& after) {
    std::set<Uuid> identities;
    for (const LoggedEvent& logged : journal_->Read(after, 1'000'000)) identities.insert(logged.Identity());
    return identities;
  }
  static std::set<Uuid> IdentitiesOf(const std::vector<Event>& events) {
    std::set<Uuid> identities;
    for (const Event& event : events) identities.insert(EventIdentity(event));
    return identities;
  }

  ManualClock clock_{kStart};
  Metrics metrics_;
  std::shared_ptr<MemoryEventTopicState> topic_state_ = std::make_shared<MemoryEventTopicState>(4);
  MemoryEventTopic topic_{topic_state_};
  std::shared_ptr<MemoryEventJournalState> journal_state_ = std::make_shared<MemoryEventJournalState>();
  std::unique_ptr<MemoryEventJournal> journal_;
  std::unique_ptr<TopicCopier> copier_;
};

TEST_F(TopicCopierTest, CopiesEachIdentityOnceAndCountsTheOthers) {
  Restart(3);
  std::vector<Event> events;
  for (int i = 0; i < 20; ++i) events.push_back(Put(i));
  for (int i = 0; i < 20; i += 2) Put(events[static_cast<std::size_t>(i)]);
  CopyAll();
  EXPECT_EQ(IdentitiesBehind({}), IdentitiesOf(events));
  EXPECT_EQ(journal_->Read({}, 100).size(), 20u);
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_events_total"), 20);
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_repeats_total"), 10);
}

TEST_F(TopicCopierTest, WhatCannotBeReadIsPassed) {
  Restart();
  copier_->Step();
  for (std::size_t partition = 0; partition < 4; ++partition) topic_state_->PutPoison(partition);
  CopyAll();
  EXPECT_EQ(journal_->QuietThrough({}), topic_.End());
}

TEST_F(TopicCopierTest, GoesOnWhereTheJournalWasLeft) {
  Restart(5);
  std::vector<Event> events;
  for (int i = 0; i < 20; ++i) events.push_back(Put(i));
  copier_->Step();
  copier_->Step();
  clock_.Advance(3 * kMsPerDay);  // it was away
  for (int i = 20; i < 30; ++i) events.push_back(Put(i));
  Restart();
  CopyAll();
  EXPECT_EQ(IdentitiesBehind({}), IdentitiesOf(events));
  EXPECT_EQ(journal_->HowFarForgotten().through, EventPoints());
}

TEST_F(TopicCopierTest, ANewJournalOfAYoungTopicHasAllOfIt) {
  std::vector<Event> events;
  for (int i = 0; i < 20; ++i) events.push_back(Put(i));
  clock_.Advance(kMsPerDay);
  Restart();
  CopyAll();
  EXPECT_EQ(journal_->HowFarForgotten().through, EventPoints());
  EXPECT_EQ(IdentitiesBehind({}), IdentitiesOf(events));
}

TEST_F(TopicCopierTest, ANewJournalKnowsWhatCanComeAgainAndIsReadFromWhereThatIsSure) {
  for (int i = 0; i < 40; ++i) Put(i);
  clock_.Advance(kMsPerHour);
  std::vector<Event> recent;
  for (int i = 40; i < 80; ++i) recent.push_back(Put(i));
  clock_.Advance(kMsPerDay - kMinute);
  const EventPoints before_last = topic_.End();
  std::vector<Event> last;
  for (int i = 80; i < 120; ++i) last.push_back(Put(i));
  clock_.Advance(10 * kMinute);  // the first are older than 25 h now, the recent ones are not
  Restart();
  CopyAll();
  const EventPoints readable = journal_->HowFarForgotten().through;
  EXPECT_EQ(readable, before_last) << "what came before may have come for the second time";
  EXPECT_EQ(IdentitiesBehind(readable), IdentitiesOf(last));
  for (const Event& event : recent) Put(event);
  CopyAll();
  EXPECT_EQ(IdentitiesBehind(readable), IdentitiesOf(last)) << "the recent ones are known";
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_repeats_total"), 40);
}

TEST_F(TopicCopierTest, WhatTheTopicHasLostIsForgottenAndSaid) {
  Restart();
  for (int i = 0; i < 40; ++i) Put(i);
  CopyAll();
  const EventPoints copied = topic_.End();
  for (int i = 40; i < 80; ++i) Put(i);
  clock_.Advance(8 * kMsPerDay);
  topic_state_->Lose(topic_.End());
  const EventPoints lost = topic_.End();
  std::vector<Event> later;
  for (int i = 80; i < 120; ++i) later.push_back(Put(i));
  CopyAll();
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_losses_total"), 1);
  EXPECT_EQ(journal_->HowFarForgotten().through, lost);
  EXPECT_THROW(journal_->Read(copied, 10), StoreError);
  EXPECT_EQ(IdentitiesBehind(lost), IdentitiesOf(later));
  clock_.Advance(kMinute);
  Put(200);
  CopyAll();
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_losses_total"), 1) << "and it goes on";
}

TEST_F(TopicCopierTest, ALossInOnePartitionLeavesTheOthers) {
  Restart();
  for (int i = 0; i < 40; ++i) Put(i);
  CopyAll();
  const EventPoints copied = topic_.End();
  for (int i = 40; i < 80; ++i) Put(i);
  const std::size_t partition = copied.List().size() - 1;  // one that has events
  EventPoints lost;
  lost[partition] = copied[partition] + 1;
  topic_state_->Lose(lost);
  CopyAll();
  const EventPoints forgotten = journal_->HowFarForgotten().through;
  EXPECT_GE(forgotten[partition], lost[partition]);
  EXPECT_EQ(forgotten.Total(), forgotten[partition]);
}

TEST_F(TopicCopierTest, ATopicThatEndsBeforeTheJournalIsNotGoneOnWith) {
  Restart();
  for (int i = 0; i < 40; ++i) Put(i);
  CopyAll();
  topic_state_ = std::make_shared<MemoryEventTopicState>(4);  // made anew
  MemoryEventTopic anew(topic_state_);
  TopicCopierOptions options;
  options.patience = std::chrono::milliseconds(0);
  copier_ = std::make_unique<TopicCopier>(&clock_, &anew, journal_.get(), &metrics_, options);
  for (int round = 0; round < 2; ++round) EXPECT_EQ(CodeOfStep(), "journal_ahead");
}

TEST_F(TopicCopierTest, AFailureChangesNothingAndTheStepIsDoneAgain) {
  Restart(7);
  std::vector<Event> events;
  for (int i = 0; i < 30; ++i) events.push_back(Put(i));
  copier_->Step();
  topic_state_->Break(Error{Failure::kUnavailable, "log_unavailable", "away", 1});
  EXPECT_EQ(CodeOfStep(), "log_unavailable");
  topic_state_->Break(std::nullopt);
  journal_->Refuse(Error{Failure::kStorageFull, "disk_full", "full", 0});
  EXPECT_EQ(CodeOfStep(), "disk_full");
  journal_->Refuse(std::nullopt);
  CopyAll();
  EXPECT_EQ(IdentitiesBehind({}), IdentitiesOf(events));
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_repeats_total"), 0);
}

TEST_F(TopicCopierTest, SaysHowFarBehindItIs) {
  Restart(10);
  for (int i = 0; i < 100; ++i) Put(i);
  const auto copied = [this] { return static_cast<double>(journal_->Copied()->Total()); };
  copier_->Step();
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_lag_events"), 100);
  EXPECT_EQ(copier_->complete().at, 0) << "never yet";
  clock_.Advance(20 * kMsPerSecond);
  const double before = copied();
  copier_->Step();
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_lag_events"), 100 - before);
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_lag_seconds"), 20);
  CopyAll();
  EXPECT_EQ(copier_->complete().at, kStart) << "as of the first look that was reached";
  copier_->Step();
  EXPECT_EQ(copier_->complete().at, clock_.Now());
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_lag_events"), 0);
  EXPECT_EQ(ValueOf(metrics_, "novafeed_journal_lag_seconds"), 0);
}

// A world of days: events come, come again within their time, the topic loses what is old, the journal is kept, broken
// off in the middle, and lost. A reader takes what there is; where that is forgotten, it begins with what somebody else
// has counted.
class TopicCopierWorld : public TopicCopierTest {
 protected:
  std::int64_t Random(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }

  void PutSome() {
    for (std::int64_t count = Random(10); count > 0; --count) {
      if (Random(3) == 0) {
        PutAgain();
      } else {
        sent_.push_back(NumberedEvent(static_cast<int>(sent_.size()), clock_.Now() + 5 * kMinute - Random(kMsPerDay)));
        Put(sent_.back());
      }
    }
    if (Random(10) == 0) topic_state_->PutPoison(static_cast<std::size_t>(Random(4)));
  }
  // One of the last, where it is still accepted.
  void PutAgain() {
    if (sent_.empty()) return;
    const std::int64_t back = Random(std::min<std::int64_t>(std::ssize(sent_), 200));
    const Event event = sent_[sent_.size() - 1 - static_cast<std::size_t>(back)];
    if (clock_.Now() <= event.at + kMsPerDay && clock_.Now() >= event.at - 5 * kMinute) Put(event);
  }
  void Retain() { topic_state_->Lose(topic_.PointsAt(clock_.Now() - 7 * kMsPerDay)); }

  void StepSome() {
    for (std::int64_t steps = Random(4); steps > 0; --steps) {
      const bool fails = Random(8) == 0;
      if (fails) journal_->Refuse(Error{Failure::kStorageFull, "disk_full", "full", 0});
      const std::string code = CodeOfStep();
      EXPECT_TRUE(code.empty() || (fails && code == "disk_full")) << code;
      journal_->Refuse(std::nullopt);
    }
  }
  void Forget() {
    const TimeMs before = std::min(clock_.Now() - Random(3 * kMsPerDay), copier_->complete().at - kJournalReach);
    journal_->Forget(before, at_);
  }

  // False where there is nothing.
  bool ReadSome() {
    if (!journal_->Copied()) return false;
    try {
      const std::vector<LoggedEvent> events = journal_->Read(at_, static_cast<std::size_t>(1 + Random(30)));
      for (const LoggedEvent& logged : events) {
        EXPECT_TRUE(taken_.insert(logged.Identity()).second) << "never twice";
        Advance(&at_, logged);
      }
      if (events.empty() || Random(2) == 0) at_ = journal_->QuietThrough(at_);
      return !events.empty();
    } catch (const StoreError& error) {
      EXPECT_EQ(error.error().code, "log_forgotten");
    }
    ++boots_;
    at_ = topic_.End();
    taken_ = IdentitiesOf(sent_);
    return false;
  }

  std::mt19937_64 random_{TestSeed()};
  std::vector<Event> sent_;
  EventPoints at_;  // the reader's
  std::set<Uuid> taken_;
  int boots_ = 0;
};

TEST_F(TopicCopierWorld, NoIdentityIsTakenTwiceAndNoneIsMissing) {
  Restart();
  for (int round = 0; round < 3000; ++round) {
    clock_.Advance(Random(100) == 0 ? Random(10 * kMsPerDay) : Random(40 * kMinute));
    Retain();
    PutSome();
    if (Random(10) == 0) Restart(static_cast<std::size_t>(1 + Random(30)));
    if (Random(100) == 0) LoseJournal();
    StepSome();
    if (Random(5) == 0) Forget();
    for (std::int64_t reads = Random(3); reads > 0; --reads) ReadSome();
  }
  CopyAll();
  while (ReadSome() || at_ != topic_.End()) {
  }
  EXPECT_EQ(taken_, IdentitiesOf(sent_));
  EXPECT_GT(boots_, 0);
  EXPECT_GT(ValueOf(metrics_, "novafeed_journal_repeats_total"), 100);
}

}  // namespace
}  // namespace novafeed
