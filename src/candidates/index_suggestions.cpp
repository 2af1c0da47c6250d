#include "candidates/index_suggestions.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

#include "candidates/candidates.h"
#include "index/state.h"

namespace novafeed {
namespace {

// Where a list of so many times the length of another is searched, and not walked.
constexpr std::size_t kSearchedFrom = 8;

std::int64_t CountOf(const std::vector<UserRef>& refs) {
  return static_cast<std::int64_t>(refs.size());
}

// Calls take(ref) for each that is in both; both ascend.
template <class F>
void ForEachCommon(std::span<const UserRef> few, std::span<const UserRef> many, F&& take) {
  if (few.size() > many.size()) std::swap(few, many);
  const bool search = many.size() / kSearchedFrom > few.size();
  auto at = many.begin();
  for (const UserRef ref : few) {
    if (search) {
      at = std::lower_bound(at, many.end(), ref);
    } else {
      while (at != many.end() && *at < ref) ++at;
    }
    if (at == many.end()) return;
    if (*at == ref) take(ref);
  }
}

// One viewer in one state of the index.
class Surroundings {
 public:
  Surroundings(const IndexState& state, UserId viewer) : state_(state) {
    const auto found = state.user_refs.find(viewer);
    if (found == state.user_refs.end()) return;
    is_known_ = true;
    viewer_ = found->second;
  }

  Neighbourhood FindNeighbours() const {
    Neighbourhood found;
    if (!is_known_) return found;
    found.following = CountOf(state_.users[viewer_].following);
    std::vector<std::uint16_t> overlaps(state_.users.size());
    static_assert(kSuggestFollowees <= UINT16_MAX);
    std::vector<UserRef> touched;
    for (const UserRef followee : state_.LatestFollowing(viewer_, kSuggestFollowees)) {
      for (const UserRef user : state_.LatestFollowers(followee, kSuggestFollowers)) {
        if (overlaps[user]++ == 0) touched.push_back(user);
      }
    }
    found.neighbours.reserve(touched.size());
    for (const UserRef user : touched) {
      if (user == viewer_) continue;
      const UserSlot& slot = state_.users[user];
      found.neighbours.push_back({slot.id, overlaps[user], CountOf(slot.following)});
    }
    return found;
  }

  FollowedUsers FindFollowed(std::span<const UserId> neighbours) const {
    const std::vector<UserRef> refs = RefsOf(neighbours);
    const std::vector<UserRef> candidates = CandidatesOf(refs);
    FollowedUsers found;
    found.users.reserve(candidates.size());
    boost::unordered_flat_map<UserRef, std::uint32_t> places;
    places.reserve(candidates.size());
    for (const UserRef candidate : candidates) {
      places.emplace(candidate, static_cast<std::uint32_t>(found.users.size()));
      const UserSlot& slot = state_.users[candidate];
      found.users.push_back({slot.id, CountOf(slot.followers)});
    }
    found.followed_by.resize(neighbours.size());
    for (std::size_t i = 0; i < refs.size(); ++i) {
      if (refs[i] == kNobody) continue;
      ForEachCommon(state_.users[refs[i]].following, candidates,
                    [&](UserRef candidate) { found.followed_by[i].push_back(places.at(candidate)); });
    }
    return found;
  }

  std::vector<FollowedUser> FindMostFollowed(std::size_t limit) const {
    std::vector<FollowedUser> found;
    state_.popularity.WalkGroups([&](std::span<const UserRef> group) {
      const auto first = static_cast<std::ptrdiff_t>(found.size());
      for (const UserRef user : group) {
        const UserSlot& slot = state_.users[user];
        if (slot.known && MayBeSuggested(user)) found.push_back({slot.id, CountOf(slot.followers)});
      }
      const auto kept = static_cast<std::ptrdiff_t>(std::min(limit, found.size()));
      std::partial_sort(found.begin() + first, found.begin() + kept, found.end(),
                        [](const FollowedUser& a, const FollowedUser& b) { return a.id < b.id; });
      found.resize(static_cast<std::size_t>(kept));
      return found.size() < limit;
    });
    return found;
  }

  std::vector<SuggestionFacts> Describe(std::span<const UserId> users, std::span<const UserId> neighbours,
                                        TimeMs as_of) const {
    const std::vector<UserRef> near = RefsOf(neighbours);
    std::vector<SuggestionFacts> described;
    described.reserve(users.size());
    for (const UserRef user : RefsOf(users)) {
      SuggestionFacts& facts = described.emplace_back();
      if (user == kNobody) continue;
      const UserSlot& slot = state_.users[user];
      facts.followers = CountOf(slot.followers);
      facts.following = CountOf(slot.following);
      NoteMutual(user, &facts);
      for (const UserRef neighbour : near) {
        if (neighbour != kNobody) facts.interactions += InteractionsOf(neighbour, user, as_of);
      }
    }
    return described;
  }

 private:
  static constexpr UserRef kNobody = UINT32_MAX;

  std::vector<UserRef> RefsOf(std::span<const UserId> ids) const {
    std::vector<UserRef> refs;
    refs.reserve(ids.size());
    for (const UserId& id : ids) {
      const auto found = state_.user_refs.find(id);
      refs.push_back(found == state_.user_refs.end() ? kNobody : found->second);
    }
    return refs;
  }

  bool MayBeSuggested(UserRef user) const { return !is_known_ || (user != viewer_ && !state_.Follows(viewer_, user)); }

  // Ascending.
  std::vector<UserRef> CandidatesOf(const std::vector<UserRef>& neighbours) const {
    std::vector<UserRef> candidates;
    for (const UserRef neighbour : neighbours) {
      if (neighbour == kNobody) continue;
      const std::vector<UserRef> latest = state_.LatestFollowing(neighbour, kSuggestedByNeighbour);
      candidates.insert(candidates.end(), latest.begin(), latest.end());
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    std::erase_if(candidates, [this](UserRef user) { return !MayBeSuggested(user); });
    return candidates;
  }

  void NoteMutual(UserRef user, SuggestionFacts* facts) const {
    if (!is_known_) return;
    std::vector<UserRef> mutual = MutualWith(user);
    facts->mutual_followers = CountOf(mutual);
    const auto named = static_cast<std::ptrdiff_t>(std::min(kSuggestReasons, mutual.size()));
    std::partial_sort(mutual.begin(), mutual.begin() + named, mutual.end(),
                      [this](UserRef a, UserRef b) { return state_.FollowedLater(viewer_, a, b); });
    for (auto one = mutual.begin(); one != mutual.begin() + named; ++one) {
      facts->mutual.push_back(state_.users[*one].id);
    }
  }

  // Whom the viewer follows and who follow `user`, from the shorter of the two lists.
  std::vector<UserRef> MutualWith(UserRef user) const {
    const std::vector<UserRef>& followed = state_.users[viewer_].following;
    const std::vector<UserRef>& followers = state_.users[user].followers;
    std::vector<UserRef> mutual;
    if (followed.size() < followers.size()) {
      std::ranges::copy_if(followed, std::back_inserter(mutual),
                           [&](UserRef one) { return state_.Follows(one, user); });
    } else {
      std::ranges::copy_if(followers, std::back_inserter(mutual),
                           [&](UserRef one) { return state_.Follows(viewer_, one); });
    }
    return mutual;
  }

  std::int64_t InteractionsOf(UserRef user, UserRef author, TimeMs as_of) const {
    const std::int64_t last_day = DayOf(as_of);
    const std::vector<DayInteractions>& given = state_.users[user].interactions;
    auto entry = std::ranges::lower_bound(given, author, {}, &DayInteractions::author);
    std::int64_t sum = 0;
    for (; entry != given.end() && entry->author == author; ++entry) {
      if (entry->day <= last_day && entry->day > last_day - kInteractionDays) sum += entry->count;
    }
    return sum;
  }

  const IndexState& state_;
  bool is_known_ = false;  // to the index, if only by name
  UserRef viewer_ = 0;
};

}  // namespace

Result<Neighbourhood> IndexSuggestions::FindNeighbours(UserId viewer) {
  return index_->Read([&](const IndexState& state) { return Surroundings(state, viewer).FindNeighbours(); });
}

Result<FollowedUsers> IndexSuggestions::FindFollowed(UserId viewer, std::span<const UserId> neighbours) {
  return index_->Read([&](const IndexState& state) { return Surroundings(state, viewer).FindFollowed(neighbours); });
}

Result<std::vector<FollowedUser>> IndexSuggestions::FindMostFollowed(UserId viewer, std::size_t limit) {
  return index_->Read([&](const IndexState& state) { return Surroundings(state, viewer).FindMostFollowed(limit); });
}

Result<std::vector<SuggestionFacts>> IndexSuggestions::Describe(UserId viewer, std::span<const UserId> users,
                                                                std::span<const UserId> neighbours, TimeMs as_of) {
  return index_->Read(
      [&](const IndexState& state) { return Surroundings(state, viewer).Describe(users, neighbours, as_of); });
}

}  // namespace novafeed
