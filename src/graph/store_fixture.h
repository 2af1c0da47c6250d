// What the contract suites of the graph's ports stand on: a store opened by a factory, and short ways to use it.
// For tests only.
//
// An adapter runs both suites in one test program:
//
//   #include "capture/change_contract.h"
//   #include "graph/store_contract.h"
//
//   const GraphStoreFactory kFactory = {"sqlite", [](const std::filesystem::path& directory, const Clock* clock) {
//                                         return HoldGraph(OpenSqliteGraph({.directory = directory, .clock = clock}));
//                                       }};
//   INSTANTIATE_TEST_SUITE_P(Sqlite, GraphStoreContract, ::testing::Values(kFactory));
//   INSTANTIATE_TEST_SUITE_P(Sqlite, ChangeFeedContract, ::testing::Values(kFactory));
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/test_support.h"
#include "base/time.h"
#include "graph/commands.h"
#include "graph/store.h"

namespace novafeed {

class ChangeLog;  // capture/change.h: a later room, named here only so that one factory serves both suites

// A store that is open; it closes with the last copy of `owner`.
struct OpenGraph {
  std::shared_ptr<void> owner;
  GraphStore* store = nullptr;
  ChangeLog* changes = nullptr;  // null where changes are captured from outside
  // How many rows were changed so far, where changes are captured from outside (a database's own log) and what a write
  // is answered with is a place in that log. Empty: sequences count the changes.
  std::function<std::int64_t()> count_changes = nullptr;
};

// For adapters whose one class is both ports.
template <class Graph>
OpenGraph HoldGraph(std::unique_ptr<Graph> graph) {
  std::shared_ptr<Graph> held = std::move(graph);
  return {held, held.get(), held.get()};
}

// Opens the store of a directory, empty at first, with what it held when it was closed later on. The clock outlives it.
struct GraphStoreFactory {
  std::string name;
  std::function<OpenGraph(const std::filesystem::path& directory, const Clock* clock)> open;

  friend void PrintTo(const GraphStoreFactory& factory, std::ostream* out) { *out << factory.name; }
};

// Ids by number, the same in every run.
inline UserId TestUser(int number) {
  return {IdFromExternal(IdKind::kUser, std::to_string(number))};
}
inline PostId TestPost(int number) {
  return {IdFromExternal(IdKind::kPost, std::to_string(number))};
}
inline CommentId TestComment(int number) {
  return {IdFromExternal(IdKind::kComment, std::to_string(number))};
}
inline EventId TestEvent(int number) {
  return {IdFromExternal(IdKind::kEvent, std::to_string(number))};
}

// The code of a failed result; empty for success.
template <class T>
std::string CodeOf(const Result<T>& result) {
  return result ? "" : result.error().code;
}

// The value of a result that must be a success; otherwise the test ends with the error's words.
template <class T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error("refused: " + result.error().code + ": " + result.error().detail);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

class GraphStoreFixture : public ::testing::TestWithParam<GraphStoreFactory> {
 protected:
  static constexpr TimeMs kStart = 1'795'382'793'122;

  void SetUp() override { Reopen(); }

  GraphStore& store() { return *graph_.store; }
  ChangeLog& changes() { return *graph_.changes; }

  void Close() { graph_ = {}; }
  void Reopen() {
    Close();
    graph_ = GetParam().open(directory_.path(), &clock_);
  }

  // Runs one work and waits for its answer.
  Result<std::int64_t> TryCommit(GraphStore::Work work) {
    const auto answer = std::make_shared<std::promise<Result<std::int64_t>>>();
    std::future<Result<std::int64_t>> answered = answer->get_future();
    store().Write(std::move(work), [answer](Result<std::int64_t> result) { answer->set_value(std::move(result)); });
    if (answered.wait_for(std::chrono::minutes(1)) != std::future_status::ready) {
      throw std::runtime_error("the store did not answer a write within a minute");
    }
    return answered.get();
  }

  // Runs one work that must be committed; the sequence that the store answers.
  std::int64_t Commit(GraphStore::Work work) { return Must(TryCommit(std::move(work))); }

  // How many changes there were.
  std::int64_t changes_recorded() {
    return graph_.count_changes ? graph_.count_changes() : Commit([](GraphTransaction&) {});
  }
  bool captured_outside() const { return graph_.count_changes != nullptr; }

  // Commits a function of the transaction and hands on what it returns.
  template <class F>
  auto Do(F work) {
    std::optional<std::invoke_result_t<F, GraphTransaction&>> value;
    Commit([&](GraphTransaction& tx) { value.emplace(work(tx)); });
    return *std::move(value);
  }

  // --- The commands, each in a work of its own.
  Result<User> AddUser(int number) { return AddUser(number, "user" + std::to_string(number)); }
  Result<User> AddUser(int number, const std::string& handle, const std::string& name = "") {
    const NewUser request = {ParsedId{TestUser(number).value, std::nullopt}, handle, name};
    return Do([&](GraphTransaction& tx) { return CreateUser(tx, request); });
  }
  void AddUsers(int count) {
    Commit([&](GraphTransaction& tx) {
      for (int i = 1; i <= count; ++i) {
        Must(CreateUser(tx, {ParsedId{TestUser(i).value, std::nullopt}, "user" + std::to_string(i), ""}));
      }
    });
  }
  Status Erase(int user) {
    return Do([&](GraphTransaction& tx) {
      Status erased = EraseUser(tx, TestUser(user));
      if (erased) EXPECT_TRUE(RemoveErased(tx, TestUser(user), 1'000'000));
      return erased;
    });
  }
  Result<Post> AddPost(int number, int author, const std::string& text = "text") {
    const NewPost request = {ParsedId{TestPost(number).value, std::nullopt}, TestUser(author), text};
    return Do([&](GraphTransaction& tx) { return CreatePost(tx, request); });
  }
  Result<Post> Edit(const Actor& actor, int post, const std::string& text) {
    return Do([&](GraphTransaction& tx) { return EditPost(tx, actor, TestPost(post), text); });
  }
  Status RemovePost(const Actor& actor, int post) {
    return Do([&](GraphTransaction& tx) { return DeletePost(tx, actor, TestPost(post)); });
  }
  Result<Comment> AddComment(int number, int post, int user, const std::string& text = "comment") {
    const NewComment request = {ParsedId{TestComment(number).value, std::nullopt}, TestPost(post), TestUser(user),
                                text};
    return Do([&](GraphTransaction& tx) { return CreateComment(tx, request); });
  }
  Status Uncomment(const Actor& actor, int comment) {
    return Do([&](GraphTransaction& tx) { return DeleteComment(tx, actor, TestComment(comment)); });
  }
  Status AddLike(int user, int post, TimeMs at = kStart) {
    return Do([&](GraphTransaction& tx) { return PutLike(tx, TestUser(user), TestPost(post), at); });
  }
  Status Unlike(int user, int post) {
    return Do([&](GraphTransaction& tx) { return RemoveLike(tx, TestUser(user), TestPost(post)); });
  }
  Status AddFollow(int follower, int followee, TimeMs at = kStart) {
    return Do([&](GraphTransaction& tx) { return PutFollow(tx, TestUser(follower), TestUser(followee), at); });
  }
  Status Unfollow(int follower, int followee) {
    return Do([&](GraphTransaction& tx) { return RemoveFollow(tx, TestUser(follower), TestUser(followee)); });
  }
  Status Dismiss(int user, int dismissed) {
    return Do([&](GraphTransaction& tx) { return DismissSuggestion(tx, TestUser(user), TestUser(dismissed)); });
  }
  Result<bool> SendLikeEvent(const Event& event) {
    return Do([&](GraphTransaction& tx) { return ApplyLikeEvent(tx, event); });
  }

  // --- What is there.
  std::optional<Like> FindLike(int user, int post) {
    return Do([&](GraphTransaction& tx) { return tx.FindLike(TestUser(user), TestPost(post)); });
  }
  std::optional<Follow> FindFollow(int follower, int followee) {
    return Do([&](GraphTransaction& tx) { return tx.FindFollow(TestUser(follower), TestUser(followee)); });
  }

  static Event LikeEvent(EventType type, int user, int post, int id, TimeMs at = kStart) {
    Event event;
    event.user = TestUser(user);
    event.type = type;
    event.post = TestPost(post);
    event.at = at;
    event.event_id = TestEvent(id);
    return event;
  }

  TempDirectory directory_;
  ManualClock clock_{kStart};

 private:
  OpenGraph graph_;
};

// Every item of a list, read in pages of `limit`; checks that pages are full and that only the last has no `next`.
template <class T>
std::vector<T> ReadPages(std::size_t limit, const std::function<ListPage<T>(std::optional<ListCursor>)>& read) {
  std::vector<T> items;
  std::optional<ListCursor> after;
  do {
    ListPage<T> page = read(after);
    EXPECT_LE(page.items.size(), limit);
    if (page.next) {
      EXPECT_EQ(page.items.size(), limit) << "a page with a next one must be full";
    }
    if (after) {
      EXPECT_FALSE(page.items.empty()) << "a cursor promised more";
    }
    items.insert(items.end(), page.items.begin(), page.items.end());
    after = page.next;
  } while (after);
  return items;
}

}  // namespace novafeed
