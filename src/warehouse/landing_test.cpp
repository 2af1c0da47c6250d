#include "warehouse/landing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/test_support.h"
#include "capture/envelope.h"
#include "stream/event_json.h"

namespace novafeed {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Uuid RandomUuid(std::mt19937_64* random) {
  Uuid id;
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>((*random)());
  return id;
}

// What JSON escapes, what it does not, and what a line must not hold.
std::string RandomText(std::mt19937_64* random) {
  static constexpr std::array<std::string_view, 10> kParts = {"a",  "\n", "\r\n", "\"",   "\\",
                                                              "\t", "ö",  "😀",   "\x01", " "};
  std::string text;
  for (std::size_t left = (*random)() % 20; left > 0; --left) text += kParts[(*random)() % kParts.size()];
  return text;
}

Row RandomRow(std::mt19937_64* random) {
  const auto id = [random] { return RandomUuid(random); };
  const auto time = [random] { return static_cast<TimeMs>((*random)() % static_cast<std::uint64_t>(kMaxTime)); };
  switch ((*random)() % 5) {
    case 0:
      return User{UserId{id()}, RandomText(random), RandomText(random), RandomText(random), time()};
    case 1:
      return Post{PostId{id()}, {}, UserId{id()}, RandomText(random), time(), time()};
    case 2:
      return Comment{CommentId{id()}, {}, PostId{id()}, UserId{id()}, UserId{id()}, time(), RandomText(random),
                     time(),          9};
    case 3:
      return Like{UserId{id()}, PostId{id()}, UserId{id()}, time(), time(), 8};
    default:
      return Follow{UserId{id()}, UserId{id()}, time(), 7};
  }
}

Change RandomChange(std::mt19937_64* random) {
  Change change;
  change.sequence = static_cast<std::int64_t>((*random)() >> 2U) + 1;
  change.transaction = change.sequence;
  change.committed_at = 1'700'000'000'123;
  static constexpr std::array<ChangeOp, 4> kOps = {ChangeOp::kCreate, ChangeOp::kUpdate, ChangeOp::kDelete,
                                                   ChangeOp::kRead};
  change.op = kOps[(*random)() % kOps.size()];
  const Row row = RandomRow(random);
  if (change.op == ChangeOp::kUpdate || change.op == ChangeOp::kDelete) change.before = row;
  if (change.op != ChangeOp::kDelete) change.after = row;
  return change;
}

TEST(Landing, AnyChangeIsOneLineThatSaysAllOfIt) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 2000; ++i) {
    const Change change = RandomChange(&random);
    const LandingLine landing = LandingLineOf(change);
    ASSERT_THAT(landing.line, Not(HasSubstr("\n")));
    ASSERT_THAT(landing.line, Not(HasSubstr("\r")));
    const std::string_view table = kLandingTables[landing.table];
    const std::string topic =
        "cdc." + std::string(table.substr(9, table.size() - 9 - std::string_view("_kafka").size()));
    const Result<Change> decoded = DecodeEnvelope(topic, landing.line);
    ASSERT_TRUE(decoded) << decoded.error().detail << landing.line;
    EXPECT_EQ(decoded->sequence, change.sequence);
    EXPECT_EQ(decoded->op, change.op);
    EXPECT_EQ(decoded->before, change.before);
    EXPECT_EQ(decoded->after, change.after);
    EXPECT_EQ(LandingLineOf(change).line, landing.line);  // sent again, it is the same message
  }
}

TEST(Landing, AnEventIsTheMessageOfItsTopic) {
  LoggedEvent logged;
  logged.sequence = 12;
  const LandingLine landing = LandingLineOf(logged);
  EXPECT_EQ(kLandingTables[landing.table], "novafeed.events_kafka");
  EXPECT_EQ(landing.line, RenderEventJson(logged));
}

TEST(Landing, ABatchKeepsLinesByTable) {
  LandingBatch batch;
  batch.Add({0, "one"});
  batch.Add({5, "event"});
  batch.Add({0, "two"});
  EXPECT_EQ(batch.LinesOf(0), "one\ntwo\n");
  EXPECT_EQ(batch.LinesOf(1), "");
  EXPECT_EQ(batch.RowsOf(0), 2U);
  EXPECT_EQ(batch.rows(), 3U);
  EXPECT_EQ(batch.bytes(), 14U);
  batch.Clear();
  EXPECT_EQ(batch.rows() + batch.bytes() + batch.LinesOf(0).size(), 0U);
}

}  // namespace
}  // namespace novafeed
