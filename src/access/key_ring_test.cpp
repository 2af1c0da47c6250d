#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "access/tokens.h"
#include "base/test_support.h"
#include "base/text.h"

namespace novafeed {
namespace {

class KeyRingFile : public ::testing::Test {
 protected:
  std::string directory() const { return directory_.path().string(); }
  std::filesystem::path file() const { return directory_.path() / "keys.json"; }

  // Replaces the file by `text`, readable by its owner only.
  void Put(const std::string& text) const {
    std::ofstream(file()) << text;
    chmod(file().c_str(), 0600);
  }
  std::string DetailOf(const std::string& text) const {
    Put(text);
    const Result<KeyRing> ring = KeyRing::Open(directory());
    return ring ? "accepted" : ring.error().detail;
  }

 private:
  TempDirectory directory_;
};

std::string KeyFile(const std::string& token_keys) {
  return R"({"token_keys":)" + token_keys + R"(,"cursor_key":")" + EncodeBase64Url(std::string(32, 'c')) + "\"}";
}

std::string Key(const std::string& kid, std::size_t bytes = 32) {
  return R"({"kid":")" + kid + R"(","secret":")" + EncodeBase64Url(std::string(bytes, 's')) + "\"}";
}

TEST_F(KeyRingFile, IsMadeOnceForItsOwnerOnly) {
  const Result<KeyRing> made = KeyRing::Open(directory());
  ASSERT_TRUE(made) << made.error().detail;
  ASSERT_EQ(made->token_keys.size(), 1u);
  EXPECT_EQ(made->token_keys[0].secret.size(), 32u);
  EXPECT_EQ(made->cursor_key.size(), 32u);
  EXPECT_NE(made->cursor_key, made->token_keys[0].secret);

  struct stat status{};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);

  const Result<KeyRing> again = KeyRing::Open(directory());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->token_keys[0].kid, made->token_keys[0].kid);
  EXPECT_EQ(again->token_keys[0].secret, made->token_keys[0].secret);
  EXPECT_EQ(again->cursor_key, made->cursor_key);
  // No draft stays behind.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory()), {}), 1);
}

TEST_F(KeyRingFile, ManyStartersAgreeOnOneFile) {
  constexpr std::size_t kStarters = 8;
  std::vector<std::string> secrets(kStarters);
  std::vector<std::thread> threads;
  threads.reserve(kStarters);
  for (std::string& secret : secrets) {
    threads.emplace_back([this, &secret] {
      const Result<KeyRing> ring = KeyRing::Open(directory());
      secret = ring ? ring->token_keys[0].secret : ring.error().detail;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& secret : secrets) EXPECT_EQ(secret, secrets[0]);
}

TEST_F(KeyRingFile, OneThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640u, 0604u, 0620u, 0602u, 0644u}) {
    Put(KeyFile("[" + Key("a") + "]"));
    chmod(file().c_str(), mode);
    const Result<KeyRing> ring = KeyRing::Open(directory());
    ASSERT_FALSE(ring) << std::oct << mode;
    EXPECT_NE(ring.error().detail.find("chmod 600"), std::string::npos) << ring.error().detail;
  }
}

TEST_F(KeyRingFile, HoldsOneOrTwoKeys) {
  EXPECT_EQ(DetailOf(KeyFile("[" + Key("a") + "]")), "accepted");
  EXPECT_EQ(DetailOf(KeyFile("[" + Key("a") + "," + Key("b") + "]")), "accepted");
  EXPECT_NE(DetailOf(KeyFile("[]")), "accepted");
  EXPECT_NE(DetailOf(KeyFile("[" + Key("a") + "," + Key("b") + "," + Key("c") + "]")), "accepted");
  EXPECT_NE(DetailOf(KeyFile("[" + Key("a") + "," + Key("a") + "]")), "accepted");
}

TEST_F(KeyRingFile, BadContentIsRefusedWithoutShowingSecrets) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), KeyFile("7"), KeyFile("[" + Key("a", 31) + "]"),
        KeyFile(R"([{"kid":"a","secret":"not base64!"}])"), KeyFile(R"([{"kid":"a"}])"),
        std::string(R"({"token_keys":[)" + Key("a") + "]}"), KeyFile("[" + Key("a") + R"(],"more":1)")}) {
    const std::string detail = DetailOf(text);
    EXPECT_NE(detail, "accepted") << text;
    EXPECT_NE(detail.find("keys.json"), std::string::npos) << detail;
    EXPECT_EQ(detail.find(EncodeBase64Url(std::string(30, 's'))), std::string::npos) << detail;
  }
}

TEST(KeyRing, MissingDirectoryIsNamed) {
  const TempDirectory parent;
  const Result<KeyRing> ring = KeyRing::Open((parent.path() / "nowhere").string());
  ASSERT_FALSE(ring);
  EXPECT_NE(ring.error().detail.find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace novafeed
