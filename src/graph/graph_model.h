// The rules of the graph once more, as plainly as possible, over small numbers instead of ids: what random commands are
// compared with. Written from the contract, not from the commands. For tests only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/time.h"
#include "social/entities.h"

namespace novafeed {

// Every method returns the code of the error, empty for success. Actor 0 is the platform.
class GraphModel {
 public:
  struct ModelPost {
    int author = 0;
    std::string text;
    TimeMs at = 0;
    TimeMs deleted_at = 0;  // 0 = live
  };
  struct ModelComment {
    int post = 0;
    int user = 0;
    std::string text;
    TimeMs at = 0;
  };
  using Pair = std::pair<int, int>;

  std::map<int, std::pair<std::string, TimeMs>> users;  // handle, created_at
  std::map<int, ModelPost> posts;
  std::map<int, ModelComment> comments;
  std::map<Pair, TimeMs> likes;    // (user, post)
  std::map<Pair, TimeMs> follows;  // (follower, followee)

  std::string AddUser(int user, const std::string& handle, TimeMs now) {
    if (users.contains(user)) return users[user].first == handle ? "" : "id_conflict";
    if (erased_users_.contains(user)) return "id_retired";
    for (const auto& [other, row] : users) {
      if (row.first == handle) return "handle_taken";
    }
    users[user] = {handle, now};
    return "";
  }

  std::string Erase(int user, TimeMs now) {
    if (erased_users_.contains(user)) return "";
    if (!users.contains(user)) return "unknown_user";
    for (auto& [number, post] : posts) {
      if (post.author == user && post.deleted_at == 0) post = {user, "", post.at, now};
    }
    for (const auto& [number, comment] : comments) {
      if (comment.user == user) gone_comments_.insert(number);
    }
    std::erase_if(comments, [&](const auto& entry) { return entry.second.user == user; });
    std::erase_if(likes, [&](const auto& entry) { return entry.first.first == user; });
    std::erase_if(follows, [&](const auto& e) { return e.first.first == user || e.first.second == user; });
    users.erase(user);
    erased_users_.insert(user);
    return "";
  }

  std::string AddPost(int number, int author, const std::string& text, TimeMs now) {
    if (!users.contains(author)) return "unknown_user";
    if (!posts.contains(number)) {
      posts[number] = {author, text, now, 0};
      return "";
    }
    const ModelPost& known = posts[number];
    if (known.deleted_at != 0) return "id_retired";
    return known.author == author && known.text == text ? "" : "id_conflict";
  }

  std::string Edit(int actor, int post, const std::string& text) {
    if (!IsLive(post)) return "unknown_post";
    if (actor != 0 && actor != posts[post].author) return "not_yours";
    posts[post].text = text;
    return "";
  }

  std::string RemovePost(int actor, int post, TimeMs now) {
    if (!posts.contains(post)) return "unknown_post";
    if (actor != 0 && actor != posts[post].author) return "not_yours";
    if (IsLive(post)) posts[post] = {posts[post].author, "", posts[post].at, now};
    return "";
  }

  std::string AddComment(int number, int post, int user, const std::string& text, TimeMs now) {
    if (!users.contains(user)) return "unknown_user";
    if (!IsLive(post)) return "unknown_post";
    if (gone_comments_.contains(number)) return "id_retired";
    if (!comments.contains(number)) {
      comments[number] = {post, user, text, now};
      return "";
    }
    const ModelComment& known = comments[number];
    return known.post == post && known.user == user && known.text == text ? "" : "id_conflict";
  }

  std::string Uncomment(int actor, int number) {
    if (gone_comments_.contains(number)) return "";
    if (!comments.contains(number)) return "unknown_comment";
    const ModelComment& comment = comments[number];
    if (actor != 0 && actor != comment.user && actor != posts[comment.post].author) return "not_yours";
    comments.erase(number);
    gone_comments_.insert(number);
    return "";
  }

  std::string AddLike(int user, int post, TimeMs at) {
    if (!users.contains(user)) return "unknown_user";
    if (!IsLive(post)) return "unknown_post";
    likes.emplace(Pair(user, post), at);
    return "";
  }

  std::string Unlike(int user, int post) {
    if (!users.contains(user)) return "unknown_user";
    if (!posts.contains(post)) return "unknown_post";
    likes.erase({user, post});
    return "";
  }

  std::string AddFollow(int follower, int followee, TimeMs at) {
    if (follower == followee) return "self_follow";
    if (!users.contains(follower) || !users.contains(followee)) return "unknown_user";
    follows.emplace(Pair(follower, followee), at);
    return "";
  }

  std::string Unfollow(int follower, int followee) {
    if (!users.contains(follower) || !users.contains(followee)) return "unknown_user";
    follows.erase({follower, followee});
    return "";
  }

  std::string SendLikeEvent(EventType type, int user, int post, int id, TimeMs at) {
    const auto identity = std::tuple(type, user, post, id, at);
    if (events_.contains(identity)) return "";
    const std::string code = type == EventType::kLike ? AddLike(user, post, at) : Unlike(user, post);
    if (code.empty()) events_.insert(identity);
    return code;
  }

  std::size_t event_count() const { return events_.size(); }

 private:
  bool IsLive(int post) const { return posts.contains(post) && posts.at(post).deleted_at == 0; }

  std::set<int> erased_users_;
  std::set<int> gone_comments_;
  std::set<std::tuple<EventType, int, int, int, TimeMs>> events_;
};

}  // namespace novafeed
