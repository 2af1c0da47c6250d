#include "app/index_erasure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "app/settings_table.h"
#include "app/stores.h"
#include "base/test_support.h"
#include "erasure/eraser.h"
#include "graph/commands.h"
#include "index/applier.h"
#include "index/boot.h"
#include "index/snapshot.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::Describe;

constexpr TimeMs kNow = 1'795'382'793'122;
constexpr int kUsers = 8;
constexpr int kPosts = 20;

UserId UserNumber(int number) {
  return UserId{IdFromExternal(IdKind::kUser, std::to_string(number))};
}
PostId PostNumber(int number) {
  return PostId{IdFromExternal(IdKind::kPost, std::to_string(number))};
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool Holds(const std::string& bytes, UserId user) {
  return bytes.find(std::string(user.value.bytes.begin(), user.value.bytes.end())) != std::string::npos;
}

// The stores of a directory and an index that follows them, as a server has them.
class IndexErasureTest : public ::testing::Test {
 protected:
  IndexErasureTest() : stores_(OpenStores(directory_.path(), *LoadSettings({}), &clock_, &metrics_)) {
    index_ = BootIndex(stores_.Sources(), "", kNow, Quiet()).index;
    applier_ =
        std::make_unique<IndexApplier>(&clock_, index_.get(), stores_.changes.get(), stores_.events.get(), &metrics_);
    applier_->Start();
    consumer_ = std::make_unique<IndexErasure>(index_.get(), applier_.get(),
                                               [this] { return SaveSnapshot(*index_, snapshot_path_); });
    eraser_ = std::make_unique<Eraser>(stores_.graph.get(), stores_.changes.get(), stores_.events.get(),
                                       std::vector<ErasureConsumer*>{consumer_.get()}, &metrics_);
  }

  static BootProgress Quiet() {
    return [](std::string_view, std::int64_t) {};
  }

  void Write(GraphStore::Work work) {
    std::promise<void> done;
    stores_.graph->Write(std::move(work), [&done](const Result<std::int64_t>&) { done.set_value(); });
    done.get_future().wait();
  }
  void Append(const Event& event) {
    std::promise<void> done;
    stores_.events->Append({event}, [&done](const Result<EventLog::Appended>&) { done.set_value(); });
    done.get_future().wait();
  }

  // Whatever the rules allow of one random action; erased users and posts of theirs are among what is named.
  void Step(std::mt19937_64* random) {
    const auto pick = [&](int count) { return static_cast<int>((*random)() % static_cast<unsigned>(count)); };
    const UserId user = UserNumber(pick(kUsers));
    const UserId other = UserNumber(pick(kUsers));
    const int number = pick(kPosts);
    const PostId post = PostNumber(number);
    const TimeMs at = kNow - pick(3) * kMsPerHour;
    Write([&](GraphTransaction& tx) {
      switch (pick(7)) {
        case 0:
          static_cast<void>(CreatePost(tx, {ParsedId{post.value, {}}, user, "text"}));
          break;
        case 1:
          static_cast<void>(PutFollow(tx, user, other, at));
          break;
        case 2:
          static_cast<void>(RemoveFollow(tx, user, other));
          break;
        case 3:
        case 4:
          static_cast<void>(PutLike(tx, user, post, at));
          break;
        case 5:
          static_cast<void>(RemoveLike(tx, user, post));
          break;
        default:
          static_cast<void>(CreateComment(tx, {{}, post, user, "comment"}));
      }
    });
    const std::optional<Post> target = stores_.graph->GetPost(post);
    if (!target || !stores_.graph->GetUser(user)) return;
    Append({user, pick(2) == 0 ? EventType::kShare : EventType::kImpression, post, at, EventId{NewUuid(at)},
            target->author, target->created_at});
  }

  void CatchUp() { ASSERT_TRUE(Await(applier_.get(), stores_.End(), 60'000)); }

  // The live index, one of the tables, one of the snapshot file: all of them hold the same.
  void ExpectAgreement() {
    CatchUp();
    const std::string live = Describe(*index_);
    EXPECT_EQ(Describe(*BootIndex(stores_.Sources(), "", kNow, Quiet()).index), live) << "from the tables";
    const BootedIndex restarted = BootIndex(stores_.Sources(), snapshot_path_, kNow, Quiet());
    EXPECT_EQ(restarted.source, BootSource::kSnapshot);
    EXPECT_EQ(Describe(*restarted.index), live) << "from the snapshot";
    FeedIndex replayed(stores_.graph->Generation(), kNow);
    replayed.ApplyChanges(stores_.changes->Read(0, 1'000'000));
    replayed.ApplyEvents(stores_.events->Read({}, 1'000'000));
    EXPECT_EQ(Describe(replayed), live) << "from the whole log";
  }

  TempDirectory directory_;
  ManualClock clock_{kNow};
  Metrics metrics_;
  const std::string snapshot_path_ = (directory_.path() / "index.snapshot").string();
  Stores stores_;
  std::unique_ptr<FeedIndex> index_;
  std::unique_ptr<IndexApplier> applier_;
  std::unique_ptr<IndexErasure> consumer_;
  std::unique_ptr<Eraser> eraser_;
};

TEST_F(IndexErasureTest, RandomHistoriesWithPurgesAddUpHoweverTheyAreRead) {
  const std::uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  Write([](GraphTransaction& tx) {
    for (int i = 0; i < kUsers; ++i) {
      ASSERT_TRUE(CreateUser(tx, {ParsedId{UserNumber(i).value, {}}, "user" + std::to_string(i), ""}));
    }
  });
  for (int step = 0; step < 600; ++step) {
    Step(&random);
    if (step % 150 != 100) continue;
    const UserId erased = UserNumber(step / 150);
    Write([erased](GraphTransaction& tx) { ASSERT_TRUE(EraseUser(tx, erased)); });
    for (int i = 0; i < 5; ++i) Step(&random);
    ASSERT_EQ(eraser_->Purge().users, 1);
    EXPECT_FALSE(Holds(ReadFile(snapshot_path_), erased));
    ExpectAgreement();
  }
  ExpectAgreement();
}

// Cut off after each of its steps: what the snapshot of before and the log of after make is made one by the next purge.
TEST_F(IndexErasureTest, APurgeThatWasCutOffGoesOnWithAnOldSnapshot) {
  Write([](GraphTransaction& tx) {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(CreateUser(tx, {ParsedId{UserNumber(i).value, {}}, "user" + std::to_string(i), ""}));
    }
    ASSERT_TRUE(CreatePost(tx, {ParsedId{PostNumber(0).value, {}}, UserNumber(0), "text"}));
    ASSERT_TRUE(CreatePost(tx, {ParsedId{PostNumber(1).value, {}}, UserNumber(1), "text"}));
    ASSERT_TRUE(PutLike(tx, UserNumber(1), PostNumber(0), kNow));
  });
  const Event share{UserNumber(0), EventType::kShare, PostNumber(1), kNow, {}, UserNumber(1), kNow};
  Append(share);
  CatchUp();
  ASSERT_TRUE(SaveSnapshot(*index_, snapshot_path_));  // the old one: it names the user
  Event later = share;
  later.at += 1;
  Append(later);
  Write([](GraphTransaction& tx) {
    ASSERT_TRUE(EraseUser(tx, UserNumber(0)));
    ASSERT_TRUE(RemoveErased(tx, UserNumber(0), 100));
  });
  const std::vector<Erasure> erased = stores_.graph->ReadErasures();
  stores_.graph->HideInRows(erased);
  stores_.events->Hide(erased);
  Write([](GraphTransaction& tx) { ASSERT_TRUE(RemoveLike(tx, UserNumber(1), PostNumber(0))); });

  // The process dies here.
  applier_->Stop();
  std::unique_ptr<FeedIndex> restarted = BootIndex(stores_.Sources(), snapshot_path_, kNow, Quiet()).index;
  IndexApplier applier(&clock_, restarted.get(), stores_.changes.get(), stores_.events.get(), &metrics_);
  applier.Start();
  IndexErasure consumer(restarted.get(), &applier, [&] { return SaveSnapshot(*restarted, snapshot_path_); });
  Eraser eraser(stores_.graph.get(), stores_.changes.get(), stores_.events.get(), {&consumer}, &metrics_);
  EXPECT_EQ(eraser.Purge().users, 1);
  EXPECT_EQ(Describe(*restarted), Describe(*BootIndex(stores_.Sources(), "", kNow, Quiet()).index));
  EXPECT_FALSE(Holds(ReadFile(snapshot_path_), UserNumber(0)));
}

TEST_F(IndexErasureTest, FailsWhereTheSnapshotCannotBeWritten) {
  IndexErasure consumer(index_.get(), applier_.get(),
                        []() -> Result<Position> { return Fail(Failure::kStorageFull, "disk_full", "Make room."); });
  const Position end{stores_.graph->Generation(), 0, {}};
  EXPECT_EQ(consumer.Reach(end).error().code, "disk_full");
  EXPECT_EQ(consumer.Hide({}).error().code, "disk_full");
}

TEST_F(IndexErasureTest, ASnapshotThatDoesNotReachTheEndIsNotEnough) {
  Write([](GraphTransaction& tx) { ASSERT_TRUE(CreateUser(tx, {{}, "ann", ""})); });
  const Position end{stores_.graph->Generation(), stores_.changes->End(), {}};
  IndexErasure consumer(index_.get(), applier_.get(),
                        [&]() -> Result<Position> { return Position{end.generation, end.changes - 1, {}}; });
  EXPECT_EQ(consumer.Reach(end).error().code, "index_behind");
}

}  // namespace
}  // namespace novafeed
