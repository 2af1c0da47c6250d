#include "app/purge_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/test_support.h"
#include "graph/retired.h"

namespace novafeed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

UserId UserNumber(int number) {
  return UserId{IdFromExternal(IdKind::kUser, std::to_string(number))};
}

class PurgesInMemory final : public Purges {
 public:
  void NotePurged(std::span<const Erasure> erased, std::int64_t changes) override {
    for (const Erasure& erasure : erased) {
      purged_.push_back(
          {std::ssize(purged_) + 1, RetiredDigest(RetiredKind::kUser, erasure.user.value), erasure.pseudonym, changes});
    }
  }
  std::vector<PurgedUser> ReadPurged(std::int64_t after) override {
    return {purged_.begin() + std::min(after, std::ssize(purged_)), purged_.end()};
  }
  std::int64_t ForgetPurged(TimeMs) override { return 0; }

 private:
  std::vector<PurgedUser> purged_;
};

class NotingConsumer final : public ErasureConsumer {
 public:
  Status Reach(const Position& end) override {
    reached = end;
    return {};
  }
  Status Hide(std::span<const Erasure> erased) override {
    if (refuses) return Fail(Failure::kUnavailable, "not_now", "Try again.");
    hidden.insert(hidden.end(), erased.begin(), erased.end());
    return {};
  }

  bool refuses = false;
  Position reached;
  std::vector<Erasure> hidden;
};

class PurgeFollowerTest : public ::testing::Test {
 protected:
  void Purge(int user) {
    const std::vector<Erasure> erased = {{UserNumber(user), UserNumber(user + 100), 0, true}};
    purges_.NotePurged(erased, 70);
  }
  // As after a start.
  std::unique_ptr<PurgeFollower> Open() {
    PurgedNode node;
    node.hide_in_journal = [this](std::span<const PurgedUser> purged) {
      journal_.insert(journal_.end(), purged.begin(), purged.end());
    };
    node.end = [] { return Position{"g", 7, EventPoints{9}}; };
    node.consumers = {{&index_, [this] { return users_; }}, {&desk_, nullptr}};
    node.list = &list_;
    return std::make_unique<PurgeFollower>(&purges_, std::move(node), (directory_.path() / "purged").string());
  }

  TempDirectory directory_;
  PurgesInMemory purges_;
  std::vector<PurgedUser> journal_;
  std::vector<UserId> users_ = {UserNumber(1), UserNumber(2), UserNumber(3)};
  NotingConsumer index_;
  NotingConsumer desk_;
  ErasedList list_{(directory_.path() / "erased.list").string()};
};

TEST_F(PurgeFollowerTest, HidesEachPurgedUserOnceWhereTheyAreNamed) {
  const auto follower = Open();
  follower->Follow();
  EXPECT_THAT(journal_, IsEmpty());
  Purge(2);
  Purge(9);
  follower->Follow();
  EXPECT_THAT(journal_, SizeIs(2));
  EXPECT_EQ(index_.reached, (Position{"g", 70, EventPoints{9}}));
  EXPECT_EQ(desk_.reached, index_.reached);
  EXPECT_THAT(index_.hidden, ElementsAre(Erasure{UserNumber(2), UserNumber(102), 0, true}));
  EXPECT_THAT(desk_.hidden, IsEmpty());
  EXPECT_THAT(list_.digests(), SizeIs(2));
  follower->Follow();
  EXPECT_THAT(journal_, SizeIs(2));
}

TEST_F(PurgeFollowerTest, GoesOnWhereItWasAfterAStart) {
  Purge(1);
  Open()->Follow();
  Purge(2);
  Open()->Follow();
  EXPECT_THAT(index_.hidden, ElementsAre(Erasure{UserNumber(1), UserNumber(101), 0, true},
                                         Erasure{UserNumber(2), UserNumber(102), 0, true}));
}

TEST_F(PurgeFollowerTest, BeginsAgainAfterAFailure) {
  Purge(1);
  const auto follower = Open();
  index_.refuses = true;
  EXPECT_THROW(follower->Follow(), StoreError);
  index_.refuses = false;
  follower->Follow();
  EXPECT_THAT(index_.hidden, SizeIs(1));
}

}  // namespace
}  // namespace novafeed
