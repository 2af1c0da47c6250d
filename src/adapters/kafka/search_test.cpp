#include "adapters/kafka/search.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/test_support.h"

namespace novafeed::kafka {
namespace {

// '.' lies before the point, '#' behind it, '?' cannot be used.
std::int64_t Find(const std::string& topic, std::int64_t first = 0) {
  return FindStart(first, std::ssize(topic), [&](std::int64_t from, std::int64_t until) -> std::optional<Found> {
    EXPECT_GE(from, first);
    EXPECT_LE(until, std::ssize(topic));
    const std::size_t at = topic.find_first_of(".#", from);
    if (at == topic.npos || std::cmp_greater_equal(at, until)) return std::nullopt;
    return Found{static_cast<std::int64_t>(at), topic[at] == '#'};
  });
}

TEST(FindStart, IsWhereWhatLiesBehindBegins) {
  EXPECT_EQ(Find(""), 0);
  EXPECT_EQ(Find("...###"), 3);
  EXPECT_EQ(Find("######"), 0);
  EXPECT_EQ(Find("......"), 6);
  EXPECT_EQ(Find("......##", 2), 6);
  EXPECT_EQ(Find("########", 2), 2);
}

TEST(FindStart, PassesOverWhatCannotBeUsed) {
  EXPECT_LE(Find("..???##"), 5);
  EXPECT_GE(Find("..???##"), 2);
  EXPECT_EQ(Find("???"), 0);
  EXPECT_EQ(Find("?????."), 6);
}

// A topic is a connector's way through what is before and behind, with jumps back: nothing behind is missed.
TEST(FindStart, AfterRepeatedStretchesNothingIsMissed) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 2000; ++round) {
    std::vector<int> numbers;
    const int last = static_cast<int>(random() % 50);
    for (int at = 0; at <= last; ++at) {
      numbers.push_back(at);
      if (random() % 8 == 0) at = std::max(-1, at - static_cast<int>(random() % 10));
    }
    const int point = static_cast<int>(random() % 50);
    std::string topic;
    for (const int number : numbers) topic += random() % 9 == 0 ? '?' : number > point ? '#' : '.';
    const std::int64_t start = Find(topic);
    std::vector<bool> found(51);
    for (std::size_t i = start; i < numbers.size(); ++i) found[numbers[i]] = true;
    for (int number = point + 1; number <= last; ++number) EXPECT_TRUE(found[number]) << topic << " " << number;
  }
}

}  // namespace
}  // namespace novafeed::kafka
