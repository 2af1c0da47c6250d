#include "app/rank_desk.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "app/settings_table.h"
#include "app/stores.h"
#include "base/test_support.h"
#include "graph/commands.h"
#include "timeline/instants.h"

namespace novafeed {
namespace {

constexpr TimeMs kNow = 1'700'049'600'000;

UserId UserOf(const std::string& name) {
  return UserId{IdFromExternal(IdKind::kUser, name)};
}

// Stores in a temporary directory in which "ann" follows "bob", who posts when told to.
class RankDeskTest : public testing::Test {
 protected:
  RankDeskTest() : stores_(OpenStores(directory_.path(), *LoadSettings({}), &clock_, &metrics_)) {
    Write([](GraphTransaction& tx) {
      for (const std::string name : {"ann", "bob"}) {
        ASSERT_TRUE(CreateUser(tx, {ParsedId{UserOf(name).value, name}, name, name}));
      }
      ASSERT_TRUE(PutFollow(tx, UserOf("ann"), UserOf("bob"), tx.Now()));
    });
  }

  void Write(GraphStore::Work work) {
    std::promise<void> done;
    stores_.graph->Write(std::move(work), [&done](const Result<std::int64_t>& result) {
      EXPECT_TRUE(result);
      done.set_value();
    });
    done.get_future().wait();
  }

  void PostAt(TimeMs at, const std::string& name) {
    clock_.Set(at);
    Write([name](GraphTransaction& tx) {
      const ParsedId id{IdFromExternal(IdKind::kPost, name), name};
      ASSERT_TRUE(CreatePost(tx, {id, UserOf("bob"), "text of " + name}));
    });
  }

  // The external ids of ann's ranking.
  std::vector<std::string> RankAnn(RankDesk* desk, TimeMs as_of) {
    const Result<std::string> text = desk->Rank({UserOf("ann"), as_of, std::nullopt});
    EXPECT_TRUE(text);
    const boost::json::value ranking = boost::json::parse(*text);
    EXPECT_EQ(ranking.at("as_of").as_int64(), as_of);
    std::vector<std::string> names;
    for (const boost::json::value& item : ranking.at("items").as_array()) {
      names.emplace_back(item.at("external_id").as_string());
    }
    return names;
  }

  const TempDirectory directory_;
  ManualClock clock_{kNow - 10 * kMsPerDay};
  Metrics metrics_;
  Stores stores_;
};

TEST_F(RankDeskTest, BuildsAnIndexForAnyInstant) {
  PostAt(kNow - 5 * kMsPerDay, "old");
  PostAt(kNow - kMsPerHour, "new");
  RankDesk desk(stores_.Sources(), stores_.graph.get(), nullptr, {}, &clock_, &metrics_);
  EXPECT_EQ(RankAnn(&desk, kNow - 4 * kMsPerDay), std::vector<std::string>{"old"});
  EXPECT_EQ(RankAnn(&desk, kNow), (std::vector<std::string>{"new", "old"}));
  EXPECT_TRUE(RankAnn(&desk, kNow - 6 * kMsPerDay).empty());
}

TEST_F(RankDeskTest, AKeptIndexFollowsTheLog) {
  PostAt(kNow - 5 * kMsPerDay, "old");
  RankDesk desk(stores_.Sources(), stores_.graph.get(), nullptr, {}, &clock_, &metrics_);
  const TimeMs as_of = kNow - 4 * kMsPerDay;
  EXPECT_EQ(RankAnn(&desk, as_of).size(), 1U);
  PostAt(as_of - 1, "late");
  EXPECT_EQ(RankAnn(&desk, as_of), (std::vector<std::string>{"late", "old"}));
}

TEST_F(RankDeskTest, TheLiveIndexAnswersWhatItsWindowsCover) {
  PostAt(kNow - kMsPerHour, "new");
  const BootProgress quiet = [](std::string_view, std::int64_t) {};
  IndexStack live(BootIndex(stores_.Sources(), "", kNow, quiet).index, &clock_, &metrics_);
  // Nothing follows the log here, so only an index that is built sees this post.
  PostAt(kNow - kMsPerHour + 1, "unseen");
  RankDesk desk(stores_.Sources(), stores_.graph.get(), &live, {}, &clock_, &metrics_);
  EXPECT_EQ(RankAnn(&desk, kNow).size(), 1U);
  EXPECT_EQ(RankAnn(&desk, kNow - kMaxAsOfAge).size(), 1U);
  EXPECT_EQ(RankAnn(&desk, kNow + kMsPerDay).size(), 1U);
  EXPECT_EQ(RankAnn(&desk, kNow - kMaxAsOfAge + 1).size(), 1U);
  EXPECT_EQ(RankAnn(&desk, kNow - kMaxAsOfAge - 1).size(), 0U);

  const Result<std::string> built = desk.Rank({UserOf("ann"), kNow, kNow - kMsPerDay});
  ASSERT_TRUE(built);
  EXPECT_EQ(boost::json::parse(*built).at("items").as_array().size(), 2U);
}

// Tables that are read only once they may be; what reads them waits.
class GatedChangeFeed final : public ChangeFeed {
 public:
  explicit GatedChangeFeed(ChangeFeed* feed) : feed_(feed) {}

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override { return feed_->Read(after, limit); }
  std::int64_t End() override { return feed_->End(); }
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    reached_.set_value();
    open_.get_future().wait();
    return feed_->ReadState(take);
  }
  void OnCommit(std::function<void()> notify) override { feed_->OnCommit(std::move(notify)); }

  void AwaitReader() { reached_.get_future().wait(); }
  void Open() { open_.set_value(); }

 private:
  ChangeFeed* const feed_;
  std::promise<void> reached_;
  std::promise<void> open_;
};

TEST_F(RankDeskTest, TheLiveIndexAnswersWhileAnotherIsBuilt) {
  PostAt(kNow - kMsPerHour, "new");
  const BootProgress quiet = [](std::string_view, std::int64_t) {};
  IndexStack live(BootIndex(stores_.Sources(), "", kNow, quiet).index, &clock_, &metrics_);
  GatedChangeFeed gated(stores_.changes.get());
  BootSources sources = stores_.Sources();
  sources.changes = &gated;
  RankDesk desk(sources, stores_.graph.get(), &live, {}, &clock_, &metrics_);
  EXPECT_TRUE(desk.IsLive({UserOf("ann"), kNow, std::nullopt}));
  EXPECT_FALSE(desk.IsLive({UserOf("ann"), kNow - kMsPerDay, std::nullopt}));

  std::future<std::size_t> old =
      std::async(std::launch::async, [&] { return RankAnn(&desk, kNow - kMsPerDay).size(); });
  gated.AwaitReader();
  EXPECT_EQ(RankAnn(&desk, kNow).size(), 1U);
  gated.Open();
  EXPECT_EQ(old.get(), 0U);
}

}  // namespace
}  // namespace novafeed
