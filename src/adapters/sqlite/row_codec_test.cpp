#include "adapters/sqlite/row_codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "base/test_support.h"

namespace novafeed::sqlite {
namespace {

class RowMaker {
 public:
  explicit RowMaker(std::uint64_t seed) : random_(seed) {}

  Row Any() {
    switch (random_() % 5) {
      case 0:
        return User{{Id()}, External(), Text(), Text(), Number()};
      case 1:
        return Post{{Id()}, External(), {Id()}, Text(), Number(), Sometimes() ? std::optional(Number()) : std::nullopt};
      case 2:
        return Comment{{Id()}, External(), {Id()}, {Id()}, {Id()}, Number(), Text(), Number(), Number()};
      case 3:
        return Like{{Id()}, {Id()}, {Id()}, Number(), Number(), Number()};
      default:
        return Follow{{Id()}, {Id()}, Number(), Number()};
    }
  }

  std::string Text() {
    const std::size_t sizes[] = {0, 1, 127, 128, 300, 20'000};
    std::string text(sizes[random_() % std::size(sizes)], '\0');
    for (char& c : text) {
      c = static_cast<char>(random_());
    }
    return text;
  }

  std::mt19937_64& random() { return random_; }

 private:
  bool Sometimes() { return random_() % 2 == 0; }
  std::optional<std::string> External() { return Sometimes() ? std::optional(Text()) : std::nullopt; }
  std::int64_t Number() {
    const std::int64_t edges[] = {
        0, 1, -1, 63, 64, -64, -65, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    return Sometimes() ? edges[random_() % std::size(edges)] : static_cast<std::int64_t>(random_() >> (random_() % 64));
  }
  Uuid Id() {
    Uuid id;
    for (std::uint8_t& byte : id.bytes) {
      byte = static_cast<std::uint8_t>(random_());
    }
    return id;
  }

  std::mt19937_64 random_;
};

struct Encoded {
  RowKind kind;
  std::string bytes;
};

Encoded Encode(const Row& row) {
  return std::visit(
      [](const auto& value) {
        Encoded encoded{KindOf(value), {}};
        EncodeRow(value, &encoded.bytes);
        return encoded;
      },
      row);
}

TEST(RowCodec, GivesBackWhatWasEncoded) {
  RowMaker make(TestSeed());
  for (int i = 0; i < 2000; ++i) {
    const Row row = make.Any();
    const Encoded encoded = Encode(row);
    const Result<Row> decoded = DecodeRow(encoded.kind, encoded.bytes);
    ASSERT_TRUE(decoded) << decoded.error().detail;
    ASSERT_EQ(*decoded, row);
  }
}

// The form that is on disk: a change here needs a new version, or old files become unreadable.
TEST(RowCodec, KeepsItsForm) {
  Follow follow;
  follow.follower.value.bytes.fill(0x11);
  follow.followee.value.bytes.fill(0x22);
  follow.created_at = 300;
  follow.incarnation = -1;
  EXPECT_EQ(Encode(follow).bytes, "\x01" + std::string(16, '\x11') + std::string(16, '\x22') + "\xd8\x04\x01");

  User user;
  user.id.value.bytes.fill(0x33);
  user.external_id = "x";
  user.handle = "ab";
  EXPECT_EQ(Encode(user).bytes,
            "\x01" + std::string(16, '\x33') + std::string("\x01\x01x\x02") + "ab" + std::string(2, '\0'));
}

TEST(RowCodec, RefusesEveryPrefixAndEveryLongerForm) {
  RowMaker make(TestSeed());
  for (int i = 0; i < 50; ++i) {
    Encoded encoded = Encode(make.Any());
    encoded.bytes.push_back('\0');
    EXPECT_FALSE(DecodeRow(encoded.kind, encoded.bytes));
    encoded.bytes.pop_back();
    const std::size_t shown = std::min<std::size_t>(encoded.bytes.size(), 400);
    for (std::size_t size = 0; size < shown; ++size) {
      ASSERT_FALSE(DecodeRow(encoded.kind, std::string_view(encoded.bytes).substr(0, size)));
    }
  }
}

TEST(RowCodec, SurvivesDamagedAndRandomBytes) {
  RowMaker make(TestSeed());
  for (int i = 0; i < 5000; ++i) {
    Encoded encoded = Encode(make.Any());
    for (int damage = 0; damage < 3; ++damage) {
      encoded.bytes[make.random()() % encoded.bytes.size()] = static_cast<char>(make.random()());
    }
    const Result<Row> decoded = DecodeRow(encoded.kind, encoded.bytes);
    if (decoded) {
      EXPECT_TRUE(DecodeRow(encoded.kind, Encode(*decoded).bytes));
    } else {
      EXPECT_EQ(decoded.error().code, "bad_row");
    }
    std::string noise = make.Text();
    if (!noise.empty()) {
      noise[0] = 1;
    }
    const auto kind = static_cast<RowKind>(make.random()() % 7);
    static_cast<void>(DecodeRow(kind, noise).has_value());
  }
}

TEST(RowCodec, RefusesAnotherVersionAndKind) {
  Encoded encoded = Encode(Follow{});
  encoded.bytes[0] = 2;
  EXPECT_EQ(DecodeRow(RowKind::kFollow, encoded.bytes).error().code, "bad_row");
  EXPECT_EQ(DecodeRow(static_cast<RowKind>(9), "\x01").error().code, "bad_row");
}

}  // namespace
}  // namespace novafeed::sqlite
