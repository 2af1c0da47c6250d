// The rule by which parts of the touched_* tables are dropped, held against a model of ClickHouse that lands blocks in
// any interleaving with the settling.
#include "warehouse/touched_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/test_support.h"

namespace novafeed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LandingOffsets OffsetsOf(std::int64_t committed, std::int64_t end) {
  LandingOffsets offsets;
  for (auto& partitions : offsets) partitions = {{0, 0, -1}};  // nothing was ever written
  offsets[kEventsTopic] = {{0, end, committed}, {0, 0, -1}};
  return offsets;
}

TEST(TouchedParts, APartGoesOnceEveryBlockThatWasOnItsWayIsWhole) {
  TouchedParts touched;
  const TouchedPart part{"touched_posts", "all_1_1_0", 1};
  EXPECT_THAT(touched.Note({part}, OffsetsOf(5, 9)), IsEmpty()) << "a block may be on its way";
  EXPECT_THAT(touched.Note({part}, OffsetsOf(5, 20)), IsEmpty()) << "and still be";
  EXPECT_THAT(touched.Note({part}, OffsetsOf(6, 20)), ElementsAre(part));
  EXPECT_THAT(touched.Note({part}, OffsetsOf(7, 20)), ElementsAre(part)) << "it could not be dropped";
}

TEST(TouchedParts, WhereNothingIsOnItsWayAPartGoesAtOnce) {
  TouchedParts touched;
  const TouchedPart part{"touched_posts", "all_1_1_0", 1};
  EXPECT_THAT(touched.Note({part}, OffsetsOf(9, 9)), ElementsAre(part));
}

TEST(TouchedParts, APartThatHasMergedWaitsNoLongerThanItsLastPiece) {
  TouchedParts touched;
  const TouchedPart first{"touched_posts", "all_1_1_0", 1};
  const TouchedPart merged{"touched_posts", "all_1_2_1", 2};
  const TouchedPart later{"touched_posts", "all_1_3_2", 3};
  EXPECT_THAT(touched.Note({first, {"touched_posts", "all_2_2_0", 2}}, OffsetsOf(5, 9)), IsEmpty());
  EXPECT_THAT(touched.Note({merged}, OffsetsOf(6, 9)), ElementsAre(merged));
  EXPECT_THAT(touched.Note({later}, OffsetsOf(7, 9)), IsEmpty()) << "a piece of it was never listed before";
  EXPECT_THAT(touched.Note({later}, OffsetsOf(8, 9)), ElementsAre(later));
}

TEST(TouchedParts, AnEngineThatNumbersAnewIsNotMistaken) {
  TouchedParts touched;
  EXPECT_THAT(touched.Note({{"touched_posts", "all_7_7_0", 7}}, OffsetsOf(5, 9)), IsEmpty());
  touched.Forget();
  EXPECT_THAT(touched.Note({{"touched_posts", "all_1_1_0", 1}}, OffsetsOf(6, 9)), IsEmpty());
}

TEST(TouchedParts, AGroupThatHasNeverCommittedMayHaveABlockOnItsWay) {
  TouchedParts touched;
  const TouchedPart part{"touched_posts", "all_1_1_0", 1};
  EXPECT_THAT(touched.Note({part}, OffsetsOf(-1, 9)), IsEmpty());
  EXPECT_THAT(touched.Note({part}, OffsetsOf(-1, 9)), IsEmpty());
  EXPECT_THAT(touched.Note({part}, OffsetsOf(1, 9)), ElementsAre(part));
}

// --- The model. A message counts for a post; a block of messages is written as a part of touched_posts and as rows of
// the sets, in any order, and then committed; or it fails somewhere, and is landed again, cut elsewhere.

struct Place {
  std::size_t topic = 0;
  std::size_t partition = 0;
  std::int64_t offset = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Block {
  std::vector<Place> messages;
  std::vector<int> steps;  // 0: the part, 1: the sets, 2: the commit
  std::size_t done = 0;
  std::size_t fails_before = 9;
};
struct Round {
  int step = 0;
  std::vector<TouchedPart> listed;
  LandingOffsets offsets;
  std::vector<TouchedPart> done;
  std::set<int> posts;
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {
    for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
      posts_[topic].resize(topic == kEventsTopic ? 3 : 1);
      committed_[topic].assign(posts_[topic].size(), -1);
    }
  }

  // One step of whoever comes next.
  void Step(bool may_write) {
    const std::size_t who = Below(20);
    if (who < 3 && may_write) return Write();
    if (who < 5) return Merge();
    if (who < 12) return Land(Below(kLandingTopics.size()));
    Settle();
  }

  bool IsQuiet() const { return parts_.empty() && !round_ && Uncommitted() == 0; }
  std::size_t drops() const { return drops_; }

 private:
  std::size_t Below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

  void Write() {
    const std::size_t topic = Below(kLandingTopics.size());
    auto& partition = posts_[topic][Below(posts_[topic].size())];
    partition.push_back(static_cast<int>(Below(6)));
  }

  void Land(std::size_t topic) {
    if (!blocks_[topic]) return BeginBlock(topic);
    Block& block = *blocks_[topic];
    if (block.done == block.fails_before) {
      blocks_[topic].reset();  // nothing of it is committed
      return;
    }
    const int step = block.steps[block.done++];
    if (step == 0) {
      std::vector<int>& part = parts_[++part_count_];
      for (const Place& place : block.messages) part.push_back(PostOf(place));
    } else if (step == 1) {
      for (const Place& place : block.messages) sets_[PostOf(place)].insert(place);
    } else {
      for (const Place& place : block.messages) committed_[topic][place.partition] = place.offset + 1;
      blocks_[topic].reset();
    }
  }

  void BeginBlock(std::size_t topic) {
    Block block;
    for (std::size_t partition = 0; partition < posts_[topic].size(); ++partition) {
      const std::int64_t begin = std::max<std::int64_t>(0, committed_[topic][partition]);
      const auto left = posts_[topic][partition].size() - static_cast<std::size_t>(begin);
      if (left == 0) continue;
      const auto count = static_cast<std::int64_t>(Below(std::min<std::size_t>(left, 4) + 1));
      for (std::int64_t i = 0; i < count; ++i) block.messages.push_back({topic, partition, begin + i});
    }
    if (block.messages.empty()) return;
    block.steps = Below(2) == 0 ? std::vector<int>{0, 1, 2} : std::vector<int>{1, 0, 2};
    if (Below(4) == 0) block.fails_before = Below(3);
    blocks_[topic] = std::move(block);
  }

  void Merge() {
    if (parts_.size() < 2) return;
    // Neighbours, as ClickHouse merges them.
    auto first = std::next(parts_.begin(), static_cast<std::ptrdiff_t>(Below(parts_.size() - 1)));
    const auto second = std::next(first);
    second->second.insert(second->second.end(), first->second.begin(), first->second.end());
    parts_.erase(first);
    ++merges_;  // gives it another name
    names_[second->first] = "merged_" + std::to_string(merges_);
  }

  // As LandingSettler does it, but with time between all that it does.
  void Settle() {
    if (!round_) round_.emplace();
    Round& round = *round_;
    switch (round.step++) {
      case 0:
        for (const auto& [number, posts] : parts_) round.listed.push_back({"touched_posts", NameOf(number), number});
        return;
      case 1:
        for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
          for (const std::int64_t committed : committed_[topic]) round.offsets[topic].push_back({0, 0, committed});
        }
        return;
      case 2:
        for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
          for (std::size_t i = 0; i < posts_[topic].size(); ++i) {
            round.offsets[topic][i].end = static_cast<std::int64_t>(posts_[topic][i].size());
          }
        }
        round.done = touched_.Note(round.listed, round.offsets);
        return;
      case 3:
        for (const auto& [number, posts] : parts_) round.posts.insert(posts.begin(), posts.end());
        return;
      case 4:
        for (const int post : round.posts) counted_[post] = sets_[post];
        return;
      case 5:
        for (const TouchedPart& part : round.done) {
          if (NameOf(part.max_block) == part.name) drops_ += parts_.erase(part.max_block);
        }
        return;
      default:
        CheckPosition(round.offsets);
        round_.reset();
    }
  }

  // What the position says now is counted: everything before the offsets that were read.
  void CheckPosition(const LandingOffsets& offsets) {
    for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
      for (std::size_t partition = 0; partition < offsets[topic].size(); ++partition) {
        for (std::int64_t offset = 0; offset < offsets[topic][partition].Landed(); ++offset) {
          const Place place{topic, partition, offset};
          ASSERT_TRUE(counted_[PostOf(place)].contains(place)) << topic << "/" << partition << "/" << offset;
        }
      }
    }
  }

  std::string NameOf(std::int64_t number) const {
    const auto merged = names_.find(number);
    return merged == names_.end() ? "all_" + std::to_string(number) : merged->second;
  }
  int PostOf(const Place& place) const {
    return posts_[place.topic][place.partition].at(static_cast<std::size_t>(place.offset));
  }
  std::size_t Uncommitted() const {
    std::size_t count = 0;
    for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
      for (std::size_t i = 0; i < posts_[topic].size(); ++i) {
        count += posts_[topic][i].size() - static_cast<std::size_t>(std::max<std::int64_t>(0, committed_[topic][i]));
      }
    }
    return count;
  }

  std::mt19937_64 random_;
  std::array<std::vector<std::vector<int>>, kLandingTopics.size()> posts_;  // by topic, partition and offset
  std::array<std::vector<std::int64_t>, kLandingTopics.size()> committed_;
  std::array<std::optional<Block>, kLandingTopics.size()> blocks_;
  std::map<std::int64_t, std::vector<int>> parts_;  // of touched_posts, by the last number in it
  std::map<std::int64_t, std::string> names_;       // of those that have merged
  std::map<int, std::set<Place>> sets_;             // by post
  std::map<int, std::set<Place>> counted_;
  std::optional<Round> round_;
  TouchedParts touched_;
  std::int64_t part_count_ = 0;
  std::size_t merges_ = 0;
  std::size_t drops_ = 0;
};

TEST(TouchedPartsProperty, NoRefreshIsLostHoweverLandingAndSettlingInterleave) {
  const std::uint64_t seed = TestSeed();
  std::size_t drops = 0;
  for (std::uint64_t round = 0; round < 300; ++round) {
    Model model(seed + round);
    for (int step = 0; step < 2000; ++step) model.Step(true);
    ASSERT_FALSE(HasFatalFailure()) << round;
    drops += model.drops();
    for (int step = 0; !model.IsQuiet(); ++step) {
      ASSERT_LT(step, 100'000) << "parts are kept for ever";
      model.Step(false);
    }
    ASSERT_FALSE(HasFatalFailure()) << round;
  }
  EXPECT_GT(drops, 100U) << "while rows land, too";
}

}  // namespace
}  // namespace novafeed
