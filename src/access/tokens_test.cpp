#include "access/tokens.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/crypto.h"
#include "base/text.h"

namespace novafeed {
namespace {

constexpr TimeMs kNow = 1'790'000'000'000;
constexpr std::int64_t kNowSeconds = kNow / kMsPerSecond;

const UserId kAda{*ParseUuid("00112233-4455-6677-8899-aabbccddeeff")};

KeyRing MakeRing() {
  return KeyRing{{{"first", std::string(32, 'a')}, {"second", std::string(32, 'b')}}, std::string(32, 'c')};
}

// A token as anybody could write it: any header, any claims, signed with any secret.
std::string Forge(std::string_view header, std::string_view claims, std::string_view secret) {
  const std::string signed_part = EncodeBase64Url(header) + "." + EncodeBase64Url(claims);
  return signed_part + "." + EncodeBase64Url(AsView(HmacSha256(secret, signed_part)));
}

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT","kid":"first"})";

std::string ForgeClaims(const std::string& claims) {
  return Forge(kHeader, claims, std::string(32, 'a'));
}

std::string Claims(const std::string& more) {
  return R"({"sub":")" + kAda.ToString() + "\"" + more + "}";
}

std::string Expiring(std::int64_t seconds) {
  return R"(,"exp":)" + std::to_string(seconds);
}

std::string CodeOf(const Result<Caller>& result) {
  return result ? "ok" : result.error().code;
}

std::string Verify(const std::string& token, TimeMs now = kNow) {
  return CodeOf(VerifyToken(MakeRing(), token, now));
}

TEST(Tokens, SignedTokenIsAcceptedWithItsSubjectAndScope) {
  for (const Scope scope : {Scope::kUser, Scope::kService, Scope::kAdmin}) {
    const Result<Caller> caller = VerifyToken(MakeRing(), SignToken(MakeRing(), kAda, scope, kNow, 60'000), kNow);
    ASSERT_TRUE(caller) << caller.error().detail;
    EXPECT_EQ(caller->subject, kAda);
    EXPECT_EQ(caller->scope, scope);
  }
}

TEST(Tokens, EveryByteChangedIsRefused) {
  const std::string token = SignToken(MakeRing(), kAda, Scope::kUser, kNow, 60'000);
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (const char other : std::string_view("ABCwxyz0189-_.=+/ \n")) {
      if (other == token[at]) continue;
      std::string changed = token;
      changed[at] = other;
      EXPECT_NE(Verify(changed), "ok") << "byte " << at << " as '" << other << "'";
    }
    std::string flipped = token;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    EXPECT_NE(Verify(flipped), "ok") << "bit at " << at;
  }
}

TEST(Tokens, EveryCutAndEveryAppendedByteIsRefused) {
  const std::string token = SignToken(MakeRing(), kAda, Scope::kUser, kNow, 60'000);
  for (std::size_t length = 0; length < token.size(); ++length) {
    EXPECT_EQ(Verify(token.substr(0, length)), "bad_token") << length;
  }
  for (const char more : std::string_view("A.=")) EXPECT_EQ(Verify(token + more), "bad_token");
  EXPECT_EQ(Verify(std::string(5000, 'A')), "bad_token");
}

TEST(Tokens, NoOtherAlgorithmIsAccepted) {
  const std::string claims = Claims(Expiring(kNowSeconds + 60));
  const std::string unsigned_token =
      EncodeBase64Url(R"({"alg":"none","kid":"first"})") + "." + EncodeBase64Url(claims) + ".";
  EXPECT_EQ(Verify(unsigned_token), "bad_token");
  for (const std::string alg : {"none", "None", "hs256", "HS384", "RS256", ""}) {
    const std::string header = R"({"alg":")" + alg + R"(","kid":"first"})";
    EXPECT_EQ(Verify(Forge(header, claims, std::string(32, 'a'))), "bad_token") << alg;
  }
  EXPECT_EQ(Verify(Forge(R"({"kid":"first"})", claims, std::string(32, 'a'))), "bad_token");
  EXPECT_EQ(Verify(Forge(R"({"alg":["HS256"],"kid":"first"})", claims, std::string(32, 'a'))), "bad_token");
}

TEST(Tokens, HeaderMustNameAKnownKey) {
  const std::string claims = Claims(Expiring(kNowSeconds + 60));
  EXPECT_EQ(Verify(Forge(R"({"alg":"HS256","kid":"third"})", claims, std::string(32, 'a'))), "unknown_key");
  EXPECT_EQ(Verify(Forge(R"({"alg":"HS256"})", claims, std::string(32, 'a'))), "bad_token");
  // The right key under the other key's name.
  EXPECT_EQ(Verify(Forge(R"({"alg":"HS256","kid":"second"})", claims, std::string(32, 'a'))), "bad_token");
  EXPECT_EQ(Verify(Forge(R"({"alg":"HS256","kid":"first","crit":["x"]})", claims, std::string(32, 'a'))), "bad_token");
  EXPECT_EQ(Verify(Forge(R"({"alg":"HS256","kid":"first","typ":"at+jwt","x":1})", claims, std::string(32, 'a'))), "ok");
}

TEST(Tokens, CursorKeySignsNoTokens) {
  EXPECT_EQ(Verify(Forge(kHeader, Claims(Expiring(kNowSeconds + 60)), std::string(32, 'c'))), "bad_token");
}

TEST(Tokens, ExpiryHasSixtySecondsOfLeeway) {
  const std::string token = ForgeClaims(Claims(Expiring(kNowSeconds)));
  EXPECT_EQ(Verify(token, kNow), "ok");
  EXPECT_EQ(Verify(token, kNow + 59'999), "ok");
  EXPECT_EQ(Verify(token, kNow + 60'000), "token_expired");
}

TEST(Tokens, ExpiryIsRequiredAndWellFormed) {
  EXPECT_EQ(Verify(ForgeClaims(Claims(""))), "bad_token");
  EXPECT_EQ(Verify(ForgeClaims(Claims(R"(,"exp":null)"))), "bad_token");
  EXPECT_EQ(Verify(ForgeClaims(Claims(R"(,"exp":")" + std::to_string(kNowSeconds + 60) + "\""))), "bad_token");
  EXPECT_EQ(Verify(ForgeClaims(Claims(R"(,"exp":-1)"))), "bad_token");
  EXPECT_EQ(Verify(ForgeClaims(Claims(R"(,"exp":9223372036854775807)"))), "bad_token");
}

TEST(Tokens, LifeIsAtMostThirtyDaysFromItsIssue) {
  constexpr std::int64_t kThirtyDays = kMaxTokenLife / kMsPerSecond;
  const auto issued = [](std::int64_t seconds) { return R"(,"iat":)" + std::to_string(seconds); };
  EXPECT_EQ(Verify(ForgeClaims(Claims(issued(kNowSeconds) + Expiring(kNowSeconds + kThirtyDays)))), "ok");
  EXPECT_EQ(Verify(ForgeClaims(Claims(issued(kNowSeconds) + Expiring(kNowSeconds + kThirtyDays + 1)))),
            "token_too_long_lived");
  // Issued long ago for longer than 30 days: refused although little of its life is left.
  EXPECT_EQ(Verify(ForgeClaims(Claims(issued(kNowSeconds - kThirtyDays) + Expiring(kNowSeconds + 1)))),
            "token_too_long_lived");
  // Without iat: from now, with the leeway between the clocks.
  EXPECT_EQ(Verify(ForgeClaims(Claims(Expiring(kNowSeconds + kThirtyDays + 60)))), "ok");
  EXPECT_EQ(Verify(ForgeClaims(Claims(Expiring(kNowSeconds + kThirtyDays + 61)))), "token_too_long_lived");
}

TEST(Tokens, TokenOfTheFutureIsRefused) {
  const std::string expiry = Expiring(kNowSeconds + 600);
  for (const std::string name : {"iat", "nbf"}) {
    const auto starting = [&](std::int64_t seconds) { return ",\"" + name + "\":" + std::to_string(seconds) + expiry; };
    EXPECT_EQ(Verify(ForgeClaims(Claims(starting(kNowSeconds + 60)))), "ok") << name;
    EXPECT_EQ(Verify(ForgeClaims(Claims(starting(kNowSeconds + 61)))), "token_not_yet_valid") << name;
  }
}

TEST(Tokens, SubjectIsAUuidOrAnExternalId) {
  const auto with_subject = [](const std::string& subject) {
    return ForgeClaims(R"({"sub":)" + subject + Expiring(kNowSeconds + 60) + "}");
  };
  const Result<Caller> external = VerifyToken(MakeRing(), with_subject(R"("ext:alice")"), kNow);
  ASSERT_TRUE(external) << external.error().detail;
  EXPECT_EQ(external->subject.value, IdFromExternal(IdKind::kUser, "alice"));
  for (const std::string bad : {R"("alice")", R"("ext:")", R"("")", "7", "null", R"(["ext:alice"])"}) {
    EXPECT_EQ(Verify(with_subject(bad)), "bad_token") << bad;
  }
}

TEST(Tokens, ScopeIsUserUnlessNamed) {
  const std::string expiry = Expiring(kNowSeconds + 60);
  const Result<Caller> caller = VerifyToken(MakeRing(), ForgeClaims(Claims(expiry)), kNow);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->scope, Scope::kUser);
  for (const std::string bad : {R"("root")", R"("")", R"("ADMIN")", "1", R"(["admin"])"}) {
    EXPECT_EQ(Verify(ForgeClaims(Claims(expiry + ",\"scope\":" + bad))), "bad_token") << bad;
  }
}

TEST(Tokens, ClaimsMustBeAnObject) {
  for (const std::string claims : {"", "[]", "7", "{", R"({"sub":"x"} {})", "\xff"}) {
    EXPECT_EQ(Verify(ForgeClaims(claims)), "bad_token") << claims;
  }
}

TEST(Tokens, TwoKeysVerifyWhileTheyRotate) {
  const KeyRing old_ring{{{"old", std::string(32, 'o')}}, {}};
  const KeyRing both{{{"new", std::string(32, 'n')}, {"old", std::string(32, 'o')}}, {}};
  const KeyRing new_ring{{{"new", std::string(32, 'n')}}, {}};
  const std::string old_token = SignToken(old_ring, kAda, Scope::kUser, kNow, 60'000);
  const std::string new_token = SignToken(both, kAda, Scope::kUser, kNow, 60'000);
  EXPECT_EQ(CodeOf(VerifyToken(both, old_token, kNow)), "ok");
  EXPECT_EQ(CodeOf(VerifyToken(both, new_token, kNow)), "ok");
  EXPECT_EQ(CodeOf(VerifyToken(new_ring, new_token, kNow)), "ok");
  EXPECT_EQ(CodeOf(VerifyToken(new_ring, old_token, kNow)), "unknown_key");
}

TEST(Tokens, SigningRefusesAnImpossibleLife) {
  EXPECT_THROW(SignToken(MakeRing(), kAda, Scope::kUser, kNow, 999), std::invalid_argument);
  EXPECT_THROW(SignToken(MakeRing(), kAda, Scope::kUser, kNow, kMaxTokenLife + 1), std::invalid_argument);
  EXPECT_EQ(Verify(SignToken(MakeRing(), kAda, Scope::kUser, kNow, kMaxTokenLife)), "ok");
}

}  // namespace
}  // namespace novafeed
