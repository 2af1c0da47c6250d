#include "candidates/warehouse_suggestions.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>

#include "candidates/warehouse_rows.h"
#include "warehouse/sql.h"

namespace novafeed {
namespace {

// Statements name so many users at most: they travel in an address, whose length is bounded.
constexpr std::size_t kIdsAtOnce = 400;
constexpr std::size_t kPlaces = 256;  // bits of `places` in suggest_followed.sql
static_assert(kSuggestNeighbours + 1 <= kPlaces, "The viewer has a place, too.");

template <class T>
using ByUser = boost::unordered_flat_map<UserId, T, StrongIdHash<UserId>>;

// Some of the places in a list of users, as suggest_followed.sql gives them.
class Places {
 public:
  explicit Places(OlapRows* rows) {
    for (std::uint64_t& word : words_) word = rows->UInt64();
  }
  void Add(std::size_t place) { words_.at(place / 64) |= 1ULL << place % 64; }
  bool Has(std::size_t place) const { return (words_.at(place / 64) >> place % 64 & 1) != 0; }
  template <class F>
  void ForEach(F&& take) const {
    for (std::size_t word = 0; word < words_.size(); ++word) {
      for (std::uint64_t left = words_[word]; left != 0; left &= left - 1) {
        take(64 * word + static_cast<std::size_t>(std::countr_zero(left)));
      }
    }
  }

 private:
  std::array<std::uint64_t, kPlaces / 64> words_{};
};

struct Listed {
  std::int64_t followers;
  Places places;  // of those who follow them
};

struct Follow {
  UserId follower;
  UserId followee;
};

struct Followee {
  UserId id;
  TimeMs followed_at = 0;
};

// Somebody, and whom of those that were asked for they follow.
struct Lister {
  UserId id;
  std::int64_t followers = 0;
  std::int64_t following = 0;
  std::vector<UserId> followed;
};

std::string IdArray(std::span<const UserId> ids) {
  return OlapIdArray(ids, [](const UserId& id) { return id.value; });
}

// user_id, overlap_count, following; the viewer is the first.
Neighbourhood ReadNeighbours(OlapRows rows, UserId viewer) {
  Neighbourhood found;
  while (!rows.AtEnd()) {
    Neighbour neighbour;
    neighbour.id = UserId{rows.Id()};
    neighbour.overlap = rows.Int64();
    neighbour.following = rows.Int64();
    if (neighbour.id == viewer) {
      found.following = neighbour.following;
    } else {
      found.neighbours.push_back(neighbour);
    }
  }
  return found;
}

// candidate_id, followers, places.
ByUser<Listed> ReadListed(OlapRows rows) {
  ByUser<Listed> found;
  while (!rows.AtEnd()) {
    const UserId id{rows.Id()};
    const std::int64_t followers = rows.Int64();
    found.emplace(id, Listed{followers, Places(&rows)});
  }
  return found;
}

// follower_id, following_id.
std::vector<Follow> ReadFollows(OlapRows rows) {
  std::vector<Follow> found;
  while (!rows.AtEnd()) {
    Follow& follow = found.emplace_back();
    follow.follower = UserId{rows.Id()};
    follow.followee = UserId{rows.Id()};
  }
  return found;
}

// following_id, followed_ms.
std::vector<Followee> ReadFollowees(OlapRows rows) {
  std::vector<Followee> found;
  while (!rows.AtEnd()) {
    Followee& followee = found.emplace_back();
    followee.id = UserId{rows.Id()};
    followee.followed_at = rows.Int64();
  }
  return found;
}

// user_id, followers, following, followed_ids.
std::vector<Lister> ReadListers(OlapRows rows) {
  std::vector<Lister> found;
  while (!rows.AtEnd()) {
    Lister& lister = found.emplace_back();
    lister.id = UserId{rows.Id()};
    lister.followers = rows.Int64();
    lister.following = rows.Int64();
    for (std::size_t left = rows.ArraySize(); left > 0; --left) lister.followed.push_back(UserId{rows.Id()});
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

// The places whose lists are full: they hold the latest followees, and there may be others.
std::vector<std::size_t> FullLists(const ByUser<Listed>& listed, std::size_t lists) {
  std::vector<std::size_t> sizes(lists);
  for (const auto& [id, user] : listed) user.places.ForEach([&](std::size_t place) { ++sizes.at(place); });
  std::vector<std::size_t> full;
  for (std::size_t place = 0; place < lists; ++place) {
    if (sizes[place] >= kSuggestedByNeighbour) full.push_back(place);
  }
  return full;
}

// Without the viewer, whose place is the one behind those of the neighbours, and those whom the viewer follows.
FollowedUsers PickCandidates(const ByUser<Listed>& listed, UserId viewer, std::size_t neighbours) {
  FollowedUsers found;
  found.followed_by.resize(neighbours);
  for (const auto& [id, user] : listed) {
    if (id == viewer || user.places.Has(neighbours)) continue;
    const auto at = static_cast<std::uint32_t>(found.users.size());
    found.users.push_back({id, user.followers});
    user.places.ForEach([&](std::size_t place) { found.followed_by.at(place).push_back(at); });
  }
  return found;
}

// What is said of the suggested users, as it comes in.
class Facts {
 public:
  Facts(std::span<const UserId> users, const std::vector<Followee>& followees) : users_(users) {
    for (const UserId& user : users) of_[user] = {};
    for (const Followee& followee : followees) followed_at_[followee.id] = followee.followed_at;
  }

  // Those who are suggested and those whom the viewer follows.
  std::vector<UserId> Asked() const {
    std::vector<UserId> asked(users_.begin(), users_.end());
    for (const auto& [id, followed_at] : followed_at_) asked.push_back(id);
    return asked;
  }

  void Take(const Lister& lister) {
    if (const auto user = of_.find(lister.id); user != of_.end()) {
      user->second.facts.followers = lister.followers;
      user->second.facts.following = lister.following;
    }
    if (!followed_at_.contains(lister.id)) return;
    if (lister.following > static_cast<std::int64_t>(kSuggestedByNeighbour)) {
      beyond_their_lists_.push_back(lister.id);
      return;
    }
    for (const UserId& user : lister.followed) Take(Follow{lister.id, user});
  }
  // By one whom the viewer follows.
  void Take(const Follow& follow) {
    const auto user = of_.find(follow.followee);
    const auto follower = followed_at_.find(follow.follower);
    if (user != of_.end() && follower != followed_at_.end()) {
      user->second.mutual.push_back({follower->first, follower->second});
    }
  }
  void TakeInteractions(UserId user, std::int64_t count) {
    if (const auto found = of_.find(user); found != of_.end()) found->second.facts.interactions += count;
  }

  // Of whom the viewer follows, those whose lists do not name all whom they follow.
  const std::vector<UserId>& beyond_their_lists() const { return beyond_their_lists_; }

  std::vector<SuggestionFacts> InOrder() {
    std::vector<SuggestionFacts> facts;
    facts.reserve(users_.size());
    for (const UserId& user : users_) facts.push_back(Finish(&of_.at(user)));
    return facts;
  }

 private:
  struct Known {
    SuggestionFacts facts;
    std::vector<Followee> mutual;
  };

  static SuggestionFacts Finish(Known* known) {
    std::vector<Followee>& mutual = known->mutual;
    SuggestionFacts facts = known->facts;
    facts.mutual_followers = static_cast<std::int64_t>(mutual.size());
    const auto named = mutual.begin() + static_cast<std::ptrdiff_t>(std::min(kSuggestReasons, mutual.size()));
    std::partial_sort(mutual.begin(), named, mutual.end(), [](const Followee& a, const Followee& b) {
      return a.followed_at != b.followed_at ? a.followed_at > b.followed_at : a.id < b.id;
    });
    for (auto one = mutual.begin(); one != named; ++one) facts.mutual.push_back(one->id);
    return facts;
  }

  std::span<const UserId> users_;
  ByUser<Known> of_;
  ByUser<TimeMs> followed_at_;
  std::vector<UserId> beyond_their_lists_;
};

}  // namespace

template <class Read>
auto WarehouseSuggestions::Ask(std::string_view statement, const OlapParams& params, Read read) const {
  auto found = ReadOlapRows(olap_->Query(WarehouseSql(statement), params, ReadingCall(deadline_)), read);
  if (!found) found = WarehouseUnavailable(found.error());
  return found;
}

template <class Read, class Take>
Status WarehouseSuggestions::AskOf(std::string_view statement, std::span<const UserId> followers,
                                   std::span<const UserId> users, Read read, Take take) const {
  for (std::size_t first = 0; first < followers.size(); first += kIdsAtOnce) {
    const std::span some = followers.subspan(first, std::min(kIdsAtOnce, followers.size() - first));
    const auto rows = Ask(statement, {{"followers", IdArray(some)}, {"users", IdArray(users)}}, read);
    if (!rows) return tl::unexpected<Error>(rows.error());
    for (const auto& row : *rows) take(row);
  }
  return {};
}

Result<Neighbourhood> WarehouseSuggestions::FindNeighbours(UserId viewer) {
  return Ask("suggest_neighbours", {{"viewer", viewer.ToString()}},
             [&](OlapRows rows) { return ReadNeighbours(std::move(rows), viewer); });
}

Result<FollowedUsers> WarehouseSuggestions::FindFollowed(UserId viewer, std::span<const UserId> neighbours) {
  std::vector<UserId> users(neighbours.begin(), neighbours.end());
  users.push_back(viewer);
  Result<ByUser<Listed>> listed = Ask("suggest_followed", {{"users", IdArray(users)}}, ReadListed);
  if (!listed) return tl::unexpected<Error>(listed.error());

  ByUser<std::size_t> places;
  std::vector<UserId> beyond_their_lists;
  for (const std::size_t place : FullLists(*listed, users.size())) {
    places[users[place]] = place;
    beyond_their_lists.push_back(users[place]);
  }
  if (!beyond_their_lists.empty()) {
    const auto all = Ask("suggest_all_followed", {{"users", IdArray(beyond_their_lists)}}, ReadFollows);
    if (!all) return tl::unexpected<Error>(all.error());
    for (const Follow& follow : *all) {
      const auto user = listed->find(follow.followee);
      if (user != listed->end()) user->second.places.Add(places.at(follow.follower));
    }
  }
  return PickCandidates(*listed, viewer, neighbours.size());
}

Result<std::vector<FollowedUser>> WarehouseSuggestions::FindMostFollowed(UserId viewer, std::size_t limit) {
  return Ask("suggest_most_followed", {{"viewer", viewer.ToString()}, {"limit", std::to_string(limit)}},
             ReadMostFollowed);
}

Result<std::vector<SuggestionFacts>> WarehouseSuggestions::Describe(UserId viewer, std::span<const UserId> users,
                                                                    std::span<const UserId> neighbours, TimeMs as_of) {
  if (users.empty()) return std::vector<SuggestionFacts>();
  // The longest of the statements, so it runs beside the others, and each half of the neighbours beside the other: an
  // interaction is one user's.
  const auto interactions_with = [&](std::span<const UserId> some) {
    OlapParams params{{"neighbours", IdArray(some)}, {"users", IdArray(users)}, {"as_of", std::to_string(as_of)}};
    return std::async(std::launch::async, [this, params = std::move(params)] {
      return Ask("suggest_interactions", params, ReadInteractions);
    });
  };
  const std::size_t half = neighbours.size() / 2;
  std::array interactions{interactions_with(neighbours.first(half)), interactions_with(neighbours.subspan(half))};
  const auto followees = Ask("suggest_followees", {{"viewer", viewer.ToString()}}, ReadFollowees);
  if (!followees) return tl::unexpected<Error>(followees.error());
  Facts facts(users, *followees);
  const auto take = [&](const auto& one) { facts.Take(one); };
  if (Status done = AskOf("suggest_details", facts.Asked(), users, ReadListers, take); !done) {
    return tl::unexpected<Error>(done.error());
  }
  const std::vector<UserId> beyond_their_lists = facts.beyond_their_lists();
  if (Status done = AskOf("suggest_mutual", beyond_their_lists, users, ReadFollows, take); !done) {
    return tl::unexpected<Error>(done.error());
  }

  for (auto& asked : interactions) {
    const auto given = asked.get();
    if (!given) return tl::unexpected<Error>(given.error());
    for (const auto& [user, count] : *given) facts.TakeInteractions(user, count);
  }
  return facts.InOrder();
}

}  // namespace novafeed
