#include "check/siphash.h"

#include <gtest/gtest.h>

#include <string>

namespace novafeed {
namespace {

// The vectors of SipHash's authors need a key; these are what ClickHouse gives for sipHash64(String).
TEST(SipHash, GivesClickHousesNumbers) {
  EXPECT_EQ(SipHash64(""), 2202906307356721367ULL);
  EXPECT_EQ(SipHash64("abc"), 4596069200710135518ULL);
  EXPECT_EQ(SipHash64(std::string_view("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16)),
            1463458896946888740ULL);
}

}  // namespace
}  // namespace novafeed
