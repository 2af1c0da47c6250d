// For the tests of this room: files to import, and stores whose state can be compared.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sqlite/open.h"
#include "base/metrics.h"
#include "base/test_support.h"
#include "base/time.h"
#include "import/importer.h"
#include "import/line_feed.h"

namespace novafeed {

inline std::string WriteFile(const TempDirectory& directory, const std::string& name, std::string_view content) {
  const std::filesystem::path path = directory.path() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path.string();
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline UserId UserOf(std::string_view external) {
  return {IdFromExternal(IdKind::kUser, external)};
}
inline PostId PostOf(std::string_view external) {
  return {IdFromExternal(IdKind::kPost, external)};
}

// All that an import leaves behind for others to see: rows without their incarnations (which only must differ), and
// events.
struct WorldState {
  std::map<UserId, User> users;
  std::map<PostId, Post> posts;
  std::map<CommentId, Comment> comments;
  std::map<std::pair<UserId, PostId>, Like> likes;
  std::map<std::pair<UserId, UserId>, Follow> follows;
  std::multimap<Uuid, Event> events;  // by identity

  void operator()(User user) { users[user.id] = std::move(user); }
  void operator()(Post post) { posts[post.id] = std::move(post); }
  void operator()(Comment comment) {
    comment.incarnation = 0;
    comments[comment.id] = std::move(comment);
  }
  void operator()(Like like) {
    like.incarnation = 0;
    likes[{like.user, like.post}] = like;
  }
  void operator()(Follow follow) {
    follow.incarnation = 0;
    follows[{follow.follower, follow.followee}] = follow;
  }
  void Add(const Event& event) { events.emplace(EventIdentity(event), event); }

  friend bool operator==(const WorldState&, const WorldState&) = default;
};

// Which part of two states differs, for a message.
inline std::string Difference(const WorldState& a, const WorldState& b) {
  std::string parts;
  if (a.users != b.users) parts += " users";
  if (a.posts != b.posts) parts += " posts";
  if (a.comments != b.comments) parts += " comments";
  if (a.likes != b.likes) parts += " likes";
  if (a.follows != b.follows) parts += " follows";
  if (a.events != b.events) parts += " events";
  return parts;
}

// A data directory with its two stores.
class World {
 public:
  World() { Open(); }

  // As after a start of the program.
  void Reopen() {
    Close();
    Open();
  }
  void Close() {
    events_.reset();
    graph_.reset();
  }
  void Open() {
    SqliteOptions options;
    options.directory = directory_.path().string();
    options.clock = &clock_;
    options.metrics = &metrics_;
    graph_ = OpenSqliteGraph(options);
    events_ = OpenSqliteEventLog(options);
  }

  SqliteGraph* graph() { return graph_.get(); }
  EventLog* events() { return events_.get(); }

  ImportResult Import(const ImportOptions& options) { return RunLocalImport(options, graph(), events()); }
  ImportResult Import(const std::string& file) {
    ImportOptions options;
    options.files = {file};
    return Import(options);
  }

  WorldState State() {
    WorldState state;
    graph_->ReadState([&state](const std::vector<Change>& rows) {
      for (const Change& row : rows) std::visit(state, *row.after);
    });
    for (const LoggedEvent& logged : events_->Read({}, 100'000'000)) state.Add(logged.event);
    return state;
  }

 private:
  TempDirectory directory_;
  ManualClock clock_{1'800'000'000'000};
  Metrics metrics_;
  std::unique_ptr<SqliteGraph> graph_;
  std::unique_ptr<EventLog> events_;
};

}  // namespace novafeed
