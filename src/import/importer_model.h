// For tests: the rules of an import once more, as plainly as possible, over the names that stand in the lines.
#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "import/batch.h"
#include "import/import_test_support.h"

namespace novafeed {

// An action as the generator draws it. Empty strings are fields that the line does not have.
struct DrawnAction {
  ActionType type = ActionType::kInvalid;
  std::string id, user, other, text, handle;  // `other`: the post, or the target of a follow
  TimeMs at = 0;
};

inline std::string ToLine(const DrawnAction& action) {
  if (action.type == ActionType::kInvalid) return "{\"type\":\n";
  std::string line =
      R"({"type":")" + std::string(ActionTypeName(action.type)) + R"(","at":)" + std::to_string(action.at);
  const auto add = [&line](const char* name, const std::string& value) {
    if (!value.empty()) line += std::string(",\"") + name + "\":\"" + value + "\"";
  };
  const bool is_follow = action.type == ActionType::kFollow || action.type == ActionType::kUnfollow;
  add("id", action.id);
  add(action.type == ActionType::kPost ? "author" : "user", action.user);
  add(is_follow ? "target" : "post", action.other);
  add("text", action.text);
  add("handle", action.handle);
  return line + "}\n";
}

// Draws actions over few names, so that everything meets everything.
class ActionGenerator {
 public:
  explicit ActionGenerator(std::uint64_t seed) : random_(seed) {}

  DrawnAction Draw() {
    DrawnAction action;
    action.type = static_cast<ActionType>(Below(kActionTypes));
    action.at = 1'000'000 + static_cast<TimeMs>(Below(40));
    Fill(&action);
    return action;
  }

  std::size_t Below(std::size_t limit) { return random_() % limit; }

 private:
  std::string User() { return "u" + std::to_string(Below(6)); }
  std::string Post() { return "p" + std::to_string(Below(6)); }
  std::string CommentId() { return "c" + std::to_string(Below(8)); }
  std::string Text() { return "text" + std::to_string(Below(3)); }

  void Fill(DrawnAction* action) {
    switch (action->type) {
      case ActionType::kUser:
        action->id = User();
        action->handle = Below(3) == 0 ? "" : "h" + std::to_string(Below(3));
        break;
      case ActionType::kPost:
        action->id = Post();
        action->user = User();
        action->text = Below(3) == 0 ? "" : Text();
        break;
      case ActionType::kEditPost:
        action->text = Text();
        [[fallthrough]];
      case ActionType::kDeletePost:
        if (Below(2) == 0) action->type = ActionType::kView;  // deletes are rarer, so that there is something to delete
        action->other = Post();
        if (action->type == ActionType::kView) action->user = User(), action->text.clear();
        break;
      case ActionType::kFollow:
      case ActionType::kUnfollow:
        action->user = User();
        action->other = User();
        break;
      case ActionType::kComment:
        action->id = CommentId();
        action->text = Below(3) == 0 ? "" : Text();
        action->user = User();
        action->other = Post();
        break;
      case ActionType::kDeleteComment:
        action->id = CommentId();
        break;
      case ActionType::kImpression:
      case ActionType::kView:
      case ActionType::kShare:
        action->id = Below(3) == 0 ? "e" + std::to_string(Below(3)) : "";
        [[fallthrough]];
      case ActionType::kLike:
      case ActionType::kUnlike:
        action->user = User();
        action->other = Post();
        break;
      case ActionType::kInvalid:
        break;
    }
  }

  std::mt19937_64 random_;
};

// What the stores must hold. One file after the other.
class ImportModel {
 public:
  void BeginFile() { repeats_.clear(); }

  Outcome Apply(const DrawnAction& action) {
    const Outcome outcome = Do(action);
    ++counts.At(action.type == ActionType::kInvalid || IsSelfFollow(action) ? ActionType::kInvalid : action.type,
                outcome);
    return outcome;
  }

  struct PostRow {
    std::string author, text;
    TimeMs at = 0;
    TimeMs deleted_at = -1;
    friend bool operator==(const PostRow&, const PostRow&) = default;
  };
  struct CommentRow {
    std::string user, post, text;
    TimeMs at = 0;
    friend bool operator==(const CommentRow&, const CommentRow&) = default;
  };
  using Pair = std::pair<std::string, std::string>;

  std::map<std::string, TimeMs> users;  // when they came into being
  std::map<std::string, std::string> wanted_handles;
  std::map<std::string, PostRow> posts;
  std::map<std::string, CommentRow> comments;
  std::map<Pair, TimeMs> likes;
  std::map<Pair, TimeMs> follows;
  std::set<std::string> events;  // "type user post at" and the id, or how many came before
  ImportCounts counts;

 private:
  static bool IsSelfFollow(const DrawnAction& action) {
    return (action.type == ActionType::kFollow || action.type == ActionType::kUnfollow) && action.user == action.other;
  }

  Outcome Do(const DrawnAction& action) {
    const Pair pair = {action.user, action.other};
    switch (action.type) {
      case ActionType::kUser:
        return DoUser(action);
      case ActionType::kPost:
        return DoPost(action);
      case ActionType::kEditPost:
        if (!posts.contains(action.other) || posts[action.other].deleted_at >= 0) return Outcome::kBad;
        if (posts[action.other].text == action.text) return Outcome::kUnchanged;
        posts[action.other].text = action.text;
        return Outcome::kApplied;
      case ActionType::kDeletePost:
        if (!posts.contains(action.other)) return Outcome::kBad;
        if (posts[action.other].deleted_at >= 0) return Outcome::kUnchanged;
        posts[action.other].text.clear();
        posts[action.other].deleted_at = action.at;
        return Outcome::kApplied;
      case ActionType::kFollow:
        if (IsSelfFollow(action)) return Outcome::kBad;
        Name(action.user, action.at);
        Name(action.other, action.at);
        return follows.emplace(pair, action.at).second ? Outcome::kApplied : Outcome::kUnchanged;
      case ActionType::kUnfollow:
        if (IsSelfFollow(action)) return Outcome::kBad;
        return follows.erase(pair) > 0 ? Outcome::kApplied : Outcome::kUnchanged;
      case ActionType::kLike:
        if (!posts.contains(action.other)) return Outcome::kBad;
        Name(action.user, action.at);
        return likes.emplace(pair, action.at).second ? Outcome::kApplied : Outcome::kUnchanged;
      case ActionType::kUnlike:
        if (!posts.contains(action.other)) return Outcome::kBad;
        return likes.erase(pair) > 0 ? Outcome::kApplied : Outcome::kUnchanged;
      case ActionType::kComment:
        return DoComment(action);
      case ActionType::kDeleteComment:
        if (comments.erase(action.id) > 0) return gone_.insert(action.id), Outcome::kApplied;
        return gone_.contains(action.id) ? Outcome::kUnchanged : Outcome::kBad;
      case ActionType::kImpression:
      case ActionType::kView:
      case ActionType::kShare:
        return DoEvent(action);
      case ActionType::kInvalid:
        break;
    }
    return Outcome::kBad;
  }

  Outcome DoUser(const DrawnAction& action) {
    const std::string wanted = action.handle.empty() ? action.id : action.handle;
    const bool is_first = wanted_handles.emplace(action.id, wanted).second;
    Name(action.id, action.at);
    if (is_first) return Outcome::kApplied;
    const bool same = action.handle.empty() || wanted_handles[action.id] == action.handle;
    return same ? Outcome::kUnchanged : Outcome::kConflict;
  }

  Outcome DoPost(const DrawnAction& action) {
    const PostRow row{action.user, action.text, action.at};
    if (!posts.contains(action.id)) {
      Name(action.user, action.at);
      posts[action.id] = row;
      return Outcome::kApplied;
    }
    return posts[action.id] == row ? Outcome::kUnchanged : Outcome::kConflict;
  }

  Outcome DoComment(const DrawnAction& action) {
    const CommentRow row{action.user, action.other, action.text, action.at};
    if (!posts.contains(action.other)) return Outcome::kBad;
    if (gone_.contains(action.id)) return Outcome::kConflict;
    if (comments.contains(action.id)) return comments[action.id] == row ? Outcome::kUnchanged : Outcome::kConflict;
    Name(action.user, action.at);
    comments[action.id] = row;
    return Outcome::kApplied;
  }

  Outcome DoEvent(const DrawnAction& action) {
    std::string event = std::string(ActionTypeName(action.type)) + " " + action.user + " " + action.other + " " +
                        std::to_string(action.at) + " ";
    event += action.id.empty() ? "n" + std::to_string(repeats_[event]++) : action.id;
    if (!posts.contains(action.other)) return Outcome::kBad;
    Name(action.user, action.at);
    return events.insert(event).second ? Outcome::kApplied : Outcome::kDuplicate;
  }

  void Name(const std::string& user, TimeMs at) { users.emplace(user, at); }

  std::set<std::string> gone_;  // deleted comments
  std::map<std::string, int> repeats_;
};

}  // namespace novafeed
