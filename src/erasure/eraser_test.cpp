#include "erasure/eraser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "capture/memory_graph.h"
#include "graph/commands.h"
#include "stream/memory_event_log.h"

namespace novafeed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr TimeMs kNow = 1'795'382'793'122;

UserId UserNumber(int number) {
  return UserId{IdFromExternal(IdKind::kUser, std::to_string(number))};
}
PostId PostNumber(int number) {
  return PostId{IdFromExternal(IdKind::kPost, std::to_string(number))};
}

// Writes down what it is asked for; refuses when told to.
class NotingConsumer final : public ErasureConsumer {
 public:
  NotingConsumer(std::string name, std::vector<std::string>* calls) : name_(std::move(name)), calls_(calls) {}

  Status Reach(const Position& end) override {
    reached = end;
    return Note("reach");
  }
  Status Hide(std::span<const Erasure> erased) override {
    hidden.assign(erased.begin(), erased.end());
    return Note("hide");
  }

  std::string refused;  // the call that fails
  Position reached;
  std::vector<Erasure> hidden;

 private:
  Status Note(const std::string& call) {
    calls_->push_back(name_ + " " + call);
    if (call == refused) return Fail(Failure::kUnavailable, "not_now", "Try again.");
    return {};
  }

  const std::string name_;
  std::vector<std::string>* const calls_;
};

// Given: how many partitions the events have.
class EraserTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  EraserTest() {
    Write([](GraphTransaction& tx) {
      for (int i = 1; i <= 3; ++i) {
        ASSERT_TRUE(CreateUser(tx, {ParsedId{UserNumber(i).value, {}}, "user" + std::to_string(i), ""}));
      }
      ASSERT_TRUE(CreatePost(tx, {ParsedId{PostNumber(1).value, {}}, UserNumber(1), "mine"}));
      ASSERT_TRUE(CreatePost(tx, {ParsedId{PostNumber(2).value, {}}, UserNumber(2), "theirs"}));
      ASSERT_TRUE(PutLike(tx, UserNumber(2), PostNumber(1), kNow));
      ASSERT_TRUE(PutLike(tx, UserNumber(1), PostNumber(2), kNow));
    });
    std::vector<Event> shares;
    for (int i = 2; i < 10; ++i) {
      shares.push_back({UserNumber(1), EventType::kShare, PostNumber(i), kNow, {}, UserNumber(2), kNow});
    }
    events_.Append(shares, [](Result<EventLog::Appended>) {});
  }

  void Write(const GraphStore::Work& work) {
    graph_.Write(work, [](const Result<std::int64_t>& done) { EXPECT_TRUE(done); });
  }
  void Erase(int user) {
    Write([user](GraphTransaction& tx) { ASSERT_TRUE(EraseUser(tx, UserNumber(user))); });
  }
  // The code of the StoreError that it throws; empty where it does not.
  static std::string CodeOf(const std::function<void()>& call) {
    try {
      call();
      return "";
    } catch (const StoreError& error) {
      return error.error().code;
    }
  }
  bool NamesUser(UserId user) {
    for (const Change& change : graph_.Read(0, 1000)) {
      for (const auto* image : {&change.before, &change.after}) {
        Row row = *image ? **image : Row(User());
        const Erasure erasure{user, UserNumber(99), 0, true};
        if (Pseudonyms(std::span(&erasure, 1)).Hide(&row)) return true;
      }
    }
    for (const LoggedEvent& logged : events_.Read({}, 1000)) {
      if (logged.event.user == user || logged.event.post_author == user) return true;
    }
    return graph_.GetPost(PostNumber(1))->author == user;
  }

  ManualClock clock_{kNow};
  Metrics metrics_;
  MemoryGraph graph_{&clock_};
  MemoryEventLog events_{&clock_, std::make_shared<MemoryEventLogState>(GetParam())};
  std::vector<std::string> calls_;
  NotingConsumer first_{"first", &calls_};
  NotingConsumer second_{"second", &calls_};
  Eraser eraser_{&graph_, &graph_, &events_, {&first_, &second_}, &metrics_};
};

INSTANTIATE_TEST_SUITE_P(Partitions, EraserTest, ::testing::Values(1, 4));

TEST_P(EraserTest, RemovesManyRowsInBoundedTransactions) {
  Write([](GraphTransaction& tx) {
    for (int i = 0; i < 1000; ++i) tx.InsertLike({UserNumber(1), PostNumber(100 + i), UserNumber(2), kNow, kNow});
  });
  Erase(1);
  const std::int64_t before = graph_.End();
  eraser_.Remove();
  EXPECT_EQ(graph_.End() - before, 1002) << "a post, and 1001 likes";
  std::map<std::int64_t, std::size_t> sizes;
  for (const Change& change : graph_.Read(before, 10'000)) ++sizes[change.transaction];
  EXPECT_EQ(sizes.size(), 6u);
  for (const auto& [transaction, size] : sizes) EXPECT_LE(size, kErasedAtOnce);
  EXPECT_TRUE(graph_.ReadErasures().at(0).removed);
  EXPECT_THAT(metrics_.Render(), HasSubstr("novafeed_erasures_pending 1"));
}

TEST_P(EraserTest, RemoveStopsBetweenTransactions) {
  Erase(1);
  eraser_.Stop();
  eraser_.Remove();
  EXPECT_FALSE(graph_.ReadErasures().at(0).removed);
  Eraser next(&graph_, &graph_, &events_, {}, &metrics_);
  next.Remove();
  EXPECT_TRUE(graph_.ReadErasures().at(0).removed) << "the next one goes on";
}

TEST_P(EraserTest, PurgesInTheOrderThatLosesNothing) {
  Erase(1);
  const UserId pseudonym = graph_.ReadErasures().at(0).pseudonym;
  EXPECT_EQ(eraser_.Purge().users, 1);
  EXPECT_THAT(calls_, ElementsAre("first reach", "second reach", "first hide", "second hide"));
  EXPECT_EQ(second_.reached, (Position{graph_.Generation(), graph_.End(), events_.End()}));
  ASSERT_EQ(second_.hidden.size(), 1u);
  EXPECT_EQ(second_.hidden[0].user, UserNumber(1));
  EXPECT_EQ(second_.hidden[0].pseudonym, pseudonym);
  EXPECT_FALSE(NamesUser(UserNumber(1)));
  EXPECT_EQ(events_.Read({}, 10).at(0).event.user, pseudonym);
  EXPECT_TRUE(graph_.ReadErasures().empty());
  EXPECT_TRUE(graph_.IsRetired(RetiredKind::kUser, UserNumber(1).value));
  EXPECT_THAT(metrics_.Render(), HasSubstr("novafeed_purged_total 1"));
  EXPECT_THAT(metrics_.Render(), HasSubstr("novafeed_erasures_pending 0"));
}

TEST_P(EraserTest, AsksNobodyWhereNobodyWasErased) {
  EXPECT_EQ(eraser_.Purge().users, 0);
  EXPECT_TRUE(calls_.empty());
}

TEST_P(EraserTest, LeavesTheChangesAloneUntilEveryConsumerHasThem) {
  Erase(1);
  second_.refused = "reach";
  EXPECT_EQ(CodeOf([this] { eraser_.Purge(); }), "not_now");
  EXPECT_EQ(std::get<User>(*graph_.Read(0, 1).at(0).after).id, UserNumber(1));
  EXPECT_EQ(graph_.ReadErasures().size(), 1u);

  second_.refused = "";
  EXPECT_EQ(eraser_.Purge().users, 1);
  EXPECT_FALSE(NamesUser(UserNumber(1)));
}

TEST_P(EraserTest, KeepsTheErasureUntilEveryConsumerHasHiddenTheUser) {
  Erase(1);
  second_.refused = "hide";
  EXPECT_EQ(CodeOf([this] { eraser_.Purge(); }), "not_now");
  const std::vector<Erasure> before = first_.hidden;
  second_.refused = "";
  EXPECT_EQ(eraser_.Purge().users, 1);
  EXPECT_EQ(first_.hidden, before) << "the same pseudonym again";
}

TEST_P(EraserTest, IsDueByTheTimeOfTheErasureAndAfterAPurgeThatWasCutOff) {
  EXPECT_FALSE(eraser_.IsPurgeDue(kNow + kMsPerDay));
  Erase(1);
  EXPECT_FALSE(eraser_.IsPurgeDue(kNow - 1));
  EXPECT_TRUE(eraser_.IsPurgeDue(kNow));
  first_.refused = "reach";
  EXPECT_EQ(CodeOf([this] { eraser_.Purge(); }), "not_now");
  EXPECT_TRUE(eraser_.IsPurgeDue(kNow - 1)) << "it has begun";
  first_.refused = "";
  eraser_.Purge();
  EXPECT_FALSE(eraser_.IsPurgeDue(kNow + kMsPerDay));
}

TEST_P(EraserTest, APurgeThatAnotherProcessMayMeetGoesNoFurtherAndClosesNothing) {
  Erase(1);
  std::string lost_behind;  // the call
  const auto require_upkeep = [&] {
    if (!calls_.empty() && calls_.back() == lost_behind) {
      throw StoreError(Error{Failure::kUnavailable, "upkeep_lost", "Another process purges."});
    }
  };
  Eraser eraser(&graph_, &graph_, &events_, {&first_, &second_}, &metrics_, nullptr, require_upkeep);
  lost_behind = "second reach";
  EXPECT_EQ(CodeOf([&] { eraser.Purge(); }), "upkeep_lost");
  EXPECT_TRUE(first_.hidden.empty());
  EXPECT_EQ(std::get<User>(*graph_.Read(0, 1).at(0).after).id, UserNumber(1)) << "the changes are as they were";
  lost_behind = "second hide";
  EXPECT_EQ(CodeOf([&] { eraser.Purge(); }), "upkeep_lost");
  EXPECT_EQ(graph_.ReadErasures().size(), 1u);
  lost_behind = "";
  EXPECT_EQ(eraser.Purge().users, 1);
}

TEST_P(EraserTest, APurgeThatIsToldToStopSaysSoAndGoesOnLater) {
  Erase(1);
  eraser_.Remove();
  eraser_.Stop();
  EXPECT_EQ(CodeOf([this] { eraser_.Purge(); }), "stopping");
  EXPECT_EQ(Eraser(&graph_, &graph_, &events_, {&first_}, &metrics_).Purge().users, 1);
}

}  // namespace
}  // namespace novafeed
