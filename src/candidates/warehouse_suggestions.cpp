#include "candidates/warehouse_suggestions.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "candidates/warehouse_rows.h"
#include "warehouse/sql.h"

namespace novafeed {
namespace {

std::string IdArray(std::span<const UserId> ids) {
  return OlapIdArray(ids, [](const UserId& id) { return id.value; });
}

// neighbour_id, overlap_count, following, viewer_following.
Neighbourhood ReadNeighbours(OlapRows rows) {
  Neighbourhood found;
  while (!rows.AtEnd()) {
    Neighbour& neighbour = found.neighbours.emplace_back();
    neighbour.id = UserId{rows.Id()};
    neighbour.overlap = rows.Int64();
    neighbour.following = rows.Int64();
    found.following = rows.Int64();
  }
  return found;
}

// candidate_id, followers, places.
FollowedUsers ReadFollowed(OlapRows rows, std::size_t neighbours) {
  FollowedUsers found;
  found.followed_by.resize(neighbours);
  while (!rows.AtEnd()) {
    const auto place = static_cast<std::uint32_t>(found.users.size());
    FollowedUser& user = found.users.emplace_back();
    user.id = UserId{rows.Id()};
    user.followers = rows.Int64();
    for (std::size_t left = rows.ArraySize(); left > 0; --left) found.followed_by.at(rows.UInt16()).push_back(place);
  }
  return found;
}

// user_id, follower_count.
std::vector<FollowedUser> ReadMostFollowed(OlapRows rows) {
  std::vector<FollowedUser> found;
  while (!rows.AtEnd()) {
    FollowedUser& user = found.emplace_back();
    user.id = UserId{rows.Id()};
    user.followers = rows.Int64();
  }
  return found;
}

// suggested_id, follower_count, following_count, mutual_count, mutual_ids, interaction_count; in any order.
std::vector<SuggestionFacts> ReadDetails(OlapRows rows, std::span<const UserId> users) {
  boost::unordered_flat_map<UserId, SuggestionFacts, StrongIdHash<UserId>> by_user;
  while (!rows.AtEnd()) {
    SuggestionFacts& facts = by_user[UserId{rows.Id()}];
    facts.followers = rows.Int64();
    facts.following = rows.Int64();
    facts.mutual_followers = rows.Int64();
    for (std::size_t left = rows.ArraySize(); left > 0; --left) facts.mutual.push_back(UserId{rows.Id()});
    facts.interactions = rows.Int64();
  }
  std::vector<SuggestionFacts> described;
  described.reserve(users.size());
  for (const UserId& user : users) described.push_back(std::move(by_user[user]));
  return described;
}

}  // namespace

template <class Read>
auto WarehouseSuggestions::Ask(std::string_view statement, const OlapParams& params, Read read) const {
  auto found = ReadOlapRows(olap_->Query(WarehouseSql(statement), params, ReadingCall(deadline_)), read);
  if (!found) found = WarehouseUnavailable(found.error());
  return found;
}

Result<Neighbourhood> WarehouseSuggestions::FindNeighbours(UserId viewer) {
  return Ask("suggest_neighbours", {{"viewer", viewer.ToString()}}, ReadNeighbours);
}

Result<FollowedUsers> WarehouseSuggestions::FindFollowed(UserId viewer, std::span<const UserId> neighbours) {
  return Ask("suggest_followed", {{"viewer", viewer.ToString()}, {"neighbours", IdArray(neighbours)}},
             [&](OlapRows rows) { return ReadFollowed(std::move(rows), neighbours.size()); });
}

Result<std::vector<FollowedUser>> WarehouseSuggestions::FindMostFollowed(UserId viewer, std::size_t limit) {
  return Ask("suggest_most_followed", {{"viewer", viewer.ToString()}, {"limit", std::to_string(limit)}},
             ReadMostFollowed);
}

Result<std::vector<SuggestionFacts>> WarehouseSuggestions::Describe(UserId viewer, std::span<const UserId> users,
                                                                    std::span<const UserId> neighbours, TimeMs as_of) {
  if (users.empty()) return std::vector<SuggestionFacts>();
  const OlapParams params{{"viewer", viewer.ToString()},
                          {"users", IdArray(users)},
                          {"neighbours", IdArray(neighbours)},
                          {"as_of", std::to_string(as_of)}};
  return Ask("suggest_details", params, [&](OlapRows rows) { return ReadDetails(std::move(rows), users); });
}

}  // namespace novafeed
