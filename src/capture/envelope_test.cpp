#include "capture/envelope.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/test_support.h"

namespace novafeed {
namespace {

constexpr TimeMs kCommitted = 1'795'382'813'215;  // 2026-11-22T21:26:53.215Z
constexpr TimeMs kEmitted = 1'795'382'813'245;

Uuid IdOf(const char* text) {
  return ParseUuid(text).value();
}

const Uuid kPostId = IdOf("018f0000-0000-7000-9000-000000000004");
const Uuid kUserId = IdOf("018f0000-0000-7000-8000-000000000001");
const Uuid kOtherId = IdOf("018f0000-0000-7000-8000-000000000002");

Change MakeChange(ChangeOp op, std::optional<Row> before, std::optional<Row> after) {
  Change change;
  change.sequence = 26'914'840;
  change.transaction = 775;
  change.committed_at = kCommitted;
  change.op = op;
  change.before = std::move(before);
  change.after = std::move(after);
  return change;
}

Post SamplePost() {
  Post post;
  post.id = {kPostId};
  post.author = {kUserId};
  post.text = "snapshot row \"quoted\" \u00fcn\u00ef";
  post.created_at = 1'795'348'800'123;  // 2026-11-22T12:00:00.123Z
  return post;
}

// The block that all golden envelopes of a streamed change end with.
std::string Tail(const std::string& table, const std::string& op) {
  return R"("source":{"version":"1","connector":"novafeed-embedded","name":"cdc","ts_ms":1795382813215,)"
         R"("snapshot":"false","db":"novafeed","sequence":"[\"26914840\",\"26914840\"]","ts_us":1795382813215000,)"
         R"("ts_ns":1795382813215000000,"schema":"novafeed","table":")" +
         table +
         R"(","txId":775,"lsn":26914840,"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,"op":")" + op +
         R"(","ts_ms":1795382813245,"ts_us":1795382813245000,"ts_ns":1795382813245000000})";
}

constexpr char kPostJson[] = R"({"id":"018f0000-0000-7000-9000-000000000004","external_id":null,)"
                             R"("author_id":"018f0000-0000-7000-8000-000000000001","text":"snapshot row \"quoted\" )"
                             "\u00fcn\u00ef"
                             R"(","created_at":"2026-11-22T12:00:00.123000Z","deleted_at":null})";

TEST(Envelope, ACreatedPostIsDebeziumsJson) {
  const EnvelopeMessage message = EncodeEnvelope(MakeChange(ChangeOp::kCreate, {}, SamplePost()), kEmitted);
  EXPECT_EQ(message.topic, "cdc.posts");
  EXPECT_EQ(message.key, R"({"id":"018f0000-0000-7000-9000-000000000004"})");
  EXPECT_EQ(message.value, std::string(R"({"before":null,"after":)") + kPostJson + "," + Tail("posts", "c"));
}

TEST(Envelope, ASoftDeleteIsAnUpdateWithItsTime) {
  Post deleted = SamplePost();
  deleted.external_id = "p-1";
  deleted.text = "";
  deleted.deleted_at = 1'795'348'801'000;
  const EnvelopeMessage message = EncodeEnvelope(MakeChange(ChangeOp::kUpdate, SamplePost(), deleted), kEmitted);
  EXPECT_EQ(message.value,
            std::string(R"({"before":)") + kPostJson +
                R"(,"after":{"id":"018f0000-0000-7000-9000-000000000004","external_id":"p-1",)"
                R"("author_id":"018f0000-0000-7000-8000-000000000001","text":"",)"
                R"("created_at":"2026-11-22T12:00:00.123000Z","deleted_at":"2026-11-22T12:00:01.000000Z"},)" +
                Tail("posts", "u"));
}

TEST(Envelope, AReadRowIsASnapshot) {
  const std::string value = EncodeEnvelope(MakeChange(ChangeOp::kRead, {}, SamplePost()), kEmitted).value;
  EXPECT_NE(value.find(R"("snapshot":"true")"), std::string::npos) << value;
  EXPECT_NE(value.find(R"("sequence":"[null,\"26914840\"]")"), std::string::npos) << value;
  EXPECT_NE(value.find(R"("op":"r")"), std::string::npos) << value;
}

TEST(Envelope, AUser) {
  User user;
  user.id = {kUserId};
  user.external_id = "u-1";
  user.handle = "ann";
  user.name = "Ann";
  user.created_at = 0;
  const EnvelopeMessage message = EncodeEnvelope(MakeChange(ChangeOp::kCreate, {}, user), kEmitted);
  EXPECT_EQ(message.topic, "cdc.users");
  EXPECT_EQ(message.key, R"({"id":"018f0000-0000-7000-8000-000000000001"})");
  EXPECT_EQ(message.value, R"({"before":null,"after":{"id":"018f0000-0000-7000-8000-000000000001","external_id":"u-1",)"
                           R"("handle":"ann","name":"Ann","created_at":"1970-01-01T00:00:00.000000Z"},)" +
                               Tail("users", "c"));
}

TEST(Envelope, ADeletedCommentCarriesTheWholeRowBefore) {
  Comment comment;
  comment.id = {kPostId};
  comment.post = {kPostId};
  comment.user = {kUserId};
  comment.post_author = {kOtherId};
  comment.post_created_at = 1'795'348'800'000;
  comment.text = "line\nbreak";
  comment.created_at = 1'795'348'800'001;
  comment.incarnation = 7;
  const EnvelopeMessage message = EncodeEnvelope(MakeChange(ChangeOp::kDelete, comment, {}), kEmitted);
  EXPECT_EQ(message.topic, "cdc.comments");
  EXPECT_EQ(message.key, R"({"id":"018f0000-0000-7000-9000-000000000004"})");
  EXPECT_EQ(message.value,
            R"({"before":{"id":"018f0000-0000-7000-9000-000000000004","external_id":null,)"
            R"("post_id":"018f0000-0000-7000-9000-000000000004","user_id":"018f0000-0000-7000-8000-000000000001",)"
            R"("post_author_id":"018f0000-0000-7000-8000-000000000002",)"
            R"("post_created_at":"2026-11-22T12:00:00.000000Z","text":"line\nbreak",)"
            R"("created_at":"2026-11-22T12:00:00.001000Z","incarnation":7},"after":null,)" +
                Tail("comments", "d"));
}

TEST(Envelope, ALikeHasBothHalvesOfItsKey) {
  Like like;
  like.user = {kUserId};
  like.post = {kPostId};
  like.post_author = {kOtherId};
  like.post_created_at = 1'795'348'800'000;
  like.created_at = 1'795'348'800'001;
  like.incarnation = 8;
  const EnvelopeMessage message = EncodeEnvelope(MakeChange(ChangeOp::kCreate, {}, like), kEmitted);
  EXPECT_EQ(message.topic, "cdc.likes");
  EXPECT_EQ(message.key, R"({"user_id":"018f0000-0000-7000-8000-000000000001",)"
                         R"("post_id":"018f0000-0000-7000-9000-000000000004"})");
  EXPECT_EQ(message.value,
            R"({"before":null,"after":{"user_id":"018f0000-0000-7000-8000-000000000001",)"
            R"("post_id":"018f0000-0000-7000-9000-000000000004",)"
            R"("post_author_id":"018f0000-0000-7000-8000-000000000002",)"
            R"("post_created_at":"2026-11-22T12:00:00.000000Z","created_at":"2026-11-22T12:00:00.001000Z",)"
            R"("incarnation":8},)" +
                Tail("likes", "c"));
}

TEST(Envelope, AFollowHasTheSeedsNames) {
  Follow follow;
  follow.follower = {kUserId};
  follow.followee = {kOtherId};
  follow.created_at = 1'795'348'800'001;
  follow.incarnation = 9;
  const EnvelopeMessage message = EncodeEnvelope(MakeChange(ChangeOp::kDelete, follow, {}), kEmitted);
  EXPECT_EQ(message.topic, "cdc.follows");
  EXPECT_EQ(message.key, R"({"follower_id":"018f0000-0000-7000-8000-000000000001",)"
                         R"("following_id":"018f0000-0000-7000-8000-000000000002"})");
  EXPECT_EQ(message.value,
            R"({"before":{"follower_id":"018f0000-0000-7000-8000-000000000001",)"
            R"("following_id":"018f0000-0000-7000-8000-000000000002","created_at":"2026-11-22T12:00:00.001000Z",)"
            R"("incarnation":9},"after":null,)" +
                Tail("follows", "d"));
}

TEST(Envelope, TheSourceCanBeNamed) {
  const std::string value =
      EncodeEnvelope(MakeChange(ChangeOp::kCreate, {}, SamplePost()), kEmitted, {"postgresql", "feed", "3.6.3.Final"})
          .value;
  EXPECT_NE(value.find(R"("source":{"version":"3.6.3.Final","connector":"postgresql","name":"cdc")"),
            std::string::npos);
  EXPECT_NE(value.find(R"("db":"feed")"), std::string::npos);
}

// As captured from Debezium 3.6.3 (member order, microseconds, columns that are not ours), with our columns' names.
TEST(Envelope, ReadsWhatDebeziumWrites) {
  const auto change = DecodeEnvelope(
      "cdc.posts",
      R"({"before":null,"after":{"id":"018f0000-0000-7000-9000-000000000001","external_id":null,)"
      R"("author_id":"018f0000-0000-7000-8000-000000000001","text":"created","lang":"en","reply_to":null,)"
      R"("media_count":1,"is_sensitive":false,"created_at":"2026-11-20T10:00:00.123456Z","deleted_at":null},)"
      R"("source":{"version":"3.6.3.Final","connector":"postgresql","name":"cdc","ts_ms":1795382813215,)"
      R"("snapshot":"false","db":"feed","sequence":"[\"26914840\",\"26914840\"]","ts_us":1795382813215990,)"
      R"("ts_ns":1795382813215990000,"schema":"novafeed","table":"posts","txId":775,"lsn":26914840,"xmin":null,)"
      R"("origin":null,"origin_lsn":null},"transaction":null,"op":"c","ts_ms":1795382813245,)"
      R"("ts_us":1795382813245664,"ts_ns":1795382813245664359})");
  ASSERT_TRUE(change) << change.error().detail;
  EXPECT_EQ(change->sequence, 26'914'840);
  EXPECT_EQ(change->transaction, 775);
  EXPECT_EQ(change->committed_at, kCommitted);
  EXPECT_EQ(change->op, ChangeOp::kCreate);
  const Post& post = std::get<Post>(*change->after);
  EXPECT_EQ(post.text, "created");
  EXPECT_EQ(post.created_at, ParseRfc3339("2026-11-20T10:00:00.123Z")) << "truncated to milliseconds";
}

// --- Round trips.

class RandomRows {
 public:
  explicit RandomRows(std::uint64_t seed) : random_(seed) {}

  Change Next() {
    const int table = Number(0, 4);
    Change change;
    change.sequence = Number(1, 1'000'000);
    change.transaction = Number(1, 1'000'000);
    change.committed_at = Time();
    change.op = std::array{ChangeOp::kCreate, ChangeOp::kUpdate, ChangeOp::kDelete,
                           ChangeOp::kRead}[static_cast<std::size_t>(Number(0, 3))];
    if (change.op == ChangeOp::kUpdate || change.op == ChangeOp::kDelete) change.before = NextRow(table);
    if (change.op != ChangeOp::kDelete) change.after = NextRow(table);
    return change;
  }

 private:
  int Number(int first, int last) { return std::uniform_int_distribution(first, last)(random_); }
  TimeMs Time() { return std::uniform_int_distribution<TimeMs>(0, kMaxTime - 1)(random_); }
  Incarnation Life() { return std::uniform_int_distribution<Incarnation>(1, INT64_MAX)(random_); }

  Uuid Id() {
    Uuid id;
    for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(Number(0, 255));
    return id;
  }

  std::string Text() {
    static const std::vector<std::string> kPieces = {"a",      "\"",     "\\",         "\n",        "\x01",
                                                     "\u00e4", "\u202e", "\U0001f600", "</script>", std::string(1, 0)};
    std::string text;
    for (int i = Number(0, 12); i > 0; --i) text += kPieces[static_cast<std::size_t>(Number(0, 9))];
    return text;
  }

  std::optional<std::string> MaybeText() { return Number(0, 1) == 0 ? std::nullopt : std::optional(Text()); }

  Row NextRow(int table) {
    switch (table) {
      case 0:
        return User{{Id()}, MaybeText(), Text(), Text(), Time()};
      case 1:
        return Post{{Id()}, MaybeText(), {Id()},
                    Text(), Time(),      Number(0, 1) == 0 ? std::nullopt : std::optional(Time())};
      case 2:
        return Comment{{Id()}, MaybeText(), {Id()}, {Id()}, {Id()}, Time(), Text(), Time(), Life()};
      case 3:
        return Like{{Id()}, {Id()}, {Id()}, Time(), Time(), Life()};
      default:
        return Follow{{Id()}, {Id()}, Time(), Life()};
    }
  }

  std::mt19937_64 random_;
};

TEST(Envelope, WhatIsWrittenReadsBackEqual) {
  RandomRows rows(TestSeed());
  for (int i = 0; i < 3000; ++i) {
    const Change change = rows.Next();
    const EnvelopeMessage message = EncodeEnvelope(change, kEmitted);
    const Result<Change> read = DecodeEnvelope(message.topic, message.value);
    ASSERT_TRUE(read) << read.error().detail << "\n" << message.value;
    EXPECT_EQ(read->sequence, change.sequence);
    EXPECT_EQ(read->transaction, change.transaction);
    EXPECT_EQ(read->committed_at, change.committed_at);
    EXPECT_EQ(read->op, change.op);
    ASSERT_TRUE(read->before == change.before && read->after == change.after) << message.value;
  }
}

// Cut and scribbled messages are refused or read, and never more.
TEST(Envelope, DamagedMessagesAreRefusedWithoutHarm) {
  const std::uint64_t seed = TestSeed();
  RandomRows rows(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    EnvelopeMessage message = EncodeEnvelope(rows.Next(), kEmitted);
    const std::size_t at = random() % message.value.size();
    if (i % 2 == 0) {
      message.value.resize(at);
      EXPECT_FALSE(DecodeEnvelope(message.topic, message.value)) << message.value;
    } else {
      message.value[at] = static_cast<char>(random());
      const Result<Change> read = DecodeEnvelope(message.topic, message.value);
      if (!read) {
        EXPECT_EQ(read.error().code, "bad_envelope");
      }
    }
  }
}

// --- What is refused.

// The message of a created post with one piece of its text replaced.
Result<Change> DecodeWith(const std::string& piece, const std::string& other) {
  std::string value = EncodeEnvelope(MakeChange(ChangeOp::kCreate, {}, SamplePost()), kEmitted).value;
  const std::size_t at = value.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  value.replace(at, piece.size(), other);
  return DecodeEnvelope("cdc.posts", value);
}

void ExpectBad(const Result<Change>& change, const std::string& part_of_detail) {
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().code, "bad_envelope");
  EXPECT_NE(change.error().detail.find(part_of_detail), std::string::npos) << change.error().detail;
}

TEST(Envelope, ErrorsNameWhatIsWrong) {
  ExpectBad(DecodeWith(R"("op":"c")", R"("op":"x")"), "\"op\"");
  ExpectBad(DecodeWith(R"("op":"c")", R"("op":"u")"), "REPLICA IDENTITY FULL");
  ExpectBad(DecodeWith(R"("op":"c")", R"("op":"d")"), "\"before\" is missing");
  ExpectBad(DecodeWith(R"("before":null)", R"("before":7)"), "\"before\"");
  ExpectBad(DecodeWith(R"("lsn":26914840)", R"("lsn":"x")"), "lsn");
  ExpectBad(DecodeWith(R"("txId":775)", R"("txId":null)"), "txId");
  ExpectBad(DecodeWith(R"("source":{)", R"("source_":{)"), "\"source\"");
  ExpectBad(DecodeWith("018f0000-0000-7000-9000", "018f0000-0000-7000-90"), "column id is not a UUID");
  ExpectBad(DecodeWith("2026-11-22T12:00:00.123000Z", "yesterday"), "column created_at");
  ExpectBad(DecodeWith(R"("deleted_at":null)", R"("deleted_at":5)"), "column deleted_at");
  ExpectBad(DecodeWith(R"("text":)", R"("body":)"), "column text");
  ExpectBad(DecodeEnvelope("cdc.posts", "null"), "not an object");
  ExpectBad(DecodeEnvelope("cdc.posts", "{"), "not JSON");
  ExpectBad(DecodeEnvelope("cdc.cdc_heartbeat", "{}"), "cdc.cdc_heartbeat");
  ExpectBad(DecodeEnvelope("posts", "{}"), "posts");
}

TEST(Envelope, MissingOptionalColumnsAreNull) {
  const Result<Change> change = DecodeWith(R"("external_id":null,)", "");
  ASSERT_TRUE(change) << change.error().detail;
  EXPECT_EQ(std::get<Post>(*change->after).external_id, std::nullopt);
}

}  // namespace
}  // namespace novafeed
