// Who may be whom, and which writes a request has seen.
#include "api/context.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "api/bodies.h"

namespace novafeed {
namespace {

constexpr TimeMs kNow = 1'790'000'000'000;

const UserId kAda{*ParseUuid("00000000-0000-0000-0000-00000000000a")};
const UserId kBob{*ParseUuid("00000000-0000-0000-0000-00000000000b")};

template <class T>
std::string CodeOf(const Result<T>& result) {
  return result ? "ok" : result.error().code;
}

KeyRing MakeRing() {
  return KeyRing{{{"k", std::string(32, 'k')}}, std::string(32, 'c')};
}

HttpRequest With(std::string_view name, const std::string& value) {
  HttpRequest request;
  request.headers.emplace_back(name, value);
  return request;
}

Result<RequestContext> MakeContext(const HttpRequest& request, Scope scope) {
  static constexpr std::string_view kGeneration = "g1";
  return RequestContext::Make(nullptr, nullptr, std::string(kGeneration), &request, Caller{kAda, scope});
}

TEST(Authenticate, TakesABearerTokenOnly) {
  const KeyRing keys = MakeRing();
  const std::string token = SignToken(keys, kAda, Scope::kService, kNow, 60'000);
  const auto code = [&](const std::string& authorization) {
    return CodeOf(Authenticate(With("Authorization", authorization), keys, kNow));
  };
  EXPECT_EQ(code("Bearer " + token), "ok");
  EXPECT_EQ(code("bearer " + token), "ok");
  EXPECT_EQ(code("Basic " + token), "no_token");
  EXPECT_EQ(code(token), "no_token");
  EXPECT_EQ(code("Bearer"), "no_token");
  EXPECT_EQ(code("Bearer "), "no_token");
  EXPECT_EQ(code("Bearer x"), "bad_token");
  EXPECT_EQ(CodeOf(Authenticate(HttpRequest(), keys, kNow)), "no_token");
  EXPECT_EQ(Authenticate(HttpRequest(), keys, kNow).error().failure, Failure::kUnauthenticated);
}

struct PersonCase {
  Scope scope;
  std::string header;  // empty: not sent
  std::string code;
  std::optional<UserId> person;
};

TEST(Person, FollowsScopeAndHeader) {
  const PersonCase cases[] = {
      {Scope::kUser, "", "ok", kAda},
      {Scope::kUser, kAda.ToString(), "ok", kAda},
      {Scope::kUser, kBob.ToString(), "other_user", {}},
      {Scope::kUser, "ext:ada", "other_user", {}},
      {Scope::kUser, "nobody", "bad_id", {}},
      {Scope::kService, "", "ok", std::nullopt},
      {Scope::kService, kBob.ToString(), "ok", kBob},
      {Scope::kService, "ext:bob", "ok", UserId{IdFromExternal(IdKind::kUser, "bob")}},
      {Scope::kService, "nobody", "bad_id", {}},
      {Scope::kAdmin, "", "ok", std::nullopt},
      {Scope::kAdmin, kBob.ToString(), "ok", kBob},
  };
  for (const PersonCase& expected : cases) {
    SCOPED_TRACE(std::string(ScopeName(expected.scope)) + " with \"" + expected.header + "\"");
    const HttpRequest request = expected.header.empty() ? HttpRequest() : With("novafeed-user", expected.header);
    const auto person = PersonOf(request, Caller{kAda, expected.scope});
    EXPECT_EQ(CodeOf(person), expected.code);
    if (person) {
      EXPECT_EQ(*person, expected.person);
    }
  }
}

TEST(Person, RoutesThatNeedOneSaySo) {
  const HttpRequest request;
  const Result<RequestContext> platform = MakeContext(request, Scope::kService);
  ASSERT_TRUE(platform);
  EXPECT_EQ(CodeOf(platform->RequirePerson()), "user_required");
  EXPECT_EQ(platform->RequirePerson().error().failure, Failure::kInvalid);
  EXPECT_FALSE(platform->actor());

  const Result<RequestContext> user = MakeContext(request, Scope::kUser);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->RequirePerson().value(), kAda);
  EXPECT_EQ(user->actor(), kAda);
}

TEST(Scopes, PlatformAndAdminRoutes) {
  EXPECT_EQ(CodeOf(RequirePlatform(Caller{kAda, Scope::kUser}, "This")), "scope_required");
  EXPECT_EQ(CodeOf(RequirePlatform(Caller{kAda, Scope::kService}, "This")), "ok");
  EXPECT_EQ(CodeOf(RequirePlatform(Caller{kAda, Scope::kAdmin}, "This")), "ok");
  EXPECT_EQ(CodeOf(RequireAdmin(Caller{kAda, Scope::kUser})), "scope_required");
  EXPECT_EQ(CodeOf(RequireAdmin(Caller{kAda, Scope::kService})), "scope_required");
  EXPECT_EQ(CodeOf(RequireAdmin(Caller{kAda, Scope::kAdmin})), "ok");
}

TEST(Positions, AreJoinedFromQueryAndHeaders) {
  HttpRequest request;
  request.query = "min_position=" + EncodePosition({"g1", 5, {1}}) + "&min_position=" + EncodePosition({"g1", 3, {9}});
  request.headers = {{"Novafeed-Position", EncodePosition({"g1", 7, {2, 3}})}};
  const Result<RequestContext> context = MakeContext(request, Scope::kUser);
  ASSERT_TRUE(context) << context.error().detail;
  EXPECT_EQ(context->carried(), (Position{"g1", 7, {9, 3}}));
}

TEST(Positions, OfAnotherDataSetOrMalformedAreRefused) {
  HttpRequest request;
  request.query = "min_position=" + EncodePosition({"g2", 5, {1}});
  EXPECT_EQ(CodeOf(MakeContext(request, Scope::kUser)), "other_generation");
  request.query = "min_position=nonsense!";
  EXPECT_EQ(CodeOf(MakeContext(request, Scope::kUser)), "bad_position");
}

TEST(Positions, AnswersToWritesCarryTheUnion) {
  HttpRequest request;
  request.query = "min_position=" + EncodePosition({"g1", 5, {9}});
  Result<RequestContext> context = MakeContext(request, Scope::kUser);
  ASSERT_TRUE(context);

  HttpResponse read;
  context->Mark(&read);
  EXPECT_TRUE(read.headers.empty());

  context->NoteChanges(7);
  context->NoteEvents({4, 2});
  HttpResponse written;
  context->Mark(&written);
  const Headers expected = {{"Novafeed-Position", EncodePosition({"g1", 7, {9, 2}})}};
  EXPECT_EQ(written.headers, expected);
}

TEST(Positions, ALateIndexIsSaid) {
  const HttpRequest request;
  Result<RequestContext> context = MakeContext(request, Scope::kUser);
  ASSERT_TRUE(context);
  context->NoteBehind();
  HttpResponse response;
  context->Mark(&response);
  const Headers expected = {{"Novafeed-Degraded", "behind"}};
  EXPECT_EQ(response.headers, expected);
}

class Bodies : public ::testing::Test {
 protected:
  // The code with which a body is refused as a new post, or "ok".
  static std::string NewPostCode(Scope scope, const std::string& body) {
    const HttpRequest request = JsonRequest(body);
    return CodeOf(ReadNewText(MakeContext(request, scope).value(), IdKind::kPost));
  }
  static std::string NewUserCode(Scope scope, const std::string& body) {
    const HttpRequest request = JsonRequest(body);
    return CodeOf(ReadNewUser(MakeContext(request, scope).value()));
  }
  static HttpRequest JsonRequest(const std::string& body) {
    HttpRequest request = With("Content-Type", "application/json");
    request.body = body;
    return request;
  }
};

TEST_F(Bodies, UnknownFieldsAreRefused) {
  EXPECT_EQ(NewPostCode(Scope::kUser, R"({"text":"x"})"), "ok");
  EXPECT_EQ(NewPostCode(Scope::kUser, R"({"text":"x","created_at":1})"), "unknown_field");
  EXPECT_EQ(NewUserCode(Scope::kService, R"({"handle":"x","name":"X","admin":true})"), "unknown_field");
  EXPECT_EQ(CodeOf(ReadText(MakeContext(JsonRequest(R"({"text":"x","id":"ext:1"})"), Scope::kAdmin).value())),
            "unknown_field");
}

TEST_F(Bodies, FieldsMustBeThereAndOfTheirType) {
  EXPECT_EQ(NewPostCode(Scope::kUser, "{}"), "missing_field");
  EXPECT_EQ(NewPostCode(Scope::kUser, R"({"text":null})"), "missing_field");
  EXPECT_EQ(NewPostCode(Scope::kUser, R"({"text":5})"), "wrong_type");
  EXPECT_EQ(NewPostCode(Scope::kUser, "[]"), "wrong_type");
  EXPECT_EQ(NewUserCode(Scope::kService, R"({"handle":"x"})"), "missing_field");
}

TEST_F(Bodies, OnlyThePlatformChoosesIds) {
  EXPECT_EQ(NewPostCode(Scope::kUser, R"({"id":"ext:1","text":"x"})"), "id_not_allowed");
  EXPECT_EQ(NewPostCode(Scope::kService, R"({"id":"ext:1","text":"x"})"), "ok");
  EXPECT_EQ(NewPostCode(Scope::kAdmin, R"({"id":"ext:1","text":"x"})"), "ok");
  EXPECT_EQ(NewPostCode(Scope::kAdmin, R"({"id":"1","text":"x"})"), "bad_id");
}

TEST_F(Bodies, OnlyThePlatformCreatesUsers) {
  EXPECT_EQ(NewUserCode(Scope::kUser, R"({"handle":"x","name":"X"})"), "scope_required");
  EXPECT_EQ(NewUserCode(Scope::kService, R"({"handle":"x","name":"X"})"), "ok");
  EXPECT_EQ(NewUserCode(Scope::kAdmin, R"({"id":"ext:1","handle":"x","name":""})"), "ok");
}

}  // namespace
}  // namespace novafeed
