// Suggestions from the warehouse: the statements of warehouse/sql/suggest_*.sql.
#pragma once

#include <chrono>
#include <span>
#include <string_view>
#include <vector>

#include "candidates/suggestions.h"
#include "warehouse/olap.h"

namespace novafeed {

// Thread-safe; blocking, so it is called from a pool of its caller's. Each step sees at least what was applied before
// it was asked. Errors: kUnavailable "warehouse_unavailable".
class WarehouseSuggestions final : public SuggestionEngine {
 public:
  // `deadline` is that of each statement; `olap` outlives the engine.
  WarehouseSuggestions(Olap* olap, std::chrono::milliseconds deadline) : olap_(olap), deadline_(deadline) {}

  std::string_view Name() const override { return "warehouse"; }
  Result<Neighbourhood> FindNeighbours(UserId viewer) override;
  Result<FollowedUsers> FindFollowed(UserId viewer, std::span<const UserId> neighbours) override;
  Result<std::vector<FollowedUser>> FindMostFollowed(UserId viewer, std::size_t limit) override;
  Result<std::vector<SuggestionFacts>> Describe(UserId viewer, std::span<const UserId> users,
                                                std::span<const UserId> neighbours, TimeMs as_of) override;

 private:
  // `read` makes of the rows what is asked for.
  template <class Read>
  auto Ask(std::string_view statement, const OlapParams& params, Read read) const;

  // A statement about `followers` and whom of `users` they follow, for so many of the former as an address holds at a
  // time; `take` is called with each row.
  template <class Read, class Take>
  Status AskOf(std::string_view statement, std::span<const UserId> followers, std::span<const UserId> users, Read read,
               Take take) const;

  Olap* const olap_;
  const std::chrono::milliseconds deadline_;
};

}  // namespace novafeed
