#include "adapters/kafka/address.h"

#include <gtest/gtest.h>

namespace novafeed::kafka {
namespace {

TEST(KafkaUrl, NamesBrokersAndWhoLogsIn) {
  const Address plain = ParseUrl("kafka://127.0.0.1:20123").value();
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.user, "");
  EXPECT_EQ(plain.brokers, "127.0.0.1:20123");

  const Address secret = ParseUrl("kafkas://nova@one:9093,two,[::1]:9094/").value();
  EXPECT_TRUE(secret.tls);
  EXPECT_EQ(secret.user, "nova");
  EXPECT_EQ(secret.brokers, "one:9093,two:9092,[::1]:9094");
}

TEST(KafkaUrl, WhatIsNoneIsRefused) {
  for (const char* url : {"", "http://one", "kafka://", "kafka://one:", "kafka://one:x", "kafka://one:123456",
                          "kafka://one,,two", "kafka://@one", "kafka://one/two", "kafka://[::1", "kafka://a b"}) {
    const Result<Address> address = ParseUrl(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().code, "bad_kafka_url") << url;
  }
}

TEST(KafkaUrl, APasswordInItIsRefusedAndNotRepeated) {
  const Result<Address> address = ParseUrl("kafka://nova:sesame@one");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().detail.find("sesame"), std::string::npos);
}

}  // namespace
}  // namespace novafeed::kafka
