#include "warehouse/landing.h"

#include <gtest/gtest.h>

#include <string>

namespace novafeed {
namespace {

LoggedEvent SampleEvent() {
  LoggedEvent logged;
  logged.sequence = 7;
  logged.event.type = EventType::kShare;
  logged.event.user = UserId{IdFromExternal(IdKind::kUser, "a")};
  logged.event.post = PostId{IdFromExternal(IdKind::kPost, "p")};
  logged.event.at = 1'700'000'000'000;
  return logged;
}

std::string IdentityIn(const std::string& line) {
  const std::string key = R"("identity":")";
  const std::size_t begin = line.find(key);
  return begin == line.npos ? ""
                            : line.substr(begin + key.size(), line.find('"', begin + key.size()) - begin - key.size());
}

TEST(LandingLineOf, AnEventTravelsWithItsIdentity) {
  const LoggedEvent logged = SampleEvent();
  const std::string identity = IdentityIn(LandingLineOf(logged).line);
  EXPECT_EQ(identity.size(), 32U);
  std::string with_dashes = identity;
  for (const std::size_t at : {8, 13, 18, 23}) with_dashes.insert(at, "-");
  EXPECT_EQ(ParseUuid(with_dashes), EventIdentity(logged.event));
}

TEST(LandingLineOf, AnEventKeepsItsIdentityBehindAPseudonym) {
  LoggedEvent logged = SampleEvent();
  const std::string before = IdentityIn(LandingLineOf(logged).line);
  logged.identity = logged.Identity();
  logged.event.user = UserId{IdFromExternal(IdKind::kUser, "somebody")};
  EXPECT_EQ(IdentityIn(LandingLineOf(logged).line), before);
  EXPECT_NE(EventIdentity(logged.event), *logged.identity) << "or this test proves nothing";
}

}  // namespace
}  // namespace novafeed
