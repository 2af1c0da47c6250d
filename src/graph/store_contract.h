// The tests that every adapter of GraphStore passes: rows, transactions, reads, and the rules of graph/commands.h on
// top of them. For tests only; how to run it: graph/store_fixture.h.
#pragma once

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <tuple>

#include "graph/retired.h"
#include "graph/store_fixture.h"

namespace novafeed {

class GraphStoreContract : public GraphStoreFixture {
 protected:
  static User SampleUser(int number) {
    User user;
    user.id = TestUser(number);
    user.handle = "handle" + std::to_string(number);
    user.name = "N\u00e4me \u4e16\u754c \U0001f600";
    user.created_at = kStart + number;
    return user;
  }

  static Post SamplePost(int number, int author) {
    Post post;
    post.id = TestPost(number);
    post.author = TestUser(author);
    post.text = "line one\nline \"two\" \U0001f600";
    post.created_at = kStart + number;
    return post;
  }

  static Comment SampleComment(int number, int post, int user) {
    Comment comment;
    comment.id = TestComment(number);
    comment.post = TestPost(post);
    comment.user = TestUser(user);
    comment.post_author = TestUser(77);
    comment.post_created_at = kStart - 5;
    comment.text = "comment " + std::to_string(number);
    comment.created_at = kStart + number;
    return comment;
  }

  static Like SampleLike(int user, int post) {
    Like like;
    like.user = TestUser(user);
    like.post = TestPost(post);
    like.post_author = TestUser(77);
    like.post_created_at = kStart - 5;
    like.created_at = kStart + post;
    return like;
  }

  // Sorted.
  std::vector<PostId> LikedAmong(int user, const std::vector<PostId>& posts) {
    std::vector<PostId> found = store().LikedAmong(TestUser(user), posts);
    std::sort(found.begin(), found.end());
    return found;
  }

  static Follow SampleFollow(int follower, int followee) {
    Follow follow;
    follow.follower = TestUser(follower);
    follow.followee = TestUser(followee);
    follow.created_at = kStart + followee;
    return follow;
  }

  static Uuid DigestOf(int user) { return RetiredDigest(RetiredKind::kUser, TestUser(user).value); }
};

// --- Rows.

TEST_P(GraphStoreContract, UsersAreKeptAsWritten) {
  User plain = SampleUser(1);
  User external = SampleUser(2);
  external.external_id = "their \"id\" \u00e4";
  external.name = "";
  Commit([&](GraphTransaction& tx) {
    tx.InsertUser(plain);
    tx.InsertUser(external);
    EXPECT_EQ(tx.FindUser(plain.id), plain) << "a work sees its own writes";
    EXPECT_EQ(tx.FindUserByHandle(external.handle), external);
  });
  EXPECT_EQ(store().GetUser(plain.id), plain);
  EXPECT_EQ(store().GetUser(external.id), external);
  EXPECT_EQ(store().GetUser(TestUser(3)), std::nullopt);
  Reopen();
  EXPECT_EQ(store().GetUser(plain.id), plain);
  EXPECT_EQ(store().GetUser(external.id), external);
}

TEST_P(GraphStoreContract, AnUpdatedUserIsFoundByTheNewHandleOnly) {
  const User before = SampleUser(1);
  User after = before;
  after.handle = "renamed";
  after.name = "Renamed";
  after.external_id = "ext";
  Commit([&](GraphTransaction& tx) { tx.InsertUser(before); });
  Commit([&](GraphTransaction& tx) { tx.UpdateUser(before, after); });
  Commit([&](GraphTransaction& tx) {
    EXPECT_EQ(tx.FindUserByHandle(before.handle), std::nullopt);
    EXPECT_EQ(tx.FindUserByHandle("renamed"), after);
  });
  EXPECT_EQ(store().GetUser(before.id), after);
}

TEST_P(GraphStoreContract, HandlesAreComparedBytewise) {
  User lower = SampleUser(1);
  lower.handle = "ann";
  User upper = SampleUser(2);
  upper.handle = "ANN";
  Commit([&](GraphTransaction& tx) {
    tx.InsertUser(lower);
    tx.InsertUser(upper);
    EXPECT_EQ(tx.FindUserByHandle("ANN"), upper);
    EXPECT_EQ(tx.FindUserByHandle("Ann"), std::nullopt);
  });
}

TEST_P(GraphStoreContract, ADeletedUserIsGone) {
  const User user = SampleUser(1);
  Commit([&](GraphTransaction& tx) { tx.InsertUser(user); });
  Commit([&](GraphTransaction& tx) {
    tx.DeleteUser(user);
    EXPECT_EQ(tx.FindUser(user.id), std::nullopt);
    EXPECT_EQ(tx.FindUserByHandle(user.handle), std::nullopt);
  });
  EXPECT_EQ(store().GetUser(user.id), std::nullopt);
}

TEST_P(GraphStoreContract, PostsAreKeptAsWritten) {
  Post post = SamplePost(1, 1);
  post.external_id = "p-1";
  Post without_text = SamplePost(2, 1);
  without_text.text = "";
  Commit([&](GraphTransaction& tx) {
    tx.InsertPost(post);
    tx.InsertPost(without_text);
    EXPECT_EQ(tx.FindPost(post.id), post);
    EXPECT_EQ(tx.FindPost(TestPost(3)), std::nullopt);
  });
  Reopen();
  EXPECT_EQ(store().GetPost(post.id), post);
  EXPECT_EQ(store().GetPost(without_text.id), without_text);
}

TEST_P(GraphStoreContract, ADeletedPostIsFoundWithItsTimeOfDeletion) {
  const Post post = SamplePost(1, 1);
  Post deleted = post;
  deleted.text = "";
  deleted.deleted_at = kStart + 9;
  Commit([&](GraphTransaction& tx) { tx.InsertPost(post); });
  Commit([&](GraphTransaction& tx) { tx.UpdatePost(post, deleted); });
  EXPECT_EQ(Do([&](GraphTransaction& tx) { return tx.FindPost(post.id); }), deleted);
  EXPECT_EQ(store().GetPost(post.id), deleted);
}

TEST_P(GraphStoreContract, LivePostsOfLeavesOutDeletedOnesAndThoseOfOthers) {
  const Post live = SamplePost(1, 1);
  const Post doomed = SamplePost(2, 1);
  Post deleted = doomed;
  deleted.deleted_at = kStart;
  Commit([&](GraphTransaction& tx) {
    tx.InsertPost(live);
    tx.InsertPost(doomed);
    tx.InsertPost(SamplePost(3, 2));
    tx.UpdatePost(doomed, deleted);
    EXPECT_EQ(tx.LivePostsOf(TestUser(1), 10), std::vector{live});
    EXPECT_TRUE(tx.LivePostsOf(TestUser(9), 10).empty());
  });
}

TEST_P(GraphStoreContract, CommentsAreKeptUntilDeleted) {
  Comment comment = SampleComment(1, 1, 1);
  comment.external_id = "c-1";
  Comment second = SampleComment(2, 1, 1);
  Commit([&](GraphTransaction& tx) {
    comment.incarnation = tx.InsertComment(comment).incarnation;
    second = tx.InsertComment(second);
    tx.InsertComment(SampleComment(3, 1, 2));
    EXPECT_EQ(tx.FindComment(comment.id), comment);
  });
  EXPECT_GT(comment.incarnation, 0);
  Reopen();
  EXPECT_EQ(store().GetComment(comment.id), comment);
  Commit([&](GraphTransaction& tx) {
    EXPECT_EQ(tx.CommentsOf(TestUser(1), 10).size(), 2u);
    tx.DeleteComment(comment);
    EXPECT_EQ(tx.FindComment(comment.id), std::nullopt);
    EXPECT_EQ(tx.CommentsOf(TestUser(1), 10), std::vector{second});
  });
  EXPECT_EQ(store().GetComment(comment.id), std::nullopt);
}

TEST_P(GraphStoreContract, LikesAreKeptUntilDeleted) {
  Like like = SampleLike(1, 1);
  Like second = SampleLike(1, 2);
  Commit([&](GraphTransaction& tx) {
    like.incarnation = tx.InsertLike(like).incarnation;
    second = tx.InsertLike(second);
    tx.InsertLike(SampleLike(2, 1));
  });
  EXPECT_GT(like.incarnation, 0);
  Reopen();
  Commit([&](GraphTransaction& tx) {
    EXPECT_EQ(tx.FindLike(TestUser(1), TestPost(1)), like);
    EXPECT_EQ(tx.FindLike(TestUser(3), TestPost(1)), std::nullopt);
    EXPECT_EQ(tx.LikesOf(TestUser(1), 10).size(), 2u);
    tx.DeleteLike(like);
    EXPECT_EQ(tx.FindLike(TestUser(1), TestPost(1)), std::nullopt);
    EXPECT_EQ(tx.LikesOf(TestUser(1), 10), std::vector{second});
  });
}

TEST_P(GraphStoreContract, OfNamedPostsThoseThatAUserLikesAreFound) {
  Like taken_back = SampleLike(1, 3);
  const Post doomed = SamplePost(4, 9);
  Post deleted = doomed;
  deleted.deleted_at = kStart;
  Commit([&](GraphTransaction& tx) {
    for (int i = 1; i <= 3; ++i) tx.InsertPost(SamplePost(i, 9));
    tx.InsertPost(doomed);
    for (const int post : {1, 4}) tx.InsertLike(SampleLike(1, post));
    tx.InsertLike(SampleLike(2, 2));
    taken_back = tx.InsertLike(taken_back);
  });
  Commit([&](GraphTransaction& tx) {
    tx.DeleteLike(taken_back);
    tx.UpdatePost(doomed, deleted);
  });
  const std::vector<PostId> named = {TestPost(2), TestPost(1), TestPost(1), TestPost(3), TestPost(4), TestPost(77)};
  EXPECT_EQ(LikedAmong(1, named), std::vector{TestPost(1)}) << "without what is deleted, taken back, or of others";
  EXPECT_EQ(LikedAmong(2, named), std::vector{TestPost(2)});
  EXPECT_TRUE(LikedAmong(1, {TestPost(2)}).empty());
  EXPECT_TRUE(LikedAmong(1, {}).empty());
  EXPECT_TRUE(LikedAmong(8, named).empty()) << "somebody who is not known";
}

TEST_P(GraphStoreContract, LikesAreFoundAmongAHundredPosts) {
  std::vector<PostId> named;
  std::vector<PostId> expected;
  Commit([&](GraphTransaction& tx) {
    for (int i = 1; i <= 100; ++i) {
      tx.InsertPost(SamplePost(i, 9));
      named.push_back(TestPost(i));
      if (i % 3 != 0) continue;
      tx.InsertLike(SampleLike(1, i));
      expected.push_back(TestPost(i));
    }
  });
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(LikedAmong(1, named), expected);
}

TEST_P(GraphStoreContract, FollowsAreKeptUntilDeletedAndListedInBothDirections) {
  Follow out = SampleFollow(1, 2);
  Follow in = SampleFollow(3, 1);
  Commit([&](GraphTransaction& tx) {
    out.incarnation = tx.InsertFollow(out).incarnation;
    in = tx.InsertFollow(in);
    tx.InsertFollow(SampleFollow(2, 3));
  });
  EXPECT_GT(out.incarnation, 0);
  Reopen();
  Commit([&](GraphTransaction& tx) {
    EXPECT_EQ(tx.FindFollow(TestUser(1), TestUser(2)), out);
    EXPECT_EQ(tx.FindFollow(TestUser(2), TestUser(1)), std::nullopt);
    EXPECT_EQ(tx.FollowsOf(TestUser(1), 10).size(), 2u);
    tx.DeleteFollow(out);
    EXPECT_EQ(tx.FindFollow(TestUser(1), TestUser(2)), std::nullopt);
    EXPECT_EQ(tx.FollowsOf(TestUser(1), 10), std::vector{in});
  });
}

TEST_P(GraphStoreContract, WhatIsOfAUserIsReadUpToALimit) {
  Commit([&](GraphTransaction& tx) {
    for (int i = 1; i <= 3; ++i) {
      tx.InsertPost(SamplePost(i, 1));
      tx.InsertComment(SampleComment(i, 1, 1));
      tx.InsertLike(SampleLike(1, i));
      tx.InsertFollow(SampleFollow(1, 10 + i));
      tx.InsertFollow(SampleFollow(10 + i, 1));
    }
    for (const std::size_t limit : {std::size_t{0}, std::size_t{2}}) {
      EXPECT_EQ(tx.LivePostsOf(TestUser(1), limit).size(), limit);
      EXPECT_EQ(tx.CommentsOf(TestUser(1), limit).size(), limit);
      EXPECT_EQ(tx.LikesOf(TestUser(1), limit).size(), limit);
      EXPECT_EQ(tx.FollowsOf(TestUser(1), limit).size(), limit);
    }
    EXPECT_EQ(tx.FollowsOf(TestUser(1), 5).size(), 5u) << "of both directions together";
  });
}

TEST_P(GraphStoreContract, IncarnationsRiseAndAreNeverReused) {
  std::vector<Incarnation> lives;
  const auto live_and_die = [&](GraphTransaction& tx) {
    const Like like = tx.InsertLike(SampleLike(1, 1));
    tx.DeleteLike(like);
    const Follow follow = tx.InsertFollow(SampleFollow(1, 2));
    tx.DeleteFollow(follow);
    const Comment comment = tx.InsertComment(SampleComment(1, 1, 1));
    tx.DeleteComment(comment);
    return std::vector{like.incarnation, follow.incarnation, comment.incarnation};
  };
  std::vector<Incarnation> last(3, 0);
  for (int round = 0; round < 6; ++round) {
    const std::vector<Incarnation> now = Do(live_and_die);
    for (std::size_t i = 0; i < now.size(); ++i) EXPECT_GT(now[i], last[i]) << "kind " << i << ", round " << round;
    last = now;
    if (round % 2 == 1) Reopen();
  }
}

TEST_P(GraphStoreContract, RetiredIdsStaySoEachInItsKind) {
  Commit([&](GraphTransaction& tx) {
    tx.Retire(RetiredKind::kUser, TestUser(1).value);
    EXPECT_TRUE(tx.IsRetired(RetiredKind::kUser, TestUser(1).value));
    tx.Retire(RetiredKind::kUser, TestUser(1).value);  // again: no error
  });
  Reopen();
  Commit([&](GraphTransaction& tx) {
    EXPECT_TRUE(tx.IsRetired(RetiredKind::kUser, TestUser(1).value));
    EXPECT_FALSE(tx.IsRetired(RetiredKind::kComment, TestUser(1).value));
    EXPECT_FALSE(tx.IsRetired(RetiredKind::kUser, TestUser(2).value));
  });
  EXPECT_TRUE(store().IsRetired(RetiredKind::kUser, TestUser(1).value));
  EXPECT_FALSE(store().IsRetired(RetiredKind::kComment, TestUser(1).value));
  EXPECT_FALSE(store().IsRetired(RetiredKind::kUser, TestUser(2).value));
}

TEST_P(GraphStoreContract, EventsAreRemembered) {
  const Event event = LikeEvent(EventType::kLike, 1, 1, 1);
  Event with_post = event;
  with_post.post_author = TestUser(5);
  Commit([&](GraphTransaction& tx) {
    EXPECT_FALSE(tx.KnowsEvent(event));
    EXPECT_TRUE(tx.RememberEvent(event));
    EXPECT_FALSE(tx.RememberEvent(event));
  });
  Reopen();
  Commit([&](GraphTransaction& tx) {
    EXPECT_TRUE(tx.KnowsEvent(event));
    EXPECT_FALSE(tx.RememberEvent(with_post)) << "what is copied from the post is not its identity";
    EXPECT_FALSE(tx.KnowsEvent(LikeEvent(EventType::kUnlike, 1, 1, 1)));
    EXPECT_FALSE(tx.KnowsEvent(LikeEvent(EventType::kLike, 1, 1, 1, kStart + 1)));
  });
}

TEST_P(GraphStoreContract, EventsAreForgottenOnlyWhenTheyCannotComeAgain) {
  const Event old = LikeEvent(EventType::kLike, 1, 1, 1, kStart);
  const Event younger = LikeEvent(EventType::kLike, 1, 1, 1, kStart + 1);
  Commit([&](GraphTransaction& tx) {
    tx.RememberEvent(old);
    tx.RememberEvent(younger);
  });
  clock_.Advance(kEventMemory);
  EXPECT_EQ(store().ForgetOldEvents(), 0);
  Commit([&](GraphTransaction& tx) { EXPECT_TRUE(tx.KnowsEvent(old)); });
  clock_.Advance(1);
  EXPECT_EQ(store().ForgetOldEvents(), 1);
  Reopen();
  Commit([&](GraphTransaction& tx) {
    EXPECT_FALSE(tx.KnowsEvent(old));
    EXPECT_TRUE(tx.KnowsEvent(younger));
  });
}

TEST_P(GraphStoreContract, ManyEventsAreForgotten) {
  constexpr int kEvents = 5000;
  const auto event = [](int number) { return LikeEvent(EventType::kLike, 1, 1, number, kStart + number); };
  Commit([&](GraphTransaction& tx) {
    for (int i = 0; i < kEvents; ++i) tx.RememberEvent(event(i));
  });
  clock_.Advance(kEventMemory + 4500);
  EXPECT_EQ(store().ForgetOldEvents(), 4500);
  EXPECT_EQ(store().ForgetOldEvents(), 0);
  Commit([&](GraphTransaction& tx) {
    for (int i = 0; i < kEvents; i += 499) EXPECT_EQ(tx.KnowsEvent(event(i)), i >= 4500) << i;
  });
}

TEST_P(GraphStoreContract, FactsAreReplacedAndDurable) {
  EXPECT_EQ(store().GetFact("a"), std::nullopt);
  Commit([&](GraphTransaction& tx) {
    tx.SetFact("a", "one");
    EXPECT_EQ(tx.GetFact("a"), "one");
    tx.SetFact("a", "two");
    tx.SetFact("b", "");
  });
  Reopen();
  EXPECT_EQ(store().GetFact("a"), "two");
  EXPECT_EQ(store().GetFact("b"), "");
  EXPECT_EQ(Do([&](GraphTransaction& tx) { return tx.GetFact("c"); }), std::nullopt);
}

TEST_P(GraphStoreContract, TheOutboxKeepsItsOrderUntilItIsCleared) {
  std::vector<Event> events;
  events.reserve(5);
  for (int i = 0; i < 5; ++i) events.push_back(LikeEvent(EventType::kLike, 1, i, i, kStart - i));
  events[2].post_author = TestUser(4);
  events[2].post_created_at = kStart - 99;
  Commit([&](GraphTransaction& tx) {
    for (const Event& event : events) tx.AddToOutbox(event);
  });
  Reopen();
  const std::vector<OutboxEntry> first = store().ReadOutbox(3);
  ASSERT_EQ(first.size(), 3u);
  const std::vector<OutboxEntry> all = store().ReadOutbox(100);
  ASSERT_EQ(all.size(), 5u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].event, events[i]);
    if (i > 0) {
      EXPECT_GT(all[i].sequence, all[i - 1].sequence);
    }
  }
  store().ClearOutbox(first.back().sequence);
  ASSERT_EQ(store().ReadOutbox(100).size(), 2u);
  EXPECT_EQ(store().ReadOutbox(100).front().event, events[3]);
  store().ClearOutbox(all.back().sequence);
  EXPECT_TRUE(store().ReadOutbox(100).empty());

  Reopen();
  Commit([&](GraphTransaction& tx) { tx.AddToOutbox(events[0]); });
  ASSERT_EQ(store().ReadOutbox(100).size(), 1u);
  EXPECT_GT(store().ReadOutbox(100).front().sequence, all.back().sequence)
      << "a late clearing must not hit new entries";
}

TEST_P(GraphStoreContract, BulkModeChangesNoAnswer) {
  store().SetBulkMode(true);
  Commit([&](GraphTransaction& tx) {
    for (int i = 1; i <= 4; ++i) {
      tx.InsertUser(SampleUser(i));
      tx.InsertPost(SamplePost(i, 1));
      tx.InsertFollow(SampleFollow(i, 9));
    }
  });
  const auto expect_all = [&] {
    const std::vector<Post> posts =
        ReadPages<Post>(3, [&](auto after) { return store().PostsOf(TestUser(1), 3, after); });
    EXPECT_EQ(posts, (std::vector{SamplePost(4, 1), SamplePost(3, 1), SamplePost(2, 1), SamplePost(1, 1)}));
    EXPECT_EQ(ReadPages<User>(3, [&](auto after) { return store().Followers(TestUser(9), 3, after); }).size(), 4u);
  };
  expect_all();
  store().SetBulkMode(false);
  expect_all();
  store().SetBulkMode(true);
  Reopen();
  expect_all();
  EXPECT_EQ(CodeOf(AddUser(5)), "") << "and whoever opens it knows nothing of the mode";
}

// --- Transactions.

TEST_P(GraphStoreContract, NowIsTheClockOfTheTransaction) {
  EXPECT_EQ(Do([](GraphTransaction& tx) { return tx.Now(); }), kStart);
  clock_.Advance(5);
  EXPECT_EQ(Do([](GraphTransaction& tx) { return tx.Now(); }), kStart + 5);
}

TEST_P(GraphStoreContract, AWorkThatThrowsLeavesNothingAndOthersGoOn) {
  const Result<std::int64_t> refused = TryCommit([&](GraphTransaction& tx) {
    tx.InsertUser(SampleUser(1));
    tx.SetFact("a", "1");
    tx.Retire(RetiredKind::kPost, TestPost(1).value);
    tx.RememberEvent(LikeEvent(EventType::kLike, 1, 1, 1));
    tx.AddToOutbox(LikeEvent(EventType::kLike, 1, 1, 1));
    throw StoreError(Error{Failure::kStorageFull, "disk_full", "Free some space.", 0});
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().failure, Failure::kStorageFull);
  EXPECT_EQ(refused.error().code, "disk_full");

  const Result<std::int64_t> broken =
      TryCommit([](GraphTransaction&) { throw std::logic_error("a bug, as far as the store knows"); });
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().failure, Failure::kInternal);

  Commit([&](GraphTransaction& tx) {
    EXPECT_EQ(tx.FindUser(TestUser(1)), std::nullopt);
    EXPECT_EQ(tx.GetFact("a"), std::nullopt);
    EXPECT_FALSE(tx.IsRetired(RetiredKind::kPost, TestPost(1).value));
    EXPECT_FALSE(tx.KnowsEvent(LikeEvent(EventType::kLike, 1, 1, 1)));
    tx.InsertUser(SampleUser(1));
  });
  EXPECT_TRUE(store().ReadOutbox(10).empty());
  EXPECT_TRUE(store().GetUser(TestUser(1)));
}

TEST_P(GraphStoreContract, AWorkThatThrowsAmongOthersTakesNoneOfThemAlong) {
  std::vector<std::future<bool>> answers;
  for (int i = 0; i < 40; ++i) {
    const auto answer = std::make_shared<std::promise<bool>>();
    answers.push_back(answer->get_future());
    store().Write(
        [i](GraphTransaction& tx) {
          tx.SetFact("key" + std::to_string(i), "kept");
          if (i % 4 == 3) throw std::runtime_error("this one fails");
        },
        [answer](const Result<std::int64_t>& result) { answer->set_value(result.has_value()); });
  }
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(answers[static_cast<std::size_t>(i)].get(), i % 4 != 3) << i;
    EXPECT_EQ(store().GetFact("key" + std::to_string(i)).has_value(), i % 4 != 3) << i;
  }
}

TEST_P(GraphStoreContract, WritesOfManyThreadsRunOneAfterTheOther) {
  constexpr int kThreads = 4;
  constexpr int kWrites = 50;
  const auto add_one = [](GraphTransaction& tx) {
    const std::string before = tx.GetFact("count").value_or("0");
    tx.SetFact("count", std::to_string(std::stoi(before) + 1));
  };
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kWrites; ++i) Commit(add_one);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store().GetFact("count"), std::to_string(kThreads * kWrites));
}

TEST_P(GraphStoreContract, AnAnsweredWriteIsReadableAtOnceAndItsSequenceRises) {
  std::int64_t last = 0;
  for (int i = 1; i <= 20; ++i) {
    const std::int64_t sequence = Commit([&](GraphTransaction& tx) { tx.InsertUser(SampleUser(i)); });
    EXPECT_GT(sequence, last);
    last = sequence;
    EXPECT_TRUE(store().GetUser(TestUser(i)));
  }
  const std::int64_t nothing = Commit([](GraphTransaction&) {});
  EXPECT_GE(nothing, last) << "a write of nothing lies behind what it may have seen";
  EXPECT_TRUE(nothing == last || captured_outside()) << "and is where the last one was";
}

TEST_P(GraphStoreContract, ClosingAnswersEveryQueuedWriteOnceAndKeepsWhatItConfirmed) {
  constexpr int kWrites = 200;
  std::vector<std::atomic<int>> answered(kWrites);
  std::vector<std::atomic<bool>> kept(kWrites);
  for (int i = 0; i < kWrites; ++i) {
    const auto at = static_cast<std::size_t>(i);
    store().Write([i](GraphTransaction& tx) { tx.SetFact("key" + std::to_string(i), "kept"); },
                  [&, at](const Result<std::int64_t>& result) {
                    ++answered[at];
                    kept[at] = result.has_value();
                  });
  }
  Reopen();
  for (int i = 0; i < kWrites; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(answered[at], 1) << i;
    EXPECT_EQ(store().GetFact("key" + std::to_string(i)).has_value(), kept[at]) << i;
  }
}

TEST_P(GraphStoreContract, TheGenerationIsTheDirectorysOwn) {
  const std::string generation = store().Generation();
  EXPECT_FALSE(generation.empty());
  Reopen();
  EXPECT_EQ(store().Generation(), generation);
  const TempDirectory other;
  const OpenGraph graph = GetParam().open(other.path(), &clock_);
  EXPECT_NE(graph.store->Generation(), generation);
}

// --- Lists.

TEST_P(GraphStoreContract, PostsOfAreNewestFirstWithTiesByIdAndWithoutDeletedOnes) {
  std::vector<Post> expected;
  Commit([&](GraphTransaction& tx) {
    expected.clear();
    for (int i = 0; i < 12; ++i) {
      Post post = SamplePost(i, 1);
      post.created_at = kStart + i / 4;  // groups of four at one instant
      tx.InsertPost(post);
      if (i % 5 == 2) {
        Post deleted = post;
        deleted.deleted_at = kStart + 50;
        tx.UpdatePost(post, deleted);
      } else {
        expected.push_back(post);
      }
    }
    tx.InsertPost(SamplePost(100, 2));
  });
  std::sort(expected.begin(), expected.end(), [](const Post& a, const Post& b) {
    return std::tuple(-a.created_at, a.id) < std::tuple(-b.created_at, b.id);
  });
  for (std::size_t limit = 1; limit <= expected.size() + 1; ++limit) {
    EXPECT_EQ(ReadPages<Post>(limit, [&](auto after) { return store().PostsOf(TestUser(1), limit, after); }), expected)
        << "limit " << limit;
  }
  EXPECT_TRUE(store().PostsOf(TestUser(9), 10, std::nullopt).items.empty());
}

TEST_P(GraphStoreContract, FollowListsAreByTheFollowsTimeWithTiesById) {
  AddUsers(12);
  std::vector<std::pair<TimeMs, UserId>> expected;
  Commit([&](GraphTransaction& tx) {
    expected.clear();
    for (int i = 2; i <= 12; ++i) {
      const TimeMs at = kStart - (i * 7 % 4);
      Must(PutFollow(tx, TestUser(i), TestUser(1), at));
      Must(PutFollow(tx, TestUser(1), TestUser(i), at));
      expected.emplace_back(-at, TestUser(i));
    }
  });
  std::sort(expected.begin(), expected.end());
  std::vector<UserId> expected_ids;
  expected_ids.reserve(expected.size());
  for (const auto& [at, id] : expected) expected_ids.push_back(id);

  const auto ids = [](const std::vector<User>& users) {
    std::vector<UserId> result;
    result.reserve(users.size());
    for (const User& user : users) result.push_back(user.id);
    return result;
  };
  for (std::size_t limit : {1u, 2u, 3u, 5u, 11u, 12u}) {
    EXPECT_EQ(ids(ReadPages<User>(limit, [&](auto after) { return store().Followers(TestUser(1), limit, after); })),
              expected_ids);
    EXPECT_EQ(ids(ReadPages<User>(limit, [&](auto after) { return store().Following(TestUser(1), limit, after); })),
              expected_ids);
  }
  const User shown = store().Followers(TestUser(1), 1, std::nullopt).items.at(0);
  EXPECT_EQ(shown, store().GetUser(shown.id));
}

TEST_P(GraphStoreContract, CommentsOnAPostAreNewestFirst) {
  std::vector<Comment> expected;
  Commit([&](GraphTransaction& tx) {
    expected.clear();
    for (int i = 0; i < 9; ++i) {
      Comment comment = SampleComment(i, 1, i % 3);
      comment.created_at = kStart + i / 3;
      expected.push_back(tx.InsertComment(comment));
    }
    tx.InsertComment(SampleComment(50, 2, 1));
  });
  std::sort(expected.begin(), expected.end(), [](const Comment& a, const Comment& b) {
    return std::tuple(-a.created_at, a.id) < std::tuple(-b.created_at, b.id);
  });
  for (std::size_t limit : {1u, 2u, 4u, 9u, 20u}) {
    EXPECT_EQ(ReadPages<Comment>(limit, [&](auto after) { return store().CommentsOn(TestPost(1), limit, after); }),
              expected);
  }
}

TEST_P(GraphStoreContract, AListGoesOnBehindACursorWhoseItemIsGone) {
  Must(AddUser(1));
  for (int i = 1; i <= 4; ++i) {
    Must(AddPost(i, 1));
    clock_.Advance(1);
  }
  const ListPage<Post> page = store().PostsOf(TestUser(1), 2, std::nullopt);
  ASSERT_TRUE(page.next);
  ASSERT_EQ(page.items.back().id, TestPost(3));
  Must(RemovePost(std::nullopt, 3));
  const ListPage<Post> rest = store().PostsOf(TestUser(1), 2, page.next);
  ASSERT_EQ(rest.items.size(), 2u);
  EXPECT_EQ(rest.items[0].id, TestPost(2));
  EXPECT_EQ(rest.items[1].id, TestPost(1));
  EXPECT_FALSE(rest.next);
}

TEST_P(GraphStoreContract, UsersAreListedByThePrefixOfTheirHandle) {
  int number = 0;
  for (const char* handle : {"b", "a_c", "abc", "a%c", "ABC", "ab", "\u00e4b"}) {
    ASSERT_EQ(CodeOf(AddUser(++number, handle)), "");
  }
  const auto handles = [&](std::string_view prefix, std::size_t limit) {
    std::vector<std::string> found;
    for (const User& user : store().ListUsers(prefix, limit)) found.push_back(user.handle);
    return found;
  };
  using Handles = std::vector<std::string>;
  EXPECT_EQ(handles("", 100), (Handles{"ABC", "a%c", "a_c", "ab", "abc", "b", "\u00e4b"}));
  EXPECT_EQ(handles("a", 100), (Handles{"a%c", "a_c", "ab", "abc"}));
  EXPECT_EQ(handles("a", 2), (Handles{"a%c", "a_c"}));
  EXPECT_EQ(handles("a_", 100), (Handles{"a_c"})) << "no pattern: _ is a character";
  EXPECT_EQ(handles("a%", 100), (Handles{"a%c"}));
  EXPECT_EQ(handles("\u00e4", 100), (Handles{"\u00e4b"}));
  EXPECT_EQ(handles("x", 100), Handles{});
}

// --- Users.

TEST_P(GraphStoreContract, ANewUserGetsATimeOrderedIdAndTheTimeOfTheTransaction) {
  const NewUser request = {std::nullopt, "ann", "Ann"};
  const User user = Do([&](GraphTransaction& tx) { return CreateUser(tx, request); }).value();
  EXPECT_EQ(user.id.value.bytes[6] >> 4, 7) << "UUID version 7";
  EXPECT_EQ(user.created_at, kStart);
  EXPECT_EQ(user.handle, "ann");
  EXPECT_EQ(user.name, "Ann");
  EXPECT_EQ(user.external_id, std::nullopt);
  EXPECT_EQ(store().GetUser(user.id), user);
}

TEST_P(GraphStoreContract, AnExternalIdIsKeptWithTheUserPostAndComment) {
  const ParsedId user_id = ParseApiId(IdKind::kUser, "ext:u-1").value();
  const ParsedId post_id = ParseApiId(IdKind::kPost, "ext:p-1").value();
  const ParsedId comment_id = ParseApiId(IdKind::kComment, "ext:c-1").value();
  Commit([&](GraphTransaction& tx) {
    const User user = Must(CreateUser(tx, {user_id, "ann", ""}));
    const Post post = Must(CreatePost(tx, {post_id, user.id, "text"}));
    Must(CreateComment(tx, {comment_id, post.id, user.id, "text"}));
  });
  EXPECT_EQ(store().GetUser({user_id.id})->external_id, "u-1");
  EXPECT_EQ(store().GetPost({post_id.id})->external_id, "p-1");
  EXPECT_EQ(store().GetComment({comment_id.id})->external_id, "c-1");
}

TEST_P(GraphStoreContract, AKnownUserIdWithTheSameBodyIsTheSameUser) {
  const User user = Must(AddUser(1, "ann", "Ann"));
  clock_.Advance(1000);
  EXPECT_EQ(Must(AddUser(1, "ann", "Ann")), user);
  EXPECT_EQ(CodeOf(AddUser(1, "ann", "Other")), "id_conflict");
  EXPECT_EQ(CodeOf(AddUser(1, "other", "Ann")), "id_conflict");
  EXPECT_EQ(store().GetUser(user.id), user);
}

TEST_P(GraphStoreContract, AHandleIsTakenOnce) {
  Must(AddUser(1, "ann"));
  const Result<User> second = AddUser(2, "ann");
  ASSERT_EQ(CodeOf(second), "handle_taken");
  EXPECT_EQ(second.error().failure, Failure::kConflict);
  EXPECT_EQ(store().GetUser(TestUser(2)), std::nullopt);
}

TEST_P(GraphStoreContract, BadHandlesAndNamesAreRefused) {
  EXPECT_EQ(CodeOf(AddUser(1, "")), "bad_handle");
  EXPECT_EQ(CodeOf(AddUser(1, std::string(65, 'a'))), "bad_handle");
  EXPECT_EQ(CodeOf(AddUser(1, "a\tb")), "bad_handle");
  EXPECT_EQ(CodeOf(AddUser(1, "ann", std::string(201, 'a'))), "bad_name");
  EXPECT_EQ(store().GetUser(TestUser(1)), std::nullopt);
}

TEST_P(GraphStoreContract, NoTextHasTheCharacterZero) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddComment(1, 1, 2));
  const std::string text("a\0b", 3);
  EXPECT_EQ(CodeOf(AddUser(3, text)), "bad_handle");
  EXPECT_EQ(CodeOf(AddUser(3, "ann", text)), "bad_name");
  EXPECT_EQ(CodeOf(AddPost(2, 1, text)), "bad_text");
  EXPECT_EQ(CodeOf(Edit(std::nullopt, 1, text)), "bad_text");
  const Result<Comment> comment = AddComment(2, 1, 2, text);
  ASSERT_EQ(CodeOf(comment), "bad_text");
  EXPECT_EQ(comment.error().failure, Failure::kUnprocessable);
  EXPECT_EQ(store().GetPost(TestPost(1))->text, "text");
}

TEST_P(GraphStoreContract, ErasingAUserTakesEverythingOfTheirsAndNothingElse) {
  AddUsers(3);
  Must(AddPost(1, 1, "mine"));
  Must(AddPost(2, 2, "theirs"));
  Must(AddComment(1, 2, 1));
  Must(AddComment(2, 1, 2));
  Must(AddComment(3, 2, 3));
  for (const auto& [user, post] : {std::pair(1, 2), std::pair(2, 1), std::pair(3, 2)}) Must(AddLike(user, post));
  for (const auto& [from, to] : {std::pair(1, 2), std::pair(2, 1), std::pair(2, 3)}) Must(AddFollow(from, to));

  clock_.Advance(7);
  EXPECT_EQ(CodeOf(Erase(1)), "");

  EXPECT_EQ(store().GetUser(TestUser(1)), std::nullopt);
  EXPECT_EQ(store().GetPost(TestPost(1))->text, "");
  EXPECT_EQ(store().GetPost(TestPost(1))->deleted_at, kStart + 7);
  EXPECT_EQ(store().GetComment(TestComment(1)), std::nullopt);
  EXPECT_EQ(FindLike(1, 2), std::nullopt);
  EXPECT_EQ(FindFollow(1, 2), std::nullopt);
  EXPECT_EQ(FindFollow(2, 1), std::nullopt);
  EXPECT_TRUE(store().Following(TestUser(1), 10, std::nullopt).items.empty());

  EXPECT_EQ(store().GetPost(TestPost(2))->text, "theirs");
  EXPECT_TRUE(store().GetComment(TestComment(2))) << "others' comments under their posts stay";
  EXPECT_TRUE(store().GetComment(TestComment(3)));
  EXPECT_TRUE(FindLike(2, 1));
  EXPECT_TRUE(FindLike(3, 2));
  EXPECT_TRUE(FindFollow(2, 3));
}

TEST_P(GraphStoreContract, AnErasedUsersIdIsNeverAcceptedAgainButTheHandleIsFree) {
  AddUsers(2);
  Must(AddPost(1, 2));
  Must(AddComment(1, 1, 1));
  ASSERT_EQ(CodeOf(Erase(1)), "");
  EXPECT_EQ(CodeOf(Erase(1)), "") << "a retry";
  Reopen();
  EXPECT_EQ(CodeOf(AddUser(1)), "id_retired");
  EXPECT_EQ(CodeOf(AddUser(3, "user1")), "");
  EXPECT_EQ(CodeOf(AddComment(1, 1, 2)), "id_retired") << "nor are the ids of their comments";
  EXPECT_EQ(CodeOf(AddPost(9, 1)), "unknown_user");
  EXPECT_EQ(CodeOf(AddFollow(2, 1)), "unknown_user");
  EXPECT_EQ(CodeOf(AddLike(1, 1)), "unknown_user");
}

TEST_P(GraphStoreContract, AnErasedUserIsGoneAtOnceAndWhatTheyWroteInBoundedSteps) {
  AddUsers(4);
  for (int i = 1; i <= 3; ++i) Must(AddPost(i, 1));
  Must(AddPost(4, 2));
  for (int i = 1; i <= 3; ++i) Must(AddComment(i, 4, 1));
  for (int i = 1; i <= 4; ++i) Must(AddLike(1, i));
  for (int i = 2; i <= 4; ++i) {
    Must(AddFollow(1, i));
    Must(AddFollow(i, 1));
  }
  const std::int64_t before = changes_recorded();
  Must(Do([&](GraphTransaction& tx) { return EraseUser(tx, TestUser(1)); }));
  EXPECT_EQ(changes_recorded(), before + 1) << "the user alone";
  EXPECT_EQ(store().GetUser(TestUser(1)), std::nullopt);
  EXPECT_TRUE(store().Followers(TestUser(2), 10, std::nullopt).items.empty()) << "not in the lists of others either";
  EXPECT_EQ(CodeOf(AddFollow(3, 1)), "unknown_user");

  const auto step = [&](GraphTransaction& tx) { return RemoveErased(tx, TestUser(1), 3); };
  int steps = 0;
  for (bool done = false; !done; ++steps) {
    if (steps == 2) Reopen();
    const std::int64_t from = changes_recorded();
    done = Do(step);
    EXPECT_LE(changes_recorded() - from, 3);
  }
  EXPECT_EQ(steps, 6) << "16 rows by three";
  EXPECT_EQ(changes_recorded(), before + 1 + 16);
  EXPECT_TRUE(Do(step)) << "again, of nothing";
  EXPECT_TRUE(Do([&](GraphTransaction& tx) { return RemoveErased(tx, TestUser(2), 3); })) << "of somebody who stays";
  EXPECT_TRUE(FindLike(2, 4) == std::nullopt && store().GetUser(TestUser(2)));
}

TEST_P(GraphStoreContract, AnErasureIsKeptUntilItIsClosed) {
  AddUsers(2);
  clock_.Advance(5);
  Must(Do([&](GraphTransaction& tx) { return EraseUser(tx, TestUser(1)); }));
  Reopen();
  std::vector<Erasure> erasures = store().ReadErasures();
  ASSERT_EQ(erasures.size(), 1u);
  EXPECT_EQ(erasures[0].user, TestUser(1));
  EXPECT_NE(erasures[0].pseudonym, TestUser(1));
  EXPECT_EQ(erasures[0].erased_at, kStart + 5);
  EXPECT_FALSE(erasures[0].removed);
  clock_.Advance(5);
  Must(Erase(1));
  erasures[0].removed = true;
  EXPECT_EQ(store().ReadErasures(), erasures);
  Must(Erase(2));
  ASSERT_EQ(store().ReadErasures().size(), 2u);
  EXPECT_NE(store().ReadErasures()[0].pseudonym, store().ReadErasures()[1].pseudonym);
  store().CloseErasures(erasures);
  ASSERT_EQ(store().ReadErasures().size(), 1u);
  EXPECT_EQ(store().ReadErasures()[0].user, TestUser(2));
  EXPECT_EQ(CodeOf(AddUser(1)), "id_retired") << "for good";
}

TEST_P(GraphStoreContract, HidingPutsPseudonymsIntoTheRowsThatStay) {
  AddUsers(3);
  Commit([&](GraphTransaction& tx) {
    Must(CreatePost(tx, {ParsedId{TestPost(1).value, "post-ext"}, TestUser(1), "mine"}));
  });
  Must(AddPost(2, 1));
  Must(RemovePost(TestUser(1), 2));
  Must(AddPost(3, 2, "theirs"));
  Must(AddComment(1, 1, 2));
  Must(AddComment(2, 3, 3));
  Must(AddLike(2, 1));
  Must(AddLike(3, 3));
  Must(SendLikeEvent(LikeEvent(EventType::kLike, 1, 3, 1)));
  Must(SendLikeEvent(LikeEvent(EventType::kLike, 3, 1, 1)));
  Must(SendLikeEvent(LikeEvent(EventType::kLike, 2, 3, 1)));
  Commit([&](GraphTransaction& tx) {
    tx.SetFact("of/" + TestUser(1).ToString(), "x");
    tx.SetFact("of/" + TestUser(2).ToString(), "y");
  });
  Must(Erase(1));
  const std::vector<Erasure> erased = store().ReadErasures();
  const UserId pseudonym = erased.at(0).pseudonym;
  const std::int64_t end = changes_recorded();
  const auto theirs = store().GetPost(TestPost(3));

  for (int round = 0; round < 2; ++round) {
    store().HideInRows(erased);
    for (const int post : {1, 2}) {
      EXPECT_EQ(store().GetPost(TestPost(post))->author, pseudonym);
      EXPECT_EQ(store().GetPost(TestPost(post))->external_id, std::nullopt);
    }
    EXPECT_EQ(store().GetPost(TestPost(3)), theirs);
    EXPECT_EQ(store().GetComment(TestComment(1))->post_author, pseudonym);
    EXPECT_EQ(store().GetComment(TestComment(1))->text, "comment") << "it is somebody else's";
    EXPECT_EQ(store().GetComment(TestComment(2))->post_author, TestUser(2));
    EXPECT_EQ(FindLike(2, 1)->post_author, pseudonym);
    EXPECT_EQ(FindLike(3, 3)->post_author, TestUser(2));
    EXPECT_EQ(store().GetFact("of/" + TestUser(1).ToString()), std::nullopt);
    EXPECT_EQ(store().GetFact("of/" + TestUser(2).ToString()), "y");
    std::vector<std::pair<UserId, UserId>> waiting;
    for (const OutboxEntry& entry : store().ReadOutbox(10)) {
      waiting.emplace_back(entry.event.user, entry.event.post_author);
    }
    EXPECT_EQ(waiting, (std::vector<std::pair<UserId, UserId>>{{TestUser(3), pseudonym}, {TestUser(2), TestUser(2)}}));
    Reopen();
  }
  if (!captured_outside()) {
    EXPECT_EQ(changes_recorded(), end) << "no change";
  }
  EXPECT_EQ(CodeOf(Unlike(2, 1)), "") << "on a deleted post";
  EXPECT_EQ(CodeOf(Uncomment(TestUser(2), 1)), "");
  EXPECT_EQ(CodeOf(AddPost(1, 2, "mine")), "id_retired");
}

// A platform may choose it.
TEST_P(GraphStoreContract, TheNilIdIsHiddenLikeAnyOther) {
  AddUsers(2);
  const PostId nil{};
  Commit([&](GraphTransaction& tx) {
    Must(CreateUser(tx, {ParsedId{Uuid(), std::nullopt}, "nil", ""}));
    Must(CreatePost(tx, {ParsedId{nil.value, std::nullopt}, TestUser(1), "mine"}));
    Must(CreateComment(tx, {ParsedId{Uuid(), std::nullopt}, nil, UserId{}, "text"}));
    Must(PutLike(tx, UserId{}, nil, kStart));
  });
  Must(Erase(1));
  const std::vector<Erasure> erased = store().ReadErasures();
  const UserId pseudonym = erased.at(0).pseudonym;
  store().HideInRows(erased);
  EXPECT_EQ(store().GetPost(nil)->author, pseudonym);
  EXPECT_EQ(store().GetComment(CommentId{})->post_author, pseudonym);
  EXPECT_EQ(Do([&](GraphTransaction& tx) { return tx.FindLike(UserId{}, nil); })->post_author, pseudonym);
}

TEST_P(GraphStoreContract, ScrubbingLeavesEverythingThatIsThere) {
  AddUsers(5);
  for (int i = 1; i <= 5; ++i) Must(AddPost(i, i, std::string(static_cast<std::size_t>(i) * 900, 'x')));
  Must(Erase(3));
  const auto before = store().GetPost(TestPost(5));
  EXPECT_GE(store().Scrub(), 0);
  EXPECT_EQ(store().GetPost(TestPost(5)), before);
  Reopen();
  EXPECT_EQ(store().GetPost(TestPost(5)), before);
  EXPECT_EQ(CodeOf(AddPost(6, 5)), "");
}

TEST_P(GraphStoreContract, ErasingAnUnknownUserIs404) {
  const Status erased = Erase(1);
  ASSERT_EQ(CodeOf(erased), "unknown_user");
  EXPECT_EQ(erased.error().failure, Failure::kNotFound);
}

// --- Backups that were put back.

TEST_P(GraphStoreContract, ErasedUsersAreToldByTheirDigests) {
  AddUsers(3);
  Must(AddPost(1, 1));
  Must(AddComment(1, 1, 1));
  EXPECT_TRUE(store().RetiredUsers().empty());
  Must(Erase(2));
  Must(Uncomment(std::nullopt, 1));
  EXPECT_EQ(store().RetiredUsers(), std::vector{DigestOf(2)}) << "users alone";
  Reopen();
  EXPECT_EQ(store().RetiredUsers(), std::vector{DigestOf(2)});
}

TEST_P(GraphStoreContract, UsersAreFoundByTheirDigests) {
  AddUsers(4);
  Must(Erase(2));
  User nil = SampleUser(9);
  nil.id = {};
  Commit([&](GraphTransaction& tx) { tx.InsertUser(nil); });
  const std::vector<Uuid> digests = {DigestOf(3), DigestOf(1), RetiredDigest(RetiredKind::kUser, Uuid()),
                                     DigestOf(2), DigestOf(8), DigestOf(1)};
  std::vector<UserId> found = store().FindUsers(digests);
  std::vector<UserId> expected = {UserId{}, TestUser(1), TestUser(3)};
  std::sort(found.begin(), found.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(found, expected);
  EXPECT_TRUE(store().FindUsers({}).empty());
}

TEST_P(GraphStoreContract, IdsOfAListAreRetiredForGood) {
  constexpr int kListed = 5000;
  std::vector<Uuid> digests;
  digests.reserve(kListed);
  for (int i = 1; i <= kListed; ++i) digests.push_back(DigestOf(i));
  Must(AddUser(kListed + 1));
  for (int round = 0; round < 2; ++round) {
    store().RetireUsers(digests);
    std::vector<Uuid> retired = store().RetiredUsers();
    std::sort(retired.begin(), retired.end());
    std::sort(digests.begin(), digests.end());
    EXPECT_EQ(retired, digests) << "each once";
    Reopen();
  }
  EXPECT_EQ(CodeOf(AddUser(1)), "id_retired");
  EXPECT_EQ(CodeOf(AddUser(kListed)), "id_retired");
  EXPECT_EQ(CodeOf(AddUser(kListed + 2)), "");
  EXPECT_TRUE(store().ReadErasures().empty()) << "nothing of them is there to be removed";
}

// --- Posts.

TEST_P(GraphStoreContract, APostIsCreatedByAKnownUserWithAText) {
  Must(AddUser(1));
  clock_.Advance(3);
  const NewPost request = {std::nullopt, TestUser(1), "hello"};
  const Post post = Do([&](GraphTransaction& tx) { return CreatePost(tx, request); }).value();
  EXPECT_EQ(post.id.value.bytes[6] >> 4, 7);
  EXPECT_EQ(post.author, TestUser(1));
  EXPECT_EQ(post.created_at, kStart + 3);
  EXPECT_EQ(store().GetPost(post.id), post);

  EXPECT_EQ(CodeOf(AddPost(1, 2)), "unknown_user");
  EXPECT_EQ(CodeOf(AddPost(1, 1, "")), "bad_text");
  EXPECT_EQ(CodeOf(AddPost(1, 1, std::string(10'001, 'a'))), "bad_text");
  EXPECT_EQ(CodeOf(AddPost(1, 1, std::string(10'000, 'a'))), "");
}

TEST_P(GraphStoreContract, AKnownPostIdWithTheSameBodyIsTheSamePost) {
  AddUsers(2);
  const Post post = Must(AddPost(1, 1, "hello"));
  clock_.Advance(1000);
  EXPECT_EQ(Must(AddPost(1, 1, "hello")), post);
  EXPECT_EQ(CodeOf(AddPost(1, 1, "other")), "id_conflict");
  EXPECT_EQ(CodeOf(AddPost(1, 2, "hello")), "id_conflict");
  Must(RemovePost(std::nullopt, 1));
  EXPECT_EQ(CodeOf(AddPost(1, 1, "hello")), "id_retired");
  EXPECT_EQ(AddPost(1, 1, "hello").error().failure, Failure::kConflict);
}

TEST_P(GraphStoreContract, OnlyTheAuthorAndThePlatformEditAPost) {
  AddUsers(2);
  Must(AddPost(1, 1, "one"));
  EXPECT_EQ(Must(Edit(TestUser(1), 1, "two")).text, "two");
  EXPECT_EQ(Must(Edit(std::nullopt, 1, "three")).text, "three");
  const Result<Post> strangers = Edit(TestUser(2), 1, "four");
  ASSERT_EQ(CodeOf(strangers), "not_yours");
  EXPECT_EQ(strangers.error().failure, Failure::kForbidden);
  EXPECT_EQ(CodeOf(Edit(TestUser(1), 1, "")), "bad_text");
  EXPECT_EQ(CodeOf(Edit(TestUser(1), 2, "text")), "unknown_post");

  const Post post = store().GetPost(TestPost(1)).value();
  EXPECT_EQ(post.text, "three");
  EXPECT_EQ(post.created_at, kStart) << "an edit changes the text alone";

  Must(RemovePost(TestUser(1), 1));
  EXPECT_EQ(CodeOf(Edit(TestUser(1), 1, "five")), "unknown_post");
  EXPECT_EQ(store().GetPost(TestPost(1))->text, "");
}

TEST_P(GraphStoreContract, DeletingAPostBlanksItAndMayBeRepeated) {
  AddUsers(2);
  Must(AddPost(1, 1, "secret"));
  EXPECT_EQ(CodeOf(RemovePost(TestUser(2), 1)), "not_yours");
  EXPECT_EQ(CodeOf(RemovePost(TestUser(1), 2)), "unknown_post");
  EXPECT_EQ(store().GetPost(TestPost(1))->deleted_at, std::nullopt);

  clock_.Advance(10);
  EXPECT_EQ(CodeOf(RemovePost(TestUser(1), 1)), "");
  clock_.Advance(10);
  EXPECT_EQ(CodeOf(RemovePost(TestUser(1), 1)), "");
  EXPECT_EQ(CodeOf(RemovePost(TestUser(2), 1)), "not_yours");
  EXPECT_EQ(store().GetPost(TestPost(1))->text, "");
  EXPECT_EQ(store().GetPost(TestPost(1))->deleted_at, kStart + 10) << "the first deletion dates it";

  Must(AddPost(2, 1));
  EXPECT_EQ(CodeOf(RemovePost(std::nullopt, 2)), "");
}

// --- Comments.

TEST_P(GraphStoreContract, ACommentCarriesThePostsAuthorAndTime) {
  AddUsers(2);
  Must(AddPost(1, 1));
  clock_.Advance(9);
  const Comment comment = Must(AddComment(1, 1, 2, "nice"));
  EXPECT_EQ(comment.post_author, TestUser(1));
  EXPECT_EQ(comment.post_created_at, kStart);
  EXPECT_EQ(comment.created_at, kStart + 9);
  EXPECT_GT(comment.incarnation, 0);
  EXPECT_EQ(store().GetComment(comment.id), comment);
}

TEST_P(GraphStoreContract, ACommentNeedsAKnownUserALivePostAndAText) {
  AddUsers(2);
  Must(AddPost(1, 1));
  EXPECT_EQ(CodeOf(AddComment(1, 1, 3)), "unknown_user");
  EXPECT_EQ(CodeOf(AddComment(1, 2, 2)), "unknown_post");
  EXPECT_EQ(CodeOf(AddComment(1, 1, 2, "")), "bad_text");
  Must(RemovePost(std::nullopt, 1));
  const Result<Comment> late = AddComment(1, 1, 2);
  ASSERT_EQ(CodeOf(late), "unknown_post");
  EXPECT_EQ(late.error().failure, Failure::kNotFound);
  EXPECT_EQ(store().GetComment(TestComment(1)), std::nullopt);
}

TEST_P(GraphStoreContract, AKnownCommentIdWithTheSameBodyIsTheSameComment) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddPost(2, 1));
  const Comment comment = Must(AddComment(1, 1, 2, "nice"));
  clock_.Advance(1000);
  EXPECT_EQ(Must(AddComment(1, 1, 2, "nice")), comment);
  EXPECT_EQ(CodeOf(AddComment(1, 1, 2, "other")), "id_conflict");
  EXPECT_EQ(CodeOf(AddComment(1, 2, 2, "nice")), "id_conflict");
  EXPECT_EQ(CodeOf(AddComment(1, 1, 1, "nice")), "id_conflict");
  Must(Uncomment(std::nullopt, 1));
  EXPECT_EQ(CodeOf(AddComment(1, 1, 2, "nice")), "id_retired");
}

TEST_P(GraphStoreContract, TheWriterThePostsAuthorAndThePlatformDeleteAComment) {
  AddUsers(3);
  Must(AddPost(1, 1));
  for (int i = 1; i <= 3; ++i) Must(AddComment(i, 1, 2));
  EXPECT_EQ(CodeOf(Uncomment(TestUser(3), 1)), "not_yours");
  EXPECT_EQ(CodeOf(Uncomment(TestUser(2), 1)), "");
  EXPECT_EQ(CodeOf(Uncomment(TestUser(1), 2)), "");
  EXPECT_EQ(CodeOf(Uncomment(std::nullopt, 3)), "");
  EXPECT_TRUE(store().CommentsOn(TestPost(1), 10, std::nullopt).items.empty());
  EXPECT_EQ(CodeOf(Uncomment(TestUser(2), 1)), "") << "a retry";
  EXPECT_EQ(CodeOf(Uncomment(TestUser(2), 4)), "unknown_comment");
}

TEST_P(GraphStoreContract, ACommentOnADeletedPostCanBeDeleted) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddComment(1, 1, 2));
  Must(RemovePost(TestUser(1), 1));
  EXPECT_EQ(CodeOf(Uncomment(TestUser(2), 1)), "");
  EXPECT_EQ(store().GetComment(TestComment(1)), std::nullopt);
}

// --- Likes.

TEST_P(GraphStoreContract, ALikeWhileLikedKeepsItsFirstTime) {
  AddUsers(2);
  const Post post = Must(AddPost(1, 1));
  EXPECT_EQ(CodeOf(AddLike(2, 1, kStart + 10)), "");
  const Like first = FindLike(2, 1).value();
  EXPECT_EQ(first.created_at, kStart + 10);
  EXPECT_EQ(first.post_author, TestUser(1));
  EXPECT_EQ(first.post_created_at, post.created_at);
  EXPECT_EQ(CodeOf(AddLike(2, 1, kStart + 20)), "");
  EXPECT_EQ(CodeOf(AddLike(2, 1, kStart + 5)), "") << "an earlier time does not move it either";
  EXPECT_EQ(FindLike(2, 1), first);
}

TEST_P(GraphStoreContract, ALikeAfterAnUnlikeHasTheNewTimeAndANewIncarnation) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddLike(2, 1, kStart + 10));
  const Like first = FindLike(2, 1).value();
  EXPECT_EQ(CodeOf(Unlike(2, 1)), "");
  EXPECT_EQ(FindLike(2, 1), std::nullopt);
  EXPECT_EQ(CodeOf(Unlike(2, 1)), "") << "an unlike of nothing";
  Must(AddLike(2, 1, kStart + 5));
  EXPECT_EQ(FindLike(2, 1)->created_at, kStart + 5);
  EXPECT_GT(FindLike(2, 1)->incarnation, first.incarnation);
}

TEST_P(GraphStoreContract, LikeUnlikeLikeInOneMillisecondAreTwoLives) {
  AddUsers(2);
  Must(AddPost(1, 1));
  std::set<Incarnation> lives;
  Commit([&](GraphTransaction& tx) {
    lives.clear();
    for (int i = 0; i < 2; ++i) {
      Must(PutLike(tx, TestUser(2), TestPost(1), kStart));
      lives.insert(tx.FindLike(TestUser(2), TestPost(1)).value().incarnation);
      if (i == 0) Must(RemoveLike(tx, TestUser(2), TestPost(1)));
    }
  });
  EXPECT_EQ(lives.size(), 2u);
  EXPECT_EQ(FindLike(2, 1)->incarnation, *lives.rbegin());
}

TEST_P(GraphStoreContract, OnADeletedPostLikesAre404AndUnlikesWork) {
  AddUsers(3);
  Must(AddPost(1, 1));
  Must(AddLike(2, 1));
  Must(RemovePost(TestUser(1), 1));
  const Status late = AddLike(3, 1);
  ASSERT_EQ(CodeOf(late), "unknown_post");
  EXPECT_EQ(late.error().failure, Failure::kNotFound);
  EXPECT_TRUE(FindLike(2, 1)) << "a deletion of the post leaves its likes";
  EXPECT_EQ(CodeOf(Unlike(2, 1)), "");
  EXPECT_EQ(FindLike(2, 1), std::nullopt);
}

TEST_P(GraphStoreContract, LikesByOrOfTheUnknownAre404) {
  Must(AddUser(1));
  Must(AddPost(1, 1));
  EXPECT_EQ(CodeOf(AddLike(2, 1)), "unknown_user");
  EXPECT_EQ(CodeOf(AddLike(1, 2)), "unknown_post");
  EXPECT_EQ(CodeOf(Unlike(2, 1)), "unknown_user");
  EXPECT_EQ(CodeOf(Unlike(1, 2)), "unknown_post");
  EXPECT_EQ(CodeOf(AddLike(1, 1)), "") << "one's own post can be liked";
}

// --- Follows.

TEST_P(GraphStoreContract, NobodyFollowsThemselves) {
  Must(AddUser(1));
  const Status self = AddFollow(1, 1);
  ASSERT_EQ(CodeOf(self), "self_follow");
  EXPECT_EQ(self.error().failure, Failure::kUnprocessable);
  EXPECT_EQ(FindFollow(1, 1), std::nullopt);
  EXPECT_EQ(CodeOf(Unfollow(1, 1)), "") << "nothing to undo";
}

TEST_P(GraphStoreContract, AFollowKeepsItsFirstTimeUntilItIsUndone) {
  AddUsers(2);
  EXPECT_EQ(CodeOf(Unfollow(1, 2)), "") << "an unfollow of nothing";
  Must(AddFollow(1, 2, kStart + 10));
  const Follow first = FindFollow(1, 2).value();
  EXPECT_EQ(first.created_at, kStart + 10);
  Must(AddFollow(1, 2, kStart + 20));
  EXPECT_EQ(FindFollow(1, 2), first);
  EXPECT_EQ(FindFollow(2, 1), std::nullopt) << "a follow has one direction";

  EXPECT_EQ(CodeOf(Unfollow(1, 2)), "");
  EXPECT_EQ(FindFollow(1, 2), std::nullopt);
  Must(AddFollow(1, 2, kStart + 20));
  EXPECT_EQ(FindFollow(1, 2)->created_at, kStart + 20);
  EXPECT_GT(FindFollow(1, 2)->incarnation, first.incarnation);
}

TEST_P(GraphStoreContract, FollowsByOrOfTheUnknownAre404) {
  Must(AddUser(1));
  EXPECT_EQ(CodeOf(AddFollow(1, 2)), "unknown_user");
  EXPECT_EQ(CodeOf(AddFollow(2, 1)), "unknown_user");
  EXPECT_EQ(CodeOf(Unfollow(1, 2)), "unknown_user");
  EXPECT_EQ(CodeOf(Unfollow(2, 1)), "unknown_user");
}

// --- Likes that come as events.

TEST_P(GraphStoreContract, ADismissalIsKeptAndNoChangeOfTheLog) {
  AddUsers(3);
  const std::int64_t before = changes_recorded();
  Must(Dismiss(1, 2));
  clock_.Advance(3);
  EXPECT_EQ(CodeOf(Dismiss(1, 2)), "") << "again";
  Must(Dismiss(1, 3));
  Must(Dismiss(2, 1));
  EXPECT_EQ(changes_recorded(), before);
  Reopen();
  std::vector<UserId> dismissed = store().DismissedBy(TestUser(1));
  std::sort(dismissed.begin(), dismissed.end());
  EXPECT_EQ(dismissed, (std::vector{TestUser(2), TestUser(3)}));
  EXPECT_EQ(store().DismissedBy(TestUser(2)), std::vector{TestUser(1)});
  EXPECT_TRUE(store().DismissedBy(TestUser(3)).empty());
  Commit([&](GraphTransaction& tx) {
    const std::vector<Dismissal> found = tx.DismissalsOf(TestUser(2), 10);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(tx.DismissalsOf(TestUser(2), 1).size(), 1u);
    const auto first = std::find(found.begin(), found.end(), Dismissal{TestUser(1), TestUser(2), kStart});
    EXPECT_NE(first, found.end()) << "it keeps its first time";
  });
}

TEST_P(GraphStoreContract, DismissalsByOrOfTheUnknownAre404AndOfOneselfAreRefused) {
  AddUsers(1);
  EXPECT_EQ(CodeOf(Dismiss(1, 9)), "unknown_user");
  EXPECT_EQ(CodeOf(Dismiss(9, 1)), "unknown_user");
  EXPECT_EQ(CodeOf(Dismiss(1, 1)), "self_dismissal");
  EXPECT_TRUE(store().DismissedBy(TestUser(1)).empty());
}

TEST_P(GraphStoreContract, ErasingAUserTakesTheirDismissalsOnBothSides) {
  AddUsers(4);
  for (const auto& [user, dismissed] : {std::pair(1, 2), std::pair(1, 3), std::pair(3, 1), std::pair(2, 4)}) {
    Must(Dismiss(user, dismissed));
  }
  Must(Do([&](GraphTransaction& tx) { return EraseUser(tx, TestUser(1)); }));
  EXPECT_FALSE(Do([&](GraphTransaction& tx) { return RemoveErased(tx, TestUser(1), 2); })) << "in bounded steps";
  Must(Erase(1));
  EXPECT_TRUE(store().DismissedBy(TestUser(1)).empty());
  EXPECT_TRUE(store().DismissedBy(TestUser(3)).empty());
  EXPECT_EQ(store().DismissedBy(TestUser(2)), std::vector{TestUser(4)});
}

TEST_P(GraphStoreContract, ALikeEventIsALikeDatedByItsTimeWithACopyInTheOutbox) {
  AddUsers(2);
  Must(AddPost(1, 1));
  const Event event = LikeEvent(EventType::kLike, 2, 1, 1, kStart - 500);
  EXPECT_TRUE(Must(SendLikeEvent(event)));
  EXPECT_EQ(FindLike(2, 1)->created_at, kStart - 500);

  Event copy = event;
  copy.post_author = TestUser(1);
  copy.post_created_at = kStart;
  ASSERT_EQ(store().ReadOutbox(10).size(), 1u);
  EXPECT_EQ(store().ReadOutbox(10)[0].event, copy);
}

TEST_P(GraphStoreContract, ALikeEventSentAgainAfterAnUnlikeDoesNotLikeAgain) {
  AddUsers(2);
  Must(AddPost(1, 1));
  const Event event = LikeEvent(EventType::kLike, 2, 1, 1);
  EXPECT_TRUE(Must(SendLikeEvent(event)));
  Must(Unlike(2, 1));
  Reopen();
  EXPECT_FALSE(Must(SendLikeEvent(event)));
  EXPECT_EQ(FindLike(2, 1), std::nullopt);
  EXPECT_EQ(store().ReadOutbox(10).size(), 1u) << "a repeat leaves no second copy";
  EXPECT_TRUE(Must(SendLikeEvent(LikeEvent(EventType::kLike, 2, 1, 2)))) << "another event does";
  EXPECT_TRUE(FindLike(2, 1));
}

TEST_P(GraphStoreContract, AnUnlikeEventSentAgainAfterALikeDoesNotUnlikeAgain) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddLike(2, 1));
  const Event event = LikeEvent(EventType::kUnlike, 2, 1, 1);
  EXPECT_TRUE(Must(SendLikeEvent(event)));
  EXPECT_EQ(FindLike(2, 1), std::nullopt);
  Must(AddLike(2, 1));
  EXPECT_FALSE(Must(SendLikeEvent(event)));
  EXPECT_TRUE(FindLike(2, 1));
}

TEST_P(GraphStoreContract, ALikeEventThatChangesNothingIsStillNew) {
  AddUsers(2);
  Must(AddPost(1, 1));
  Must(AddLike(2, 1, kStart + 10));
  EXPECT_TRUE(Must(SendLikeEvent(LikeEvent(EventType::kLike, 2, 1, 1, kStart + 20))));
  EXPECT_EQ(FindLike(2, 1)->created_at, kStart + 10);
  Must(Unlike(2, 1));
  EXPECT_TRUE(Must(SendLikeEvent(LikeEvent(EventType::kUnlike, 2, 1, 2))));
  EXPECT_EQ(store().ReadOutbox(10).size(), 2u);
}

TEST_P(GraphStoreContract, LikeEventsOnADeletedPostAre404AndUnlikeEventsWork) {
  AddUsers(2);
  Must(AddPost(1, 1));
  const Event before = LikeEvent(EventType::kLike, 2, 1, 1);
  EXPECT_TRUE(Must(SendLikeEvent(before)));
  Must(RemovePost(TestUser(1), 1));
  const Event late = LikeEvent(EventType::kLike, 2, 1, 2);
  EXPECT_EQ(CodeOf(SendLikeEvent(late)), "unknown_post");
  EXPECT_FALSE(Must(SendLikeEvent(before))) << "a repeat of what was accepted is a repeat";
  EXPECT_TRUE(Must(SendLikeEvent(LikeEvent(EventType::kUnlike, 2, 1, 3))));
  EXPECT_EQ(FindLike(2, 1), std::nullopt);
}

TEST_P(GraphStoreContract, ARefusedLikeEventIsNotRemembered) {
  Must(AddUser(1));
  const Event event = LikeEvent(EventType::kLike, 2, 1, 1);
  EXPECT_EQ(CodeOf(SendLikeEvent(event)), "unknown_user");
  Must(AddUser(2));
  EXPECT_EQ(CodeOf(SendLikeEvent(event)), "unknown_post");
  Must(AddPost(1, 1));
  EXPECT_TRUE(store().ReadOutbox(10).empty());
  EXPECT_TRUE(Must(SendLikeEvent(event))) << "once its user and post are there it is new";
}

TEST_P(GraphStoreContract, OtherEventTypesAreABugOfTheCaller) {
  AddUsers(2);
  Must(AddPost(1, 1));
  const Event event = LikeEvent(EventType::kShare, 2, 1, 1);
  const auto result = TryCommit([&](GraphTransaction& tx) { Must(ApplyLikeEvent(tx, event)); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, Failure::kInternal);
}

}  // namespace novafeed
