#include "candidates/index_engine.h"

#include <algorithm>
#include <limits>
#include <queue>

#include "index/state.h"

namespace novafeed {
namespace {

// Interactions of the viewer by author, ascending by author.
struct AuthorInteractions {
  UserRef author = 0;
  std::int64_t count = 0;
};

// Reads one viewer's candidates from one state of the index.
class Finder {
 public:
  Finder(const IndexState& state, UserId viewer, TimeMs as_of)
      : state_(state), viewer_(state.FindUser(viewer)), viewer_id_(viewer), as_of_(as_of) {
    if (viewer_ != nullptr && !viewer_->known) viewer_ = nullptr;  // erased: their events must not rank for anybody
    SumInteractions();
  }

  std::vector<Candidate> Follow() const {
    std::vector<Candidate> found;
    if (viewer_ == nullptr) return found;
    auto known = interactions_.begin();  // both lists are ascending: walk them side by side
    for (const UserRef author : viewer_->following) {
      while (known != interactions_.end() && known->author < author) ++known;
      const bool has = known != interactions_.end() && known->author == author;
      TakePosts(author, as_of_ - kFollowWindow, has ? known->count : 0, Source::kFollow, &found);
    }
    return found;
  }

  std::vector<Candidate> Trending(const TrendingList& list) const {
    std::vector<Candidate> found;
    found.reserve(list.posts.size());
    for (const TrendingPost& trending : list.posts) TakePost(trending.id, Source::kTrending, &found);
    return found;
  }

  std::vector<Candidate> Posts(const std::vector<Candidate>& posts) const {
    std::vector<Candidate> found;
    found.reserve(posts.size());
    for (const Candidate& post : posts) TakePost(post.id, post.source, &found);
    return found;
  }

  std::vector<Candidate> Affinity() const {
    std::vector<Candidate> found;
    for (const AuthorInteractions& entry : interactions_) {
      TakePosts(entry.author, as_of_ - kPostWindow, entry.count, Source::kAffinity, &found);
    }
    return found;
  }

  // The newest posts that the viewer may see: as many as can be needed beside fewer than kFallbackBelow others.
  std::vector<Candidate> Newest() const {
    constexpr std::size_t kEnough = std::min(kFallbackNewest, 2 * kFallbackBelow);
    std::vector<Candidate> found;
    auto hour = state_.posts_by_hour.upper_bound(HourOf(as_of_));
    while (hour != state_.posts_by_hour.begin() && found.size() < kEnough) {
      --hour;
      for (auto ref = hour->second.rbegin(); ref != hour->second.rend() && found.size() < kEnough; ++ref) {
        const PostSlot& post = state_.posts[*ref];
        if (post.created_at > as_of_ || IsOwn(post)) continue;
        found.push_back(MakeCandidate(post, InteractionsWith(post.author), Source::kFallback));
      }
    }
    return found;
  }

  std::vector<Candidate> Following(const FollowingQuery& query) const;

 private:
  void SumInteractions() {
    if (viewer_ == nullptr) return;
    const std::int64_t last_day = DayOf(as_of_);
    for (const DayInteractions& given : viewer_->interactions) {
      if (given.day > last_day || given.day <= last_day - kInteractionDays) continue;
      if (interactions_.empty() || interactions_.back().author != given.author) {
        interactions_.push_back(AuthorInteractions{given.author, 0});
      }
      interactions_.back().count += given.count;
    }
  }

  std::int64_t InteractionsWith(UserRef author) const {
    const auto before = [](const AuthorInteractions& entry, UserRef wanted) { return entry.author < wanted; };
    const auto found = std::lower_bound(interactions_.begin(), interactions_.end(), author, before);
    return found != interactions_.end() && found->author == author ? found->count : 0;
  }

  bool IsOwn(const PostSlot& post) const { return state_.users[post.author].id == viewer_id_; }

  Candidate MakeCandidate(const PostSlot& post, std::int64_t interactions, Source source) const {
    Candidate candidate;
    candidate.id = post.id;
    candidate.author = state_.users[post.author].id;
    candidate.created_at = post.created_at;
    candidate.counters = Counters{post.likes, post.comments, post.shares, post.impressions};
    candidate.interactions = interactions;
    candidate.source = source;
    return candidate;
  }

  // The post, where it is there and the viewer may see it.
  void TakePost(const PostId& id, Source source, std::vector<Candidate>* found) const {
    const PostSlot* post = state_.FindPost(id);
    if (post == nullptr || !post->live() || post->created_at > as_of_ || IsOwn(*post)) return;
    found->push_back(MakeCandidate(*post, InteractionsWith(post->author), source));
  }

  // Posts of the author in (after, as_of].
  void TakePosts(UserRef author, TimeMs after, std::int64_t interactions, Source source,
                 std::vector<Candidate>* found) const {
    if (&state_.users[author] == viewer_) return;
    const std::vector<PostRef>& posts = state_.users[author].posts;
    for (auto ref = posts.rbegin(); ref != posts.rend(); ++ref) {
      const PostSlot& post = state_.posts[*ref];
      if (post.created_at <= after) break;
      if (post.created_at > as_of_) continue;
      found->push_back(MakeCandidate(post, interactions, source));
    }
  }

  const IndexState& state_;
  const UserSlot* viewer_;
  UserId viewer_id_;
  TimeMs as_of_;
  std::vector<AuthorInteractions> interactions_;
};

// Merges the followed authors' lists, newest first: a heap holds the next post of each author.
std::vector<Candidate> Finder::Following(const FollowingQuery& query) const {
  std::vector<Candidate> found;
  if (viewer_ == nullptr) return found;

  struct Head {
    UserRef author = 0;
    std::size_t left = 0;  // posts[left - 1] is the next one
  };
  const auto next_of = [this](const Head& head) { return state_.users[head.author].posts[head.left - 1]; };
  const auto is_older = [&](const Head& a, const Head& b) { return state_.OlderThan(next_of(a), next_of(b)); };
  std::priority_queue<Head, std::vector<Head>, decltype(is_older)> heads(is_older);

  const auto comes_later = [&](PostRef ref) {  // in the list, at or after the place where it goes on
    const PostSlot& post = state_.posts[ref];
    if (post.created_at > as_of_) return false;
    if (!query.after || post.created_at < query.after->first) return true;
    return post.created_at == query.after->first && query.after->second < post.id;
  };
  for (const UserRef author : viewer_->following) {
    const std::vector<PostRef>& posts = state_.users[author].posts;
    const auto end = std::partition_point(posts.begin(), posts.end(), comes_later);
    const auto left = static_cast<std::size_t>(end - posts.begin());
    if (left > 0 && state_.posts[posts[left - 1]].created_at > as_of_ - kPostWindow) heads.push(Head{author, left});
  }
  while (!heads.empty() && found.size() < query.limit) {
    Head head = heads.top();
    heads.pop();
    found.push_back(MakeCandidate(state_.posts[next_of(head)], InteractionsWith(head.author), Source::kFollow));
    --head.left;
    if (head.left > 0 && state_.posts[next_of(head)].created_at > as_of_ - kPostWindow) heads.push(head);
  }
  return found;
}

}  // namespace

Result<CandidateSet> IndexEngine::Find(const CandidateQuery& query) {
  return index_->Read([&query](const IndexState& state) {
    const Finder finder(state, query.viewer, query.as_of);
    CandidateSet set;
    set.position = state.position;
    set.follow = finder.Follow();
    set.trending = finder.Trending(*query.trending);
    set.affinity = finder.Affinity();
    if (NeedsFallback(set)) set.fallback = finder.Newest();
    return set;
  });
}

Result<std::vector<TrendingCandidate>> IndexEngine::FindTrending(TimeMs as_of, int hours) {
  return index_->ReadLong([as_of, hours](const IndexState& state) {
    HourTable sums;
    const std::int64_t last_hour = HourOf(as_of);
    const auto end = state.hours.upper_bound(last_hour);
    for (auto hour = state.hours.lower_bound(last_hour - hours + 1); hour != end; ++hour) {
      for (const auto& [post, counts] : hour->second) {
        HourCounts& sum = sums[post];
        sum.likes += counts.likes;
        sum.comments += counts.comments;
        sum.shares += counts.shares;
        sum.impressions += counts.impressions;
      }
    }
    std::vector<TrendingCandidate> found;
    for (const auto& [ref, sum] : sums) {
      if (sum.likes + sum.comments + sum.shares < 1) continue;
      const PostSlot& post = state.posts[ref];
      if (!post.live() || post.created_at <= as_of - kPostWindow || post.created_at > as_of) continue;
      found.push_back(TrendingCandidate{post.id,
                                        state.users[post.author].id,
                                        post.created_at,
                                        {sum.likes, sum.comments, sum.shares, sum.impressions}});
    }
    return found;
  });
}

Result<std::vector<Candidate>> IndexEngine::FindPosts(UserId viewer, TimeMs as_of,
                                                      const std::vector<Candidate>& posts) {
  return index_->Read([&](const IndexState& state) { return Finder(state, viewer, as_of).Posts(posts); });
}

Result<std::vector<Candidate>> IndexEngine::FindFollowing(const FollowingQuery& query) {
  return index_->Read([&query](const IndexState& state) {
    const Finder finder(state, query.viewer, query.as_of);
    return finder.Following(query);
  });
}

}  // namespace novafeed
