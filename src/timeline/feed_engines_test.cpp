#include "timeline/feed_engines.h"

#include <gtest/gtest.h>

#include <memory>

namespace novafeed {
namespace {

class FeedEnginesTest : public ::testing::Test {
 protected:
  static std::string CodeOf(const Result<ChosenEngine>& chosen) { return chosen ? "" : chosen.error().code; }

  ManualClock clock_{0};
  Metrics metrics_;
  FeedService index_feed_{&clock_, {}, CursorCodec("key", "g"), &metrics_};
  FeedService warehouse_feed_{&clock_, {}, CursorCodec("key", "g"), &metrics_};
  EngineServices index_{&index_feed_};
  EngineServices warehouse_{&warehouse_feed_};
};

TEST_F(FeedEnginesTest, TheNamedEngineAnswers) {
  FeedEngines engines;
  engines.OpenIndex(&index_);
  engines.OpenWarehouse(&warehouse_);
  EXPECT_EQ(engines.Choose("index")->feed, &index_feed_);
  EXPECT_EQ(engines.Choose("warehouse")->feed, &warehouse_feed_);
  EXPECT_EQ(engines.Choose(std::nullopt)->feed, &index_feed_);
  EXPECT_EQ(CodeOf(engines.Choose("fastest")), "bad_engine");
}

TEST_F(FeedEnginesTest, TheConfiguredEngineAnswersWhereNoneIsNamed) {
  FeedEngines engines("warehouse");
  engines.OpenIndex(&index_);
  engines.OpenWarehouse(&warehouse_);
  const ChosenEngine chosen = *engines.Choose(std::nullopt);
  EXPECT_EQ(chosen.feed, &warehouse_feed_);
  EXPECT_FALSE(chosen.stands_in);
  EXPECT_EQ(engines.Choose("index")->feed, &index_feed_);
}

TEST_F(FeedEnginesTest, WithoutAWarehouseItCannotBeNamed) {
  FeedEngines engines;
  engines.OpenIndex(&index_);
  EXPECT_EQ(CodeOf(engines.Choose("warehouse")), "bad_engine");
}

TEST_F(FeedEnginesTest, TheWarehouseStandsInForAnIndexThatBootsOnceItMay) {
  FeedEngines engines;
  engines.OpenWarehouse(&warehouse_);
  EXPECT_EQ(CodeOf(engines.Choose(std::nullopt)), "booting");
  EXPECT_EQ(engines.Choose("warehouse")->feed, &warehouse_feed_);

  engines.LetWarehouseStandIn();
  const ChosenEngine chosen = *engines.Choose(std::nullopt);
  EXPECT_EQ(chosen.feed, &warehouse_feed_);
  EXPECT_TRUE(chosen.stands_in);
  EXPECT_EQ(CodeOf(engines.Choose("index")), "booting") << "who names the index wants no other";

  engines.OpenIndex(&index_);
  EXPECT_EQ(engines.Choose(std::nullopt)->feed, &index_feed_);
  EXPECT_FALSE(engines.Choose(std::nullopt)->stands_in);
}

}  // namespace
}  // namespace novafeed
