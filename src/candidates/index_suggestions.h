// Suggestions from the in-memory index: exact, each step one consistent read of a few milliseconds.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "candidates/suggestions.h"
#include "index/feed_index.h"

namespace novafeed {

// Thread-safe; holds nothing of its own.
class IndexSuggestions final : public SuggestionEngine {
 public:
  // `index` outlives the engine.
  explicit IndexSuggestions(const FeedIndex* index) : index_(index) {}

  std::string_view Name() const override { return "index"; }
  Result<Neighbourhood> FindNeighbours(UserId viewer) override;
  Result<FollowedUsers> FindFollowed(UserId viewer, std::span<const UserId> neighbours) override;
  Result<std::vector<FollowedUser>> FindMostFollowed(UserId viewer, std::size_t limit) override;
  Result<std::vector<SuggestionFacts>> Describe(UserId viewer, std::span<const UserId> users,
                                                std::span<const UserId> neighbours, TimeMs as_of) override;

 private:
  const FeedIndex* index_;
};

}  // namespace novafeed
