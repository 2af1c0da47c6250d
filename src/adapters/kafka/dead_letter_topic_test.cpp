// The topic of dead letters on a real broker: what is written is read as it was, also where it is no text, large, or
// twice there; a stranger's message is passed over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/test_broker.h"
#include "base/metrics.h"
#include "graph/store.h"

namespace novafeed::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

class KafkaDeadLetters : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_KAFKA();
    topic_ = OpenKafkaDeadLetters(SharedBroker().Options(), &metrics_).value();
    WaitUntil("the topic that was made a moment ago has its leader", [this] {
      try {
        begin_ = topic_->Read(0, [](const DeadLetterRecord&) {});
        return true;
      } catch (const StoreError&) {
        return false;
      }
    });
  }

  std::vector<DeadLetterRecord> Read(std::int64_t from) {
    std::vector<DeadLetterRecord> records;
    end_ = topic_->Read(from, [&records](DeadLetterRecord record) { records.push_back(std::move(record)); });
    return records;
  }

  static DeadLetterRecord Record(std::int64_t offset, std::string message) {
    DeadLetterRecord record;
    record.letter.place = {"events", 3, offset};
    record.letter.key = "a key";
    record.letter.bytes = message.size();
    record.letter.message = std::move(message);
    record.letter.reason = "This is no event: \xC3\xA4.";
    record.letter.at = 1'795'382'793'122;
    return record;
  }

  Metrics metrics_;
  std::unique_ptr<DeadLetterTopic> topic_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

TEST_F(KafkaDeadLetters, AreReadAsTheyWereWritten) {
  std::vector<DeadLetterRecord> written = {Record(1, ""), Record(2, std::string("\0\xFF\n\"", 4)),
                                           Record(3, std::string(kMostOfDeadLetter, 'x')), Record(4, "cut")};
  written[3].letter.bytes = 1'000'000;
  topic_->Write(written);
  DeadLetterRecord mark;
  mark.letter.place = written[1].letter.place;
  mark.letter.at = 5;
  mark.is_mark = true;
  topic_->Write({mark});
  written.push_back(mark);

  const std::vector<DeadLetterRecord> read = Read(begin_);
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].letter.place, written[i].letter.place);
    EXPECT_EQ(read[i].letter.key, written[i].letter.key);
    EXPECT_EQ(read[i].letter.message, written[i].letter.message);
    EXPECT_EQ(read[i].letter.bytes, written[i].letter.bytes);
    EXPECT_EQ(read[i].letter.reason, written[i].letter.reason);
    EXPECT_EQ(read[i].letter.at, written[i].letter.at);
    EXPECT_EQ(read[i].is_mark, written[i].is_mark);
  }
  EXPECT_TRUE(Read(end_).empty());
  topic_->Write({Record(5, "the next")});
  EXPECT_EQ(Read(end_).size(), 1U) << "reading goes on where it ended";
}

TEST_F(KafkaDeadLetters, NameTheirPlaceInKeyAndHeadersAndOthersArePassedOver) {
  TestProducer producer(SharedBroker().Plain());
  producer.Put(kDeadLetterTopic, "of somebody else");
  producer.Flush();
  topic_->Write({Record(17, "no event")});
  ASSERT_EQ(Read(begin_).size(), 1U);

  Client client(ReadAccess(SharedBroker().Options()).value(), "novafeed-test", Client::Use::kFollow,
                ConnectionMetrics(&metrics_));
  client.Assign({{std::string(kDeadLetterTopic), end_ - 1}});
  const std::optional<Message> message = client.Poll(SteadyClock::now() + seconds(30));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->key(), "events/3/17");
  EXPECT_EQ(message->header("topic"), "events");
  EXPECT_EQ(message->header("partition"), "3");
  EXPECT_EQ(message->header("offset"), "17");
  EXPECT_EQ(message->header("reason"), "This is no event: \xC3\xA4.");
  EXPECT_EQ(message->header("nothing"), std::nullopt);
}

TEST_F(KafkaDeadLetters, ABrokerThatIsAwayIsAnErrorInTime) {
  KafkaOptions options = SharedBroker().Options();
  options.url = "kafka://127.0.0.1:" + std::to_string(testing::FreePort());
  options.call_timeout = milliseconds(500);
  const auto away = OpenKafkaDeadLetters(options, &metrics_).value();
  EXPECT_THROW(away->Read(0, [](const DeadLetterRecord&) {}), StoreError);
  EXPECT_THROW(away->Write({Record(1, "no event")}), StoreError);
}

}  // namespace
}  // namespace novafeed::kafka
