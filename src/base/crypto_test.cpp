#include "base/crypto.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/test_support.h"

namespace novafeed {
namespace {

std::string Hex(const Sha256Digest& digest) {
  return ToHex(AsView(digest));
}

TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(Hex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HmacSha256, GivesTheDigestsOfRfc4231) {
  EXPECT_EQ(Hex(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(HmacSha256, AnEmptyKeyIsAKeyOfItsOwn) {
  const Sha256Digest other = HmacSha256("a key that must not be remembered", "text");
  EXPECT_NE(HmacSha256("", "text"), other);
  EXPECT_EQ(Hex(HmacSha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Sha256Stream, PiecesGiveTheDigestOfTheWhole) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 50; ++round) {
    Sha256Stream stream;
    std::string whole;
    for (int piece = 0; piece < 10; ++piece) {
      const std::string bytes(random() % 200, static_cast<char>(random()));
      stream.Update(bytes);
      whole += bytes;
      ASSERT_EQ(stream.Snapshot(), Sha256(whole)) << "a snapshot ends nothing";
    }
  }
}

TEST(ConstantTimeEqual, ComparesContentAndLength) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual("secret", "secret"));
  EXPECT_FALSE(ConstantTimeEqual("secret", "secreT"));
  EXPECT_FALSE(ConstantTimeEqual("secret", "secret "));
}

TEST(RandomBytes, HasTheLengthAndNeverRepeats) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = RandomBytes(16);
    EXPECT_EQ(bytes.size(), 16u);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
}

TEST(ToHex, WritesEachByteAsTwoLowerCaseDigits) {
  EXPECT_EQ(ToHex(std::string("\x00\x7f\xff", 3)), "007fff");
}

}  // namespace
}  // namespace novafeed
