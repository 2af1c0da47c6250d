// Suggested users, to the digit (contract, section 1). Pure functions; IEEE doubles, no contraction.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "candidates/suggestions.h"
#include "social/ids.h"

namespace novafeed {

using UserSet = boost::unordered_flat_set<UserId, StrongIdHash<UserId>>;

struct RankedNeighbour {
  UserId id;
  double similarity = 0;  // overlap / sqrt(following of the viewer * following of the neighbour)
};

// The nearest kSuggestNeighbours: similarity descending, ties by id.
std::vector<RankedNeighbour> RankNeighbours(const Neighbourhood& found);

struct RankedUser {
  UserId id;
  double score = 0;
};

// The best `limit` without the dismissed: score descending, ties by id. A score is the sum over the neighbours who
// follow the user, in their order, of similarity / log2(2 + followers).
std::vector<RankedUser> RankSuggestions(std::span<const RankedNeighbour> neighbours, const FollowedUsers& followed,
                                        const UserSet& dismissed, std::size_t limit);

// round(log1p(interactions), 4).
double AffinityScore(std::int64_t interactions);

}  // namespace novafeed
