#include "check/index_facts.h"

#include <algorithm>
#include <cstdint>

#include "index/state.h"

namespace novafeed {
namespace {

// Posts of the last hours of the index's window of content are let go of by the hour: they are not compared.
constexpr TimeMs kComparedContent = kContentKept - 2 * kMsPerHour;

std::uint64_t Count(std::int64_t count) {
  return static_cast<std::uint64_t>(count);
}

class IndexFacts {
 public:
  IndexFacts(const IndexState& state, FactSink* sink) : state_(state), sink_(sink) {
    windows_.hour_from = state.OldestHour();
    windows_.day_from = state.OldestDay();
    windows_.content_from = state.anchor - kComparedContent;
  }

  const FactWindows& windows() const { return windows_; }

  void GiveAll() {
    for (const UserSlot& user : state_.users) Give(user);
    for (const PostSlot& post : state_.posts) Give(post);
    for (const auto& [hour, table] : state_.hours) {
      if (hour < windows_.hour_from) continue;
      for (const auto& [post, counts] : table) {
        Give(Relation::kIndexHours, FactKey().Add(state_.posts[post].id.value).Add(hour),
             {Count(counts.likes), Count(counts.comments), Count(counts.shares), Count(counts.impressions)});
      }
    }
  }

 private:
  void Give(const UserSlot& user) {
    if (user.known) Give(Relation::kIndexUsers, FactKey().Add(user.id.value), {1});
    for (std::size_t i = 0; i < user.following.size(); ++i) {
      const UserId followee = state_.users[user.following[i]].id;
      Give(Relation::kIndexFollows, FactKey().Add(user.id.value).Add(followee.value), {1, Count(user.followed_at[i])});
    }
    for (const DayInteractions& given : user.interactions) {
      if (given.day < windows_.day_from) continue;
      const std::int64_t day = given.day;
      Give(Relation::kIndexInteractions, FactKey().Add(user.id.value).Add(state_.users[given.author].id.value).Add(day),
           {Count(given.count)});
    }
  }

  void Give(const PostSlot& post) {
    std::uint64_t row = post.known ? DigestOfIndexed(state_.users[post.author].id, post.created_at) : 0;
    if (post.live() && post.created_at > windows_.content_from) {
      row += DigestOfContent(post.content.external_id(), post.content.text());
    }
    const Values values = {post.likes,
                           post.comments,
                           post.shares,
                           post.impressions,
                           post.views,
                           Count(post.live() ? 1 : 0),
                           Count(post.known && post.deleted ? 1 : 0),
                           row};
    Give(Relation::kIndexPosts, FactKey().Add(post.id.value), values);
  }

  void Give(Relation relation, const FactKey& key, const Values& values) {
    sink_->Take(relation, key.bytes(), values, 1);
  }

  const IndexState& state_;
  FactSink* const sink_;
  FactWindows windows_;
};

}  // namespace

IndexReading ReadIndexFacts(const FeedIndex& index, FactSink* sink) {
  return index.ReadLong([sink](const IndexState& state) {
    IndexFacts facts(state, sink);
    facts.GiveAll();
    return IndexReading{state.position, facts.windows()};
  });
}

}  // namespace novafeed
