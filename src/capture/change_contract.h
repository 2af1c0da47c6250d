// The tests that every adapter of ChangeFeed passes: what the primitives and commands of the graph emit, in which
// order, and that the changes add up to the state. For tests only; how to run it: graph/store_fixture.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <variant>

#include "capture/change.h"
#include "graph/graph_model.h"
#include "graph/store_fixture.h"

namespace novafeed {

// --- Rows as text: keys to find them by, and lines that a failed test can show.

inline std::string KeyOf(const Row& row) {
  struct Visitor {
    std::string operator()(const User& user) const { return "user " + user.id.ToString(); }
    std::string operator()(const Post& post) const { return "post " + post.id.ToString(); }
    std::string operator()(const Comment& comment) const { return "comment " + comment.id.ToString(); }
    std::string operator()(const Like& like) const { return "like " + like.user.ToString() + like.post.ToString(); }
    std::string operator()(const Follow& follow) const {
      return "follow " + follow.follower.ToString() + follow.followee.ToString();
    }
  };
  return std::visit(Visitor{}, row);
}

// Everything of a row but its incarnation.
inline std::string DescribeRow(const Row& row) {
  struct Visitor {
    std::string operator()(const User& user) const {
      return " handle=" + user.handle + " name=" + user.name + " at=" + std::to_string(user.created_at);
    }
    std::string operator()(const Post& post) const {
      return " author=" + post.author.ToString() + " text=" + post.text + " at=" + std::to_string(post.created_at) +
             " deleted=" + std::to_string(post.deleted_at.value_or(0));
    }
    std::string operator()(const Comment& comment) const {
      return " post=" + comment.post.ToString() + " user=" + comment.user.ToString() + " text=" + comment.text +
             " at=" + std::to_string(comment.created_at) + OfPost(comment.post_author, comment.post_created_at);
    }
    std::string operator()(const Like& like) const {
      return " at=" + std::to_string(like.created_at) + OfPost(like.post_author, like.post_created_at);
    }
    std::string operator()(const Follow& follow) const { return " at=" + std::to_string(follow.created_at); }

    static std::string OfPost(UserId author, TimeMs at) {
      return " post_author=" + author.ToString() + " post_at=" + std::to_string(at);
    }
  };
  return KeyOf(row) + std::visit(Visitor{}, row);
}

inline Incarnation IncarnationOf(const Row& row) {
  struct Visitor {
    Incarnation operator()(const User&) const { return 0; }
    Incarnation operator()(const Post&) const { return 0; }
    Incarnation operator()(const Comment& comment) const { return comment.incarnation; }
    Incarnation operator()(const Like& like) const { return like.incarnation; }
    Incarnation operator()(const Follow& follow) const { return follow.incarnation; }
  };
  return std::visit(Visitor{}, row);
}

// "c like", "u post", "d user": what a change is about.
inline std::string KindOf(const Change& change) {
  const std::string key = KeyOf(change.Latest());
  return std::string(1, static_cast<char>(change.op)) + " " + key.substr(0, key.find(' '));
}

inline std::vector<std::string> KindsOf(const std::vector<Change>& changes) {
  std::vector<std::string> kinds;
  kinds.reserve(changes.size());
  for (const Change& change : changes) kinds.push_back(KindOf(change));
  return kinds;
}

// The state that changes add up to, by key. Checks that each change fits what was there.
class FoldedState {
 public:
  void Apply(const Change& change) {
    const std::string key = KeyOf(change.Latest());
    const auto known = rows_.find(key);
    const bool had_row = known != rows_.end();
    switch (change.op) {
      case ChangeOp::kCreate:
        EXPECT_FALSE(change.before) << key;
        EXPECT_FALSE(had_row) << "created twice: " << key;
        if (const Incarnation life = IncarnationOf(*change.after); life != 0) {
          EXPECT_TRUE(incarnations_.insert(life).second) << "incarnation " << life << " used again: " << key;
        }
        break;
      case ChangeOp::kUpdate:
      case ChangeOp::kDelete:
        ASSERT_TRUE(change.before) << key;
        ASSERT_TRUE(had_row) << "not there: " << key;
        EXPECT_TRUE(known->second == *change.before) << "before is not what was there: " << key;
        EXPECT_EQ(change.after.has_value(), change.op == ChangeOp::kUpdate) << key;
        break;
      case ChangeOp::kRead:
        EXPECT_FALSE(change.before) << key;
        EXPECT_FALSE(had_row) << "read twice: " << key;
        break;
    }
    if (change.after) {
      rows_.insert_or_assign(key, *change.after);
    } else {
      rows_.erase(key);
    }
  }

  void ApplyAll(const std::vector<Change>& changes) {
    for (const Change& change : changes) Apply(change);
  }

  const std::map<std::string, Row>& rows() const { return rows_; }

  std::set<std::string> Describe() const {
    std::set<std::string> lines;
    for (const auto& [key, row] : rows_) lines.insert(DescribeRow(row));
    return lines;
  }

 private:
  std::map<std::string, Row> rows_;
  std::set<Incarnation> incarnations_;
};

class ChangeFeedContract : public GraphStoreFixture {
 protected:
  // What was committed since the last call (or the start), in order.
  std::vector<Change> NewChanges() {
    std::vector<Change> found = changes().Read(seen_, 100'000);
    if (!found.empty()) seen_ = found.back().sequence;
    return found;
  }
  std::vector<std::string> NewKinds() { return KindsOf(NewChanges()); }

  FoldedState ReadWholeState(std::int64_t* cut = nullptr) {
    FoldedState state;
    const std::int64_t at = changes().ReadState([&](const std::vector<Change>& rows) {
      for (const Change& row : rows) EXPECT_EQ(row.op, ChangeOp::kRead);
      state.ApplyAll(rows);
    });
    if (cut != nullptr) *cut = at;
    return state;
  }

 private:
  std::int64_t seen_ = 0;
};

using Kinds = std::vector<std::string>;

// --- The feed.

TEST_P(ChangeFeedContract, AnEmptyStoreHasNoChanges) {
  EXPECT_EQ(changes().End(), 0);
  EXPECT_TRUE(changes().Read(0, 10).empty());
  std::int64_t cut = -1;
  EXPECT_TRUE(ReadWholeState(&cut).rows().empty());
  EXPECT_EQ(cut, 0);
}

TEST_P(ChangeFeedContract, ChangesOfOneWriteShareTheirTransactionAndTime) {
  clock_.Advance(5);
  AddUsers(3);
  clock_.Advance(5);
  Must(AddUser(4));
  const std::vector<Change> found = NewChanges();
  ASSERT_EQ(found.size(), 4u);
  std::int64_t last = 0;
  for (const Change& change : found) {
    EXPECT_GT(change.sequence, last);
    last = change.sequence;
  }
  EXPECT_EQ(found[0].transaction, found[1].transaction);
  EXPECT_EQ(found[0].transaction, found[2].transaction);
  EXPECT_NE(found[0].transaction, found[3].transaction);
  EXPECT_EQ(found[0].committed_at, kStart + 5);
  EXPECT_EQ(found[2].committed_at, kStart + 5);
  EXPECT_EQ(found[3].committed_at, kStart + 10);
}

TEST_P(ChangeFeedContract, AWriteIsAnsweredWithTheSequenceOfItsLastChange) {
  AddUsers(2);
  const std::int64_t sequence = Commit([](GraphTransaction& tx) {
    Must(CreatePost(tx, {std::nullopt, TestUser(1), "one"}));
    Must(CreatePost(tx, {std::nullopt, TestUser(1), "two"}));
  });
  EXPECT_EQ(changes().End(), sequence);
  EXPECT_EQ(NewChanges().back().sequence, sequence);
}

TEST_P(ChangeFeedContract, ReadGoesOnBehindAnySequence) {
  AddUsers(7);
  const std::vector<Change> all = changes().Read(0, 100);
  ASSERT_EQ(all.size(), 7u);
  for (std::size_t limit : {1u, 2u, 3u, 7u, 8u}) {
    std::vector<Change> pages;
    std::int64_t after = 0;
    for (std::vector<Change> page = changes().Read(0, limit); !page.empty(); page = changes().Read(after, limit)) {
      EXPECT_LE(page.size(), limit);
      pages.insert(pages.end(), page.begin(), page.end());
      after = page.back().sequence;
    }
    ASSERT_EQ(pages.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(pages[i].sequence, all[i].sequence);
  }
  EXPECT_TRUE(changes().Read(changes().End(), 10).empty());
}

TEST_P(ChangeFeedContract, ReadingBehindWhatWasForgottenIsAnError) {
  AddUsers(3);
  const std::int64_t forgotten = changes().End();
  clock_.Advance(5);
  Must(AddUser(4));
  const auto code_of_read = [&](std::int64_t after) -> std::string {
    try {
      changes().Read(after, 10);
      return "";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.error().failure, Failure::kConflict);
      return error.error().code;
    }
  };
  EXPECT_EQ(code_of_read(0), "");
  changes().ForgetChanges(kStart + 5, forgotten + 1);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(code_of_read(0), "log_forgotten");
    EXPECT_EQ(code_of_read(forgotten - 1), "log_forgotten");
    EXPECT_EQ(KindsOf(changes().Read(forgotten, 10)), Kinds{"c user"});
    Reopen();
  }
  changes().ForgetChanges(kStart + 1000, forgotten + 1);
  EXPECT_EQ(code_of_read(forgotten), "log_forgotten") << "also where nothing is left that could be read";
  EXPECT_TRUE(changes().Read(forgotten + 1, 10).empty());
  EXPECT_EQ(changes().End(), forgotten + 1);
  Reopen();
  EXPECT_EQ(ReadWholeState().rows().size(), 4u) << "the state forgets nothing";
  Must(AddUser(5));
  EXPECT_EQ(changes().Read(forgotten + 1, 10).front().sequence, forgotten + 2) << "no sequence is used again";
}

TEST_P(ChangeFeedContract, ChangesSurviveClosingAndSequencesGoOn) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddFollow(1, 2));
  const std::vector<Change> before = changes().Read(0, 100);
  Reopen();
  const std::vector<Change> after = changes().Read(0, 100);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].sequence, before[i].sequence);
    EXPECT_EQ(after[i].transaction, before[i].transaction);
    EXPECT_EQ(after[i].committed_at, before[i].committed_at);
    EXPECT_TRUE(after[i].before == before[i].before && after[i].after == before[i].after);
  }
  Must(AddUser(3));
  const std::vector<Change> next = changes().Read(before.back().sequence, 100);
  ASSERT_EQ(next.size(), 1u);
  EXPECT_NE(next[0].transaction, before.back().transaction);
}

TEST_P(ChangeFeedContract, ASubscriberIsToldOfEachCommitUntilItLeaves) {
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  changes().OnCommit([&] {
    const std::lock_guard lock(mutex);
    ++told;
    changed.notify_all();
  });
  for (int i = 1; i <= 3; ++i) {
    int before = 0;
    {
      const std::lock_guard lock(mutex);
      before = told;
    }
    Must(AddUser(i));
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return told > before; }));
  }
  changes().OnCommit(nullptr);
  int before = 0;
  {
    const std::lock_guard lock(mutex);
    before = told;
  }
  Must(AddUser(4));
  Must(AddUser(5));
  Close();  // whatever was still on its way has arrived
  const std::lock_guard lock(mutex);
  EXPECT_EQ(told, before);
}

// --- What is emitted.

TEST_P(ChangeFeedContract, UserRowsAreEmittedWhole) {
  Must(AddUser(1, "ann", "Ann"));
  const User before = store().GetUser(TestUser(1)).value();
  User after = before;
  after.handle = "renamed";
  after.external_id = "u-1";
  Commit([&](GraphTransaction& tx) { tx.UpdateUser(before, after); });
  const std::vector<Change> found = NewChanges();
  ASSERT_EQ(KindsOf(found), (Kinds{"c user", "u user"}));
  EXPECT_FALSE(found[0].before);
  EXPECT_TRUE(found[0].after == Row(before));
  EXPECT_TRUE(found[1].before == Row(before));
  EXPECT_TRUE(found[1].after == Row(after));
}

TEST_P(ChangeFeedContract, APostsLifeIsCreateEditAndASoftDeleteAsUpdates) {
  Must(AddUser(1));
  const Post created = Must(AddPost(1, 1, "one"));
  const Post edited = Must(Edit(TestUser(1), 1, "two"));
  clock_.Advance(50);
  Must(RemovePost(TestUser(1), 1));
  const std::vector<Change> found = NewChanges();
  ASSERT_EQ(KindsOf(found), (Kinds{"c user", "c post", "u post", "u post"}));
  EXPECT_TRUE(found[1].after == Row(created));
  EXPECT_TRUE(found[2].before == Row(created));
  EXPECT_TRUE(found[2].after == Row(edited));
  Post deleted = edited;
  deleted.text = "";
  deleted.deleted_at = kStart + 50;
  EXPECT_TRUE(found[3].before == Row(edited));
  EXPECT_TRUE(found[3].after == Row(deleted));
}

TEST_P(ChangeFeedContract, LikesFollowsAndCommentsCarryTheirIncarnationInBothRecords) {
  AddUsers(2);
  Must(AddPost(1, 1));
  NewChanges();
  Must(AddLike(2, 1, kStart + 1));
  Must(Unlike(2, 1));
  Must(AddFollow(2, 1, kStart + 2));
  Must(Unfollow(2, 1));
  const Comment comment = Must(AddComment(1, 1, 2));
  Must(Uncomment(TestUser(2), 1));
  const std::vector<Change> found = NewChanges();
  ASSERT_EQ(KindsOf(found), (Kinds{"c like", "d like", "c follow", "d follow", "c comment", "d comment"}));
  for (std::size_t i = 0; i < found.size(); i += 2) {
    EXPECT_FALSE(found[i].before);
    EXPECT_FALSE(found[i + 1].after);
    EXPECT_TRUE(found[i].after == found[i + 1].before) << found[i].sequence;
    EXPECT_GT(IncarnationOf(*found[i].after), 0);
  }
  EXPECT_TRUE(found[4].after == Row(comment));
  const Like like = std::get<Like>(*found[0].after);
  EXPECT_EQ(like.created_at, kStart + 1);
  EXPECT_EQ(like.post_author, TestUser(1));
  EXPECT_EQ(like.post_created_at, kStart);
}

TEST_P(ChangeFeedContract, WhatChangesNothingEmitsNothing) {
  AddUsers(2);
  Must(AddPost(1, 1, "text"));
  Must(AddPost(2, 1, "text"));
  Must(RemovePost(TestUser(1), 2));
  Must(AddLike(2, 1));
  Must(AddFollow(2, 1));
  Must(AddComment(1, 1, 2));
  Must(AddComment(2, 1, 2));
  Must(Uncomment(TestUser(2), 2));
  const Event event = LikeEvent(EventType::kLike, 2, 1, 1);
  Must(SendLikeEvent(event));
  NewChanges();

  Must(AddUser(1));
  Must(AddPost(1, 1, "text"));
  Must(Edit(TestUser(1), 1, "text"));
  Must(RemovePost(TestUser(1), 2));
  Must(AddLike(2, 1, kStart + 9));
  Must(Unlike(1, 1));
  Must(AddFollow(2, 1, kStart + 9));
  Must(Unfollow(1, 2));
  Must(AddComment(1, 1, 2));
  Must(Uncomment(TestUser(2), 2));
  Must(SendLikeEvent(event));
  EXPECT_EQ(NewKinds(), Kinds{});
}

TEST_P(ChangeFeedContract, RefusedCommandsEmitNothing) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddComment(1, 1, 1));
  NewChanges();
  EXPECT_FALSE(AddUser(3, "user1"));
  EXPECT_FALSE(AddUser(3, ""));
  EXPECT_FALSE(Erase(3));
  EXPECT_FALSE(AddPost(1, 1, "other"));
  EXPECT_FALSE(AddPost(2, 3));
  EXPECT_FALSE(Edit(TestUser(2), 1, "stolen"));
  EXPECT_FALSE(RemovePost(TestUser(2), 1));
  EXPECT_FALSE(AddComment(1, 1, 2, "other"));
  EXPECT_FALSE(Uncomment(TestUser(2), 1));
  EXPECT_FALSE(AddLike(3, 1));
  EXPECT_FALSE(AddFollow(1, 1));
  EXPECT_FALSE(SendLikeEvent(LikeEvent(EventType::kLike, 2, 9, 1)));
  EXPECT_EQ(NewKinds(), Kinds{});
}

TEST_P(ChangeFeedContract, AWorkThatThrowsEmitsNothing) {
  Must(AddUser(1));
  NewChanges();
  const auto refused = TryCommit([](GraphTransaction& tx) {
    Must(CreatePost(tx, {std::nullopt, TestUser(1), "text"}));
    throw std::runtime_error("too late");
  });
  EXPECT_FALSE(refused);
  EXPECT_EQ(NewKinds(), Kinds{});
  Must(AddUser(2));
  EXPECT_EQ(NewKinds(), Kinds{"c user"});
}

TEST_P(ChangeFeedContract, WhatIsNoRowEmitsNothing) {
  Commit([](GraphTransaction& tx) {
    tx.SetFact("key", "value");
    tx.Retire(RetiredKind::kPost, TestPost(1).value);
    tx.RememberEvent(LikeEvent(EventType::kLike, 1, 1, 1));
    tx.AddToOutbox(LikeEvent(EventType::kLike, 1, 1, 1));
  });
  EXPECT_EQ(NewKinds(), Kinds{});
}

TEST_P(ChangeFeedContract, ErasingAUserEmitsTheUserAndThenTheirRows) {
  AddUsers(3);
  Must(AddPost(1, 1, "mine"));
  Must(AddPost(2, 2, "theirs"));
  Must(AddPost(3, 1, "deleted before"));
  Must(RemovePost(TestUser(1), 3));
  Must(AddComment(1, 2, 1));
  Must(AddLike(1, 2));
  Must(AddFollow(1, 2));
  Must(AddFollow(3, 1));
  Must(AddLike(2, 1));
  NewChanges();

  Must(Erase(1));
  const std::vector<Change> found = NewChanges();
  EXPECT_EQ(KindsOf(found), (Kinds{"d user", "u post", "d comment", "d like", "d follow", "d follow"}));
  for (const Change& change : found) EXPECT_EQ(change.transaction, found[0].transaction);
  const Post blank = std::get<Post>(*found[1].after);
  EXPECT_EQ(blank.id, TestPost(1));
  EXPECT_EQ(blank.text, "");
  EXPECT_TRUE(blank.deleted_at);
}

TEST_P(ChangeFeedContract, HiddenUsersAreNowhereInTheChangesAndTheseStillAddUp) {
  AddUsers(3);
  Must(AddPost(1, 1, "mine"));
  Must(Edit(TestUser(1), 1, "mine, too"));
  Must(AddPost(2, 2, "theirs"));
  Must(AddPost(3, 1, "deleted before"));
  Must(RemovePost(TestUser(1), 3));
  Must(AddComment(1, 2, 1, "mine"));
  Must(AddComment(2, 1, 2, "theirs"));
  Must(AddLike(1, 2));
  Must(AddLike(2, 1));
  Must(AddFollow(1, 2));
  Must(AddFollow(3, 1));
  Must(Erase(1));
  const std::vector<Erasure> erased = store().ReadErasures();
  store().HideInRows(erased);
  const std::int64_t through = changes().End();
  Must(Unlike(2, 1));

  for (int round = 0; round < 2; ++round) {
    store().HideInChanges(erased, through);
    FoldedState folded;
    const std::vector<Change> all = changes().Read(0, 1000);
    folded.ApplyAll(all);
    const FoldedState state = ReadWholeState();
    EXPECT_EQ(folded.Describe(), state.Describe());
    EXPECT_TRUE(folded.rows() == state.rows());
    for (const Change& change : all) {
      for (const auto* image : {&change.before, &change.after}) {
        if (!*image) continue;
        const std::string line = DescribeRow(**image);
        EXPECT_EQ(line.find(TestUser(1).ToString()), std::string::npos) << line;
        EXPECT_EQ(line.find("mine"), std::string::npos) << line;
        EXPECT_EQ(line.find("user1"), std::string::npos) << line;
        EXPECT_EQ(line.find("deleted before"), std::string::npos) << line;
      }
    }
    Reopen();
  }
}

TEST_P(ChangeFeedContract, HidingStopsAtTheSequenceThatIsGiven) {
  AddUsers(2);
  Must(AddPost(1, 1, "mine"));
  Must(AddPost(2, 1, "mine"));
  Must(Erase(1));
  const std::vector<Change> before = changes().Read(0, 100);
  store().HideInChanges(store().ReadErasures(), before[2].sequence);
  const std::vector<Change> after = changes().Read(0, 100);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].before == before[i].before && after[i].after == before[i].after, i == 1 || i > 2) << i;
    EXPECT_EQ(after[i].transaction, before[i].transaction);
    EXPECT_EQ(after[i].committed_at, before[i].committed_at);
  }
}

TEST_P(ChangeFeedContract, ALikeEventEmitsTheLike) {
  AddUsers(2);
  Must(AddPost(1, 1));
  NewChanges();
  Must(SendLikeEvent(LikeEvent(EventType::kLike, 2, 1, 1, kStart - 7)));
  Must(SendLikeEvent(LikeEvent(EventType::kUnlike, 2, 1, 2, kStart - 9)));
  Must(SendLikeEvent(LikeEvent(EventType::kLike, 2, 1, 3, kStart - 8)));
  const std::vector<Change> found = NewChanges();
  ASSERT_EQ(KindsOf(found), (Kinds{"c like", "d like", "c like"})) << "arrival decides, not the times";
  EXPECT_EQ(std::get<Like>(*found[0].after).created_at, kStart - 7);
  EXPECT_EQ(std::get<Like>(*found[2].after).created_at, kStart - 8);
}

// --- The state.

TEST_P(ChangeFeedContract, TheStateHasEveryRowAlsoDeletedPosts) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddPost(2, 1));
  Must(RemovePost(TestUser(1), 2));
  Must(AddComment(1, 1, 2));
  Must(AddLike(2, 1));
  Must(AddFollow(2, 1));
  std::int64_t cut = 0;
  const FoldedState state = ReadWholeState(&cut);
  EXPECT_EQ(cut, changes().End());
  FoldedState folded;
  folded.ApplyAll(changes().Read(0, 1000));
  EXPECT_TRUE(state.rows() == folded.rows());
  EXPECT_EQ(state.rows().size(), 7u);
  EXPECT_TRUE(std::get<Post>(state.rows().at(KeyOf(Row(store().GetPost(TestPost(2)).value())))).deleted_at);
}

TEST_P(ChangeFeedContract, TheStateIsOneCutWhileWritesGoOn) {
  AddUsers(2);
  for (int i = 1; i <= 3; ++i) Must(AddPost(i, 1));
  std::atomic<bool> writing = true;
  std::thread writer([&] {
    for (int i = 0; i < 150; ++i) {
      Must(AddLike(2, i % 3 + 1));
      Must(AddFollow(1 + i % 2, 2 - i % 2));
      Must(Unlike(2, (i + 1) % 3 + 1));
      Must(Unfollow(2 - i % 2, 1 + i % 2));
    }
    writing = false;
  });
  std::vector<std::pair<FoldedState, std::int64_t>> cuts;
  do {
    std::int64_t cut = 0;
    FoldedState state = ReadWholeState(&cut);
    cuts.emplace_back(std::move(state), cut);
  } while (writing && cuts.size() < 50);
  writer.join();

  const FoldedState final_state = ReadWholeState();
  for (auto& [state, cut] : cuts) {
    state.ApplyAll(changes().Read(cut, 100'000));
    EXPECT_TRUE(state.rows() == final_state.rows()) << "state read at " << cut;
  }
}

// --- Random commands against the model.

class RandomGraphCommands {
 public:
  explicit RandomGraphCommands(std::uint64_t seed) : random_(seed) {}

  int Number(int first, int last) { return std::uniform_int_distribution(first, last)(random_); }
  int User() { return Number(1, 6); }
  int Post() { return Number(1, 12); }
  int Comment() { return Number(1, 15); }
  int Actor() { return Number(0, 6); }  // 0: the platform
  std::string Text() { return Number(0, 1) == 0 ? "text" : "other text"; }

 private:
  std::mt19937_64 random_;
};

// The rows that a model stands for, as DescribeRow has them.
inline std::set<std::string> DescribeModel(const GraphModel& model) {
  std::set<std::string> lines;
  const auto add = [&](Row row) { lines.insert(DescribeRow(row)); };
  for (const auto& [number, row] : model.users) {
    User user;
    user.id = TestUser(number);
    user.handle = row.first;
    user.created_at = row.second;
    add(user);
  }
  for (const auto& [number, row] : model.posts) {
    Post post;
    post.id = TestPost(number);
    post.author = TestUser(row.author);
    post.text = row.text;
    post.created_at = row.at;
    if (row.deleted_at != 0) post.deleted_at = row.deleted_at;
    add(post);
  }
  for (const auto& [number, row] : model.comments) {
    Comment comment;
    comment.id = TestComment(number);
    comment.post = TestPost(row.post);
    comment.user = TestUser(row.user);
    comment.post_author = TestUser(model.posts.at(row.post).author);
    comment.post_created_at = model.posts.at(row.post).at;
    comment.text = row.text;
    comment.created_at = row.at;
    add(comment);
  }
  for (const auto& [key, at] : model.likes) {
    Like like;
    like.user = TestUser(key.first);
    like.post = TestPost(key.second);
    like.post_author = TestUser(model.posts.at(key.second).author);
    like.post_created_at = model.posts.at(key.second).at;
    like.created_at = at;
    add(like);
  }
  for (const auto& [key, at] : model.follows) {
    Follow follow;
    follow.follower = TestUser(key.first);
    follow.followee = TestUser(key.second);
    follow.created_at = at;
    add(follow);
  }
  return lines;
}

class RandomGraphContract : public ChangeFeedContract {
 protected:
  static Actor ToActor(int number) { return number == 0 ? Actor() : Actor(TestUser(number)); }

  // One random command on both; they must agree.
  void Step(RandomGraphCommands& random) {
    clock_.Advance(random.Number(0, 2));
    const TimeMs now = clock_.Now();
    const TimeMs at = now - random.Number(0, 3);
    const int user = random.User();
    const int other = random.User();
    const int post = random.Post();
    const int comment = random.Comment();
    const int actor = random.Actor();
    const std::string text = random.Text();
    switch (random.Number(0, 19)) {
      case 0:
      case 1: {
        const std::string handle = "user" + std::to_string(other);
        return Agree("AddUser", CodeOf(AddUser(user, handle)), model_.AddUser(user, handle, now));
      }
      case 2:  // rare: the number of users is small, and their ids never come back
        if (random.Number(0, 29) != 0) return;
        return Agree("Erase", CodeOf(Erase(user)), model_.Erase(user, now));
      case 3:
      case 4:
        return Agree("AddPost", CodeOf(AddPost(post, user, text)), model_.AddPost(post, user, text, now));
      case 5:
        return Agree("Edit", CodeOf(Edit(ToActor(actor), post, text)), model_.Edit(actor, post, text));
      case 6:
        if (random.Number(0, 3) != 0) return;
        return Agree("RemovePost", CodeOf(RemovePost(ToActor(actor), post)), model_.RemovePost(actor, post, now));
      case 7:
      case 8:
        return Agree("AddComment", CodeOf(AddComment(comment, post, user, text)),
                     model_.AddComment(comment, post, user, text, now));
      case 9:
        return Agree("Uncomment", CodeOf(Uncomment(ToActor(actor), comment)), model_.Uncomment(actor, comment));
      case 10:
      case 11:
        return Agree("AddLike", CodeOf(AddLike(user, post, at)), model_.AddLike(user, post, at));
      case 12:
        return Agree("Unlike", CodeOf(Unlike(user, post)), model_.Unlike(user, post));
      case 13:
      case 14:
        return Agree("AddFollow", CodeOf(AddFollow(user, other, at)), model_.AddFollow(user, other, at));
      case 15:
        return Agree("Unfollow", CodeOf(Unfollow(user, other)), model_.Unfollow(user, other));
      default: {
        const EventType type = random.Number(0, 2) == 0 ? EventType::kUnlike : EventType::kLike;
        const int id = random.Number(1, 3);
        const TimeMs event_at = kStart + random.Number(0, 2);
        return Agree("SendLikeEvent", CodeOf(SendLikeEvent(LikeEvent(type, user, post, id, event_at))),
                     model_.SendLikeEvent(type, user, post, id, event_at));
      }
    }
  }

  void CheckState() {
    const FoldedState state = ReadWholeState();
    EXPECT_EQ(state.Describe(), DescribeModel(model_));
    folded_.ApplyAll(NewChanges());
    EXPECT_TRUE(folded_.rows() == state.rows()) << "the changes do not add up to the state";
    EXPECT_EQ(store().ReadOutbox(100'000).size(), model_.event_count());
  }

 private:
  void Agree(const char* command, const std::string& store_says, const std::string& model_says) {
    EXPECT_EQ(store_says, model_says) << command;
  }

  GraphModel model_;
  FoldedState folded_;
};

TEST_P(RandomGraphContract, RandomCommandsDoWhatTheModelDoesAndTheirChangesAddUp) {
  const std::uint64_t seed = TestSeed();
  RandomGraphCommands random(seed);
  for (int step = 1; step <= 1500 && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    Step(random);
    if (step % 100 == 0) CheckState();
    if (step % 400 == 0) Reopen();
  }
}

}  // namespace novafeed
