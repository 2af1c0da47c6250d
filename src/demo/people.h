// The people of a demo network: how they are called, what they talk about, how well known and how busy they are. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "demo/random.h"
#include "social/ids.h"

namespace novafeed {

struct DemoPerson {
  ParsedId id;  // external: "demo-<handle>"
  std::string handle;
  std::string name;
  std::size_t topic = 0;  // index in Topics()
  double fame = 1;        // weight as somebody to follow; a power law
  double diligence = 1;   // weight as somebody who does something
  double joined = 0;      // when on the network's first day, from 0 to 1
};

// How much of what people write is about another topic than theirs.
inline constexpr double kOffTopic = 0.12;

// Of one reader to one author, before others have as many. One more to a single author than to any other would put all
// of that author's posts of the month above everybody else's: affinity is the greatest part of a score.
inline constexpr int kMostReactions = 2;

inline constexpr std::size_t kFewestDemoUsers = 10;   // one of each topic, and somebody to talk to
inline constexpr std::size_t kMostDemoUsers = 1'500;  // there are only so many names

// The first draws of a network's seed are its people: who has the seed knows them all, and the first of more people
// are those of fewer.
std::vector<DemoPerson> MakeDemoPeople(DemoRandom* random, std::size_t count);

// Draws indices in proportion to fixed weights.
class WeightedDraw {
 public:
  void Add(double weight) { sums_.push_back((sums_.empty() ? 0.0 : sums_.back()) + weight); }
  std::size_t Draw(DemoRandom* random) const {
    const auto found = std::ranges::upper_bound(sums_, random->Unit() * sums_.back());
    return static_cast<std::size_t>(std::min(found, sums_.end() - 1) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

}  // namespace novafeed
