#include "warehouse/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "warehouse/landing.h"

namespace novafeed {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const KafkaLanding kKafka{"broker1:9092,broker2:9092", "novafeed"};

TEST(WarehouseSchema, EachLandingTableReadsItsTopicFromKafka) {
  const std::string script(WarehouseSchema().front().text);
  const std::string rendered = RenderKafkaLanding(script, kKafka);
  EXPECT_THAT(rendered, Not(HasSubstr("ENGINE = Null /*")));
  for (const char* topic : {"cdc.users", "cdc.posts", "cdc.comments", "cdc.likes", "cdc.follows", "events"}) {
    EXPECT_THAT(rendered, HasSubstr("kafka_topic_list = '" + std::string(topic) + "', kafka_group_name = 'novafeed-" +
                                    topic + "', kafka_format = 'RawBLOB'"));
  }
  for (const std::string_view table : kLandingTables) {
    EXPECT_THAT(rendered, HasSubstr(std::string(table) + " (raw String) ENGINE = Kafka SETTINGS kafka_broker_list = "
                                                         "'broker1:9092,broker2:9092', "));
  }
}

// Everything downstream of the landing tables is the same text.
TEST(WarehouseSchema, NothingElseDiffers) {
  const std::string script(WarehouseSchema().front().text);
  std::string rendered = RenderKafkaLanding(script, kKafka);
  std::string expected = script;
  const auto drop_lines_of = [](std::string* text) {
    for (const std::string_view table : kLandingTables) {
      const std::size_t at = text->find("IF NOT EXISTS " + std::string(table) + " (");
      ASSERT_NE(at, std::string::npos) << table;
      text->erase(at, text->find('\n', at) - at);
    }
  };
  drop_lines_of(&rendered);
  drop_lines_of(&expected);
  EXPECT_EQ(rendered, expected);
}

TEST(WarehouseSchema, NamesAreQuotedAndOtherNullTablesStay) {
  EXPECT_THAT(RenderKafkaLanding("ENGINE = Null /* t */", {"a'b", "c\\d"}),
              HasSubstr(R"(kafka_broker_list = 'a\'b', kafka_topic_list = 't', kafka_group_name = 'c\\d-t')"));
  EXPECT_EQ(RenderKafkaLanding("x\nENGINE = Null;", kKafka), "x\nENGINE = Null;");
}

}  // namespace
}  // namespace novafeed
