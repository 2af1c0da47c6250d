#include "adapters/chdb/users.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "base/test_support.h"

namespace novafeed {
namespace {

TEST(OlapUsersTest, AreMadeOnceForTheirOwnerOnly) {
  const TempDirectory temp;
  const auto made = OlapUsers::Open(temp.path());
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_GE(made->writer.password.size(), 32U);
  EXPECT_NE(made->writer.password, made->reader.password);
  struct stat status{};
  ASSERT_EQ(stat((temp.path() / "olap.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto again = OlapUsers::Open(temp.path());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->writer.password, made->writer.password);
  EXPECT_EQ(again->reader.password, made->reader.password);
}

TEST(OlapUsersTest, AMalformedOrOpenFileIsRefused) {
  for (const char* text : {"", "{}", R"({"novafeed":"short","reader":"0123456789abcdef"})",
                           R"({"novafeed":"0123456789abcdef","reader":"0123456789abcdef","x":"y"})"}) {
    const TempDirectory temp;
    const std::string path = temp.path() / "olap.json";
    std::ofstream(path) << text;
    chmod(path.c_str(), 0600);
    const auto users = OlapUsers::Open(temp.path());
    ASSERT_FALSE(users) << text;
    EXPECT_EQ(users.error().code, "bad_users_file") << text;
  }
  const TempDirectory temp;
  ASSERT_TRUE(OlapUsers::Open(temp.path()));
  chmod((temp.path() / "olap.json").c_str(), 0640);
  const auto users = OlapUsers::Open(temp.path());
  ASSERT_FALSE(users);
  EXPECT_EQ(users.error().code, "bad_secret_file");
}

TEST(AuthenticateTest, NameAndPasswordBelongTogether) {
  const OlapUsers users{{"novafeed", "secret-of-writer"}, {"reader", "secret-of-reader"}};
  EXPECT_EQ(Authenticate(users, "novafeed", "secret-of-writer"), OlapRole::kWriter);
  EXPECT_EQ(Authenticate(users, "reader", "secret-of-reader"), OlapRole::kReader);
  EXPECT_EQ(Authenticate(users, "reader", "secret-of-writer"), std::nullopt);
  EXPECT_EQ(Authenticate(users, "novafeed", "secret-of-reader"), std::nullopt);
  EXPECT_EQ(Authenticate(users, "novafeed", ""), std::nullopt);
  EXPECT_EQ(Authenticate(users, "", "secret-of-writer"), std::nullopt);
  EXPECT_EQ(Authenticate(users, "novafeed", "secret-of-writer "), std::nullopt);
}

}  // namespace
}  // namespace novafeed
