#include "check/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace novafeed {
namespace {

struct Fact {
  std::string key;
  Values values{};
  int sign = 1;
};

RelationSums SumsOf(const std::vector<Fact>& facts) {
  RelationSums sums;
  for (const Fact& fact : facts) sums.Add(fact.key, fact.values, fact.sign);
  return sums;
}

RelationEntries EntriesOf(const std::vector<Fact>& facts) {
  RelationEntries entries;
  for (const Fact& fact : facts) entries.Add(fact.key, fact.values, fact.sign);
  return entries;
}

std::vector<Fact> SomeFacts(int count) {
  std::vector<Fact> facts;
  for (int i = 0; i < count; ++i) {
    facts.push_back({"key " + std::to_string(i % (count / 2)), Values{static_cast<std::uint64_t>(i), 1}, 1});
  }
  return facts;
}

TEST(RelationSums, DoNotDependOnTheOrderOrOnHowFactsAreCut) {
  std::vector<Fact> facts = SomeFacts(1000);
  const RelationSums sums = SumsOf(facts);
  std::mt19937_64 random(1);
  std::shuffle(facts.begin(), facts.end(), random);
  EXPECT_TRUE(DifferingBuckets(sums, SumsOf(facts)).empty());
  // Two facts of a key are one with their sum.
  std::vector<Fact> merged;
  const RelationEntries entries = EntriesOf(facts);
  for (const auto& [key, values] : entries.entries()) merged.push_back({key, values, 1});
  EXPECT_LT(merged.size(), facts.size());
  EXPECT_TRUE(DifferingBuckets(sums, SumsOf(merged)).empty());
}

TEST(RelationSums, ForgetWhatIsTakenBack) {
  std::vector<Fact> facts = SomeFacts(100);
  const RelationSums sums = SumsOf(facts);
  facts.push_back({"another", Values{7, 7}, 1});
  EXPECT_EQ(DifferingBuckets(sums, SumsOf(facts)),
            std::vector<std::uint16_t>{static_cast<std::uint16_t>(BucketOf("another"))});
  facts.push_back({"another", Values{7, 7}, -1});
  EXPECT_TRUE(DifferingBuckets(sums, SumsOf(facts)).empty());
  EXPECT_EQ(SumsOf(facts).Facts(), 100);
}

TEST(RelationSums, DifferWhereOneValueMovesToAnotherColumnOrKey) {
  const std::vector<Fact> facts = SomeFacts(100);
  for (std::size_t column = 1; column < kMaxValues; ++column) {
    std::vector<Fact> moved = facts;
    --moved[5].values[0];
    ++moved[5].values[column];
    EXPECT_EQ(DifferingBuckets(SumsOf(facts), SumsOf(moved)).size(), 1U) << column;
  }
  std::vector<Fact> other = facts;
  std::swap(other[5].key, other[6].key);
  EXPECT_FALSE(DifferingBuckets(SumsOf(facts), SumsOf(other)).empty());
}

TEST(CompareEntries, TellsMissingExtraAndDifferentApart) {
  const RelationEntries expected = EntriesOf({{"a", {1}, 1}, {"b", {2}, 1}, {"c", {3}, 1}, {"d", {1}, 1}});
  const RelationEntries found = EntriesOf({{"b", {2}, 1}, {"c", {4}, 1}, {"d", {1}, 1}, {"d", {1}, -1}, {"e", {5}, 1}});
  const std::vector<Difference> differences = CompareEntries(expected, found);
  std::vector<std::string> texts;
  for (const Difference& difference : differences) {
    texts.push_back(std::string(DifferenceName(difference.kind)) + " " + difference.key);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"missing a", "different c", "missing d", "extra e"}));
  EXPECT_EQ(differences[1].expected[0], 3U);
  EXPECT_EQ(differences[1].found[0], 4U);
}

TEST(Difference, NamesKeysAndCounts) {
  Uuid author;
  author.bytes[15] = 1;
  Uuid post;
  post.bytes[15] = 2;
  const FactKey key = FactKey().Add(author).Add(std::int64_t{1'700'000'000'123}).Add(post);
  EXPECT_EQ(DescribeKey(Relation::kPostTotals, key.bytes()),
            "author_id=00000000-0000-0000-0000-000000000001 created_at=2023-11-14T22:13:20.123Z "
            "post_id=00000000-0000-0000-0000-000000000002");
  const Difference difference{DifferenceKind::kDifferent, std::string(key.bytes()), {3, 0, 1}, {2, 0, 5}};
  EXPECT_EQ(DescribeDifference(Relation::kPostTotals, difference), "likes 2 instead of 3, shares 5 instead of 1");
  const Difference row{DifferenceKind::kDifferent, "", {3}, {2}};
  EXPECT_EQ(DescribeDifference(Relation::kUsers, row), "");
  EXPECT_EQ(DescribeKey(Relation::kIndexHours, FactKey().Add(post).Add(std::int64_t{472'222}).bytes()),
            "post_id=00000000-0000-0000-0000-000000000002 metric_hour=2023-11-14T22:00:00.000Z");
  EXPECT_EQ(DescribeKey(Relation::kInteractions, FactKey().Add(author).Add(post).Add(std::int64_t{19'675}).bytes()),
            "user_id=00000000-0000-0000-0000-000000000001 author_id=00000000-0000-0000-0000-000000000002 "
            "day=2023-11-14");
}

}  // namespace
}  // namespace novafeed
