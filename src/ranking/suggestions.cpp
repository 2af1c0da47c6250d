#include "ranking/suggestions.h"

#include <cmath>

#include "ranking/keep_best.h"

namespace novafeed {

std::vector<RankedNeighbour> RankNeighbours(const Neighbourhood& found) {
  std::vector<RankedNeighbour> neighbours;
  neighbours.reserve(found.neighbours.size());
  for (const Neighbour& one : found.neighbours) {
    const double product = static_cast<double>(found.following) * static_cast<double>(one.following);
    neighbours.push_back({one.id, static_cast<double>(one.overlap) / std::sqrt(product)});
  }
  KeepBest(&neighbours, kSuggestNeighbours, [](const RankedNeighbour& a, const RankedNeighbour& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.id < b.id;
  });
  return neighbours;
}

std::vector<RankedUser> RankSuggestions(std::span<const RankedNeighbour> neighbours, const FollowedUsers& followed,
                                        const UserSet& dismissed, std::size_t limit) {
  std::vector<RankedUser> ranked;
  std::vector<double> divisors;
  ranked.reserve(followed.users.size());
  divisors.reserve(followed.users.size());
  for (const FollowedUser& user : followed.users) {
    ranked.push_back({user.id, 0});
    divisors.push_back(std::log2(2.0 + static_cast<double>(user.followers)));
  }
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    for (const std::uint32_t place : followed.followed_by[i]) {
      ranked[place].score += neighbours[i].similarity / divisors[place];
    }
  }
  std::erase_if(ranked, [&](const RankedUser& user) { return dismissed.contains(user.id); });
  KeepBest(&ranked, limit, [](const RankedUser& a, const RankedUser& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  return ranked;
}

double AffinityScore(std::int64_t interactions) {
  constexpr double kDigits = 10'000;
  return std::round(std::log1p(static_cast<double>(interactions)) * kDigits) / kDigits;
}

}  // namespace novafeed
