#include "warehouse/kafka_landing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "warehouse/landing_topics.h"

namespace novafeed {
namespace {

using ::testing::HasSubstr;

TEST(KafkaLanding, EachLandingTableIsFedFromItsTopic) {
  const std::string script = RenderKafkaLanding({"broker1:9092,broker2:9092", "nova"});
  for (std::size_t i = 0; i < kLandingTables.size(); ++i) {
    const std::string topic(kLandingTopics[i]);
    EXPECT_THAT(script, HasSubstr("kafka_broker_list = 'broker1:9092,broker2:9092', kafka_topic_list = '" + topic +
                                  "', kafka_group_name = 'nova-" + topic + "', kafka_format = 'RawBLOB'"));
    EXPECT_THAT(script, HasSubstr("TO " + std::string(kLandingTables[i]) + " AS SELECT raw, "));
  }
  EXPECT_THAT(script, HasSubstr("CREATE TABLE IF NOT EXISTS novafeed_kafka.likes (raw String) ENGINE = Kafka"));
  EXPECT_THAT(script,
              HasSubstr("CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed_kafka.mv_likes TO novafeed.likes_kafka "
                        "AS SELECT raw, _partition AS partition, _offset AS offset FROM novafeed_kafka.likes;"));
}

TEST(KafkaLanding, NothingIsCommittedBeforeItIsWritten) {
  EXPECT_THAT(RenderKafkaLanding({"b", "g"}), HasSubstr("kafka_commit_every_batch = 0"));
}

TEST(KafkaLanding, NamesAreQuoted) {
  const std::string script = RenderKafkaLanding({"a'b", "c\\d"});
  EXPECT_THAT(script, HasSubstr(R"(kafka_broker_list = 'a\'b', )"));
  EXPECT_THAT(script, HasSubstr(R"(kafka_group_name = 'c\\d-events')"));
}

}  // namespace
}  // namespace novafeed
