// Two stores, as two processes have them, write to one database at the same time: what comes of it is what some order
// of the same commands gives in the model.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/postgres/server_test_support.h"
#include "graph/commands.h"
#include "graph/graph_model.h"
#include "graph/store_fixture.h"

namespace novafeed::postgres {
namespace {

constexpr int kUsers = 4;
constexpr int kPosts = 3;

// Written down by the database itself, in the order in which rows changed.
constexpr char kAudit[] =
    "CREATE TABLE public.audit (n bigint GENERATED ALWAYS AS IDENTITY, key text, op text, incarnation bigint);"
    "CREATE FUNCTION public.note_like() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE r likes := coalesce(NEW, OLD); "
    "BEGIN INSERT INTO public.audit (key, op, incarnation) VALUES ('like ' || r.user_id || r.post_id, TG_OP, "
    "r.incarnation); RETURN NULL; END $$;"
    "CREATE FUNCTION public.note_follow() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE r follows := coalesce(NEW, "
    "OLD); BEGIN INSERT INTO public.audit (key, op, incarnation) VALUES ('follow ' || r.follower_id || "
    "r.following_id, TG_OP, r.incarnation); RETURN NULL; END $$;"
    "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON likes FOR EACH ROW EXECUTE FUNCTION public.note_like();"
    "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON follows FOR EACH ROW EXECUTE FUNCTION "
    "public.note_follow()";

// A key is followed through its lives: made, gone, made with a greater incarnation.
constexpr char kBrokenLives[] =
    "SELECT count(*) FROM (SELECT op, incarnation, lag(op) OVER w AS before, lag(incarnation) OVER w AS life_before "
    "FROM public.audit WINDOW w AS (PARTITION BY key ORDER BY n)) AS steps WHERE NOT coalesce(CASE op "
    "WHEN 'INSERT' THEN before IS NULL OR (before = 'DELETE' AND incarnation > life_before) "
    "WHEN 'DELETE' THEN before = 'INSERT' AND incarnation = life_before END, false)";

enum class Kind { kLike, kUnlike, kFollow, kUnfollow, kLikeEvent };

struct Command {
  Kind kind;
  int user;
  int other;  // the post, or whom to follow
  TimeMs at;  // another one for each command
  int event;  // the same event may be sent twice
};

std::string RunCommand(GraphTransaction& tx, const Command& command, bool* is_new) {
  const UserId user = TestUser(command.user);
  switch (command.kind) {
    case Kind::kLike:
      return CodeOf(PutLike(tx, user, TestPost(command.other), command.at));
    case Kind::kUnlike:
      return CodeOf(RemoveLike(tx, user, TestPost(command.other)));
    case Kind::kFollow:
      return CodeOf(PutFollow(tx, user, TestUser(command.other), command.at));
    case Kind::kUnfollow:
      return CodeOf(RemoveFollow(tx, user, TestUser(command.other)));
    case Kind::kLikeEvent:
      break;
  }
  Event event;
  event.type = EventType::kLike;
  event.user = user;
  event.post = TestPost(command.other);
  event.at = kTestStart + command.event;
  event.event_id = TestEvent(command.event);
  const Result<bool> applied = ApplyLikeEvent(tx, event);
  *is_new = applied.value_or(false);
  return CodeOf(applied);
}

class PostgresSideBySide : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_POSTGRES();
    database_ = std::make_unique<TestDatabase>();
    for (auto& store : stores_) store = database_->Open();
    Do(*stores_[0], [](GraphTransaction& tx) {
      for (int i = 1; i <= kUsers; ++i) {
        Must(CreateUser(tx, {ParsedId{TestUser(i).value, std::nullopt}, "user" + std::to_string(i), ""}));
      }
      for (int i = 1; i <= kPosts; ++i) {
        Must(CreatePost(tx, {ParsedId{TestPost(i).value, std::nullopt}, TestUser(1), "text"}));
      }
      return true;
    });
  }

  // All at once, on one store and the other by turns; how many of each event were new.
  std::map<int, int> RunAll(const std::vector<Command>& commands) {
    struct Outcome {
      std::string code;
      bool is_new = false;
      std::promise<Result<std::int64_t>> answer;
    };
    std::vector<Outcome> outcomes(commands.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
      stores_[i % 2]->Write(
          [&, i](GraphTransaction& tx) {
            outcomes[i].is_new = false;
            outcomes[i].code = RunCommand(tx, commands[i], &outcomes[i].is_new);
          },
          [&, i](Result<std::int64_t> result) { outcomes[i].answer.set_value(std::move(result)); });
    }
    std::map<int, int> news;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const Result<std::int64_t> written = outcomes[i].answer.get_future().get();
      EXPECT_TRUE(written) << written.error().detail;
      EXPECT_EQ(outcomes[i].code, "") << "idempotent answers, whoever was first";
      if (commands[i].kind == Kind::kLikeEvent) news[commands[i].event] += outcomes[i].is_new ? 1 : 0;
    }
    return news;
  }

  // Of the row that is there; 0: none.
  TimeMs LikeTime(const GraphModel::Pair& key) {
    const auto found =
        Do(*stores_[0], [&](GraphTransaction& tx) { return tx.FindLike(TestUser(key.first), TestPost(key.second)); });
    return found ? found->created_at : 0;
  }
  TimeMs FollowTime(const GraphModel::Pair& key) {
    const auto found =
        Do(*stores_[0], [&](GraphTransaction& tx) { return tx.FindFollow(TestUser(key.first), TestUser(key.second)); });
    return found ? found->created_at : 0;
  }

  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<PostgresGraph> stores_[2];
};

bool IsOfLikes(const Command& command) {
  return command.kind != Kind::kFollow && command.kind != Kind::kUnfollow;
}

bool Removes(const Command& command) {
  return command.kind == Kind::kUnlike || command.kind == Kind::kUnfollow;
}

// What the row is dated that a command makes.
TimeMs TimeOf(const Command& command) {
  return command.kind == Kind::kLikeEvent ? kTestStart + command.event : command.at;
}

std::string RunCommand(GraphModel& model, const Command& command) {
  switch (command.kind) {
    case Kind::kLike:
      return model.AddLike(command.user, command.other, command.at);
    case Kind::kUnlike:
      return model.Unlike(command.user, command.other);
    case Kind::kFollow:
      return model.AddFollow(command.user, command.other, command.at);
    case Kind::kUnfollow:
      return model.Unfollow(command.user, command.other);
    case Kind::kLikeEvent:
      break;
  }
  return model.SendLikeEvent(EventType::kLike, command.user, command.other, command.event, TimeOf(command));
}

// An order of the commands on one row that ends with what is there (0: nothing), if there is any.
void PutInOrder(TimeMs there, std::vector<Command>* commands) {
  const auto rank = [there](const Command& command) {
    if (Removes(command)) return there == 0 ? 3 : 0;
    return TimeOf(command) == there ? 1 : 2;
  };
  std::sort(commands->begin(), commands->end(), [&](const Command& a, const Command& b) { return rank(a) < rank(b); });
}

TEST_F(PostgresSideBySide, LikesAndFollowsEndAsInSomeOrderOfTheCommands) {
  database_->Sql(kAudit);
  std::mt19937_64 random(TestSeed());
  const auto number = [&](int first, int last) { return std::uniform_int_distribution(first, last)(random); };
  GraphModel model;
  for (int i = 1; i <= kUsers; ++i) model.AddUser(i, "user" + std::to_string(i), kTestStart);
  for (int i = 1; i <= kPosts; ++i) model.AddPost(i, 1, "text", kTestStart);

  constexpr int kRounds = 40;
  constexpr int kCommands = 24;
  int events = 0;
  TimeMs at = kTestStart + 1'000'000;
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::vector<Command> commands;
    for (int i = 0; i < kCommands; ++i) {
      Command command = {static_cast<Kind>(number(0, 4)), number(1, kUsers), number(1, kPosts), ++at, 0};
      if (command.kind == Kind::kFollow || command.kind == Kind::kUnfollow) {
        command.other = command.user % kUsers + 1;
      }
      command.event = command.kind == Kind::kLikeEvent ? ++events : 0;
      commands.push_back(command);
      if (command.event != 0) commands.push_back(command);  // to the other store, too
    }
    for (const auto& [event, news] : RunAll(commands)) EXPECT_EQ(news, 1) << "event " << event;

    // Commands on different rows do not touch each other, so the model takes row by row.
    std::map<std::pair<bool, GraphModel::Pair>, std::vector<Command>> rows;
    for (const Command& command : commands) {
      rows[{IsOfLikes(command), {command.user, command.other}}].push_back(command);
    }
    for (auto& [row, of_row] : rows) {
      const auto& [is_like, key] = row;
      const TimeMs there = is_like ? LikeTime(key) : FollowTime(key);
      PutInOrder(there, &of_row);
      for (const Command& command : of_row) EXPECT_EQ(RunCommand(model, command), "");
      const auto& modelled = is_like ? model.likes : model.follows;
      EXPECT_EQ(modelled.contains(key) ? modelled.at(key) : 0, there)
          << (is_like ? "like " : "follow ") << key.first << " " << key.second << ": no order comes to this";
    }
  }

  EXPECT_EQ(database_->Number(kBrokenLives), 0);
  EXPECT_EQ(database_->Number("SELECT count(*) FROM likes"), static_cast<std::int64_t>(model.likes.size()));
  EXPECT_EQ(database_->Number("SELECT count(*) FROM follows"), static_cast<std::int64_t>(model.follows.size()));
  EXPECT_EQ(database_->Number("SELECT count(*) FROM outbox"), events) << "one copy of each event";
}

TEST_F(PostgresSideBySide, OneOfTwoGetsAHandle) {
  for (int i = 0; i < 20; ++i) {
    std::vector<std::future<std::string>> answers;
    for (int s = 0; s < 2; ++s) {
      answers.push_back(std::async(std::launch::async, [&, s] {
        const NewUser request = {std::nullopt, "wanted" + std::to_string(i), ""};
        return Do(*stores_[s], [&](GraphTransaction& tx) { return CodeOf(CreateUser(tx, request)); });
      }));
    }
    const std::set<std::string> codes = {answers[0].get(), answers[1].get()};
    EXPECT_EQ(codes, (std::set<std::string>{"", "handle_taken"}));
  }
}

TEST_F(PostgresSideBySide, APostThatIsCreatedTwiceAtOnceIsOne) {
  for (int i = 100; i < 120; ++i) {
    std::vector<std::future<Post>> answers;
    for (int s = 0; s < 2; ++s) {
      answers.push_back(std::async(std::launch::async, [&, s] {
        const NewPost request = {ParsedId{TestPost(i).value, std::nullopt}, TestUser(1), "the same"};
        return Do(*stores_[s], [&](GraphTransaction& tx) { return Must(CreatePost(tx, request)); });
      }));
    }
    EXPECT_EQ(answers[0].get(), answers[1].get());
  }
}

TEST_F(PostgresSideBySide, AnEditNeverBringsADeletedPostBack) {
  for (int i = 200; i < 230; ++i) {
    Do(*stores_[0], [&](GraphTransaction& tx) {
      return Must(CreatePost(tx, {ParsedId{TestPost(i).value, std::nullopt}, TestUser(1), "text"}));
    });
    const auto edit = std::async(std::launch::async, [&] {
      for (int n = 0; n < 5; ++n) {
        Do(*stores_[0], [&](GraphTransaction& tx) {
          return CodeOf(EditPost(tx, std::nullopt, TestPost(i), "edited " + std::to_string(n)));
        });
      }
    });
    Do(*stores_[1], [&](GraphTransaction& tx) { return CodeOf(DeletePost(tx, std::nullopt, TestPost(i))); });
    edit.wait();
    const Post post = stores_[1]->GetPost(TestPost(i)).value();
    EXPECT_TRUE(post.deleted_at);
    EXPECT_EQ(post.text, "");
  }
}

TEST_F(PostgresSideBySide, NothingOfAnErasedUserComesBehindTheErasing) {
  for (int i = 10; i < 25; ++i) {
    const UserId user = TestUser(i);
    Do(*stores_[0], [&](GraphTransaction& tx) {
      return Must(CreateUser(tx, {ParsedId{user.value, std::nullopt}, "erased" + std::to_string(i), ""}));
    });
    std::atomic<int> written = 0;
    std::vector<std::thread> writers;
    for (int s = 0; s < 2; ++s) {
      writers.emplace_back([&, s] {
        for (std::string code; code.empty();) {
          code = Do(*stores_[s], [&](GraphTransaction& tx) {
            if (const auto post = CreatePost(tx, {std::nullopt, user, "text"}); !post) return post.error().code;
            Must(PutLike(tx, user, TestPost(s + 1), kTestStart));
            Must(PutFollow(tx, TestUser(s + 1), user, kTestStart));
            Must(DismissSuggestion(tx, user, TestUser(s + 1)));
            return CodeOf(CreateComment(tx, {std::nullopt, TestPost(1), user, "text"}));
          });
          ++written;
        }
        EXPECT_EQ(CodeOf(Do(*stores_[s], [&](GraphTransaction& tx) { return RemoveLike(tx, user, TestPost(1)); })),
                  "unknown_user");
      });
    }
    WaitUntil("they write", [&] { return written > 4; });
    Must(Do(*stores_[1], [&](GraphTransaction& tx) { return EraseUser(tx, user); }));
    for (auto& store : stores_) {  // as two processes do, at once
      writers.emplace_back([&store, user] {
        while (!Do(*store, [&](GraphTransaction& tx) { return RemoveErased(tx, user, 7); })) {
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    const std::string id = "'" + user.ToString() + "'";
    EXPECT_EQ(database_->Number("SELECT count(*) FROM posts WHERE deleted_at IS NULL AND author_id = " + id), 0);
    EXPECT_EQ(database_->Number("SELECT count(*) FROM comments WHERE user_id = " + id), 0);
    EXPECT_EQ(database_->Number("SELECT count(*) FROM likes WHERE user_id = " + id), 0);
    EXPECT_EQ(database_->Number("SELECT count(*) FROM follows WHERE " + id + " IN (follower_id, following_id)"), 0);
    EXPECT_EQ(database_->Number("SELECT count(*) FROM dismissals WHERE user_id = " + id), 0);
  }
}

// Two works that take the same two rows in opposite order: one is taken back by the database, and run again.
TEST_F(PostgresSideBySide, ADeadlockIsNoError) {
  std::promise<void> both_hold;
  std::atomic<int> holding = 0;
  std::shared_future<void> go = both_hold.get_future().share();
  const auto set_both = [&](const std::string& first, const std::string& second) {
    return [&, first, second, is_first_run = true](GraphTransaction& tx) mutable {
      tx.SetFact(first, "1");
      static_cast<void>(tx.FindPost(TestPost(1)));  // the fact travels with it
      if (std::exchange(is_first_run, false)) {
        if (++holding == 2) both_hold.set_value();
        go.wait();
      }
      tx.SetFact(second, "2");
    };
  };
  auto other = std::async(std::launch::async, [&] { return WriteAndWait(*stores_[1], set_both("b", "a")); });
  const Result<std::int64_t> one = WriteAndWait(*stores_[0], set_both("a", "b"));
  EXPECT_TRUE(one) << one.error().detail;
  EXPECT_TRUE(other.get());
  EXPECT_EQ(database_->metrics.Render().find("novafeed_store_retries_total{store=\"graph\"} 0"), std::string::npos)
      << "there was no deadlock";
}

}  // namespace
}  // namespace novafeed::postgres
