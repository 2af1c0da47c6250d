#include "warehouse/olap.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace novafeed {
namespace {

using namespace std::string_literals;

TEST(OlapRows, ReadsNumbersAndStringsInTheirOrder) {
  OlapRows rows("\x07"s + "\x01\x02"s + "\xff\xff\xff\xff\xff\xff\xff\xff"s + "\x03"s + "abc"s + "\x01"s + "\x00\x00"s);
  EXPECT_EQ(rows.UInt8(), 7);
  EXPECT_EQ(rows.UInt16(), 0x0201);
  EXPECT_EQ(rows.Int64(), -1);
  EXPECT_EQ(rows.String(), "abc");
  EXPECT_TRUE(rows.IsNull());
  EXPECT_FALSE(rows.IsNull());
  EXPECT_EQ(rows.ArraySize(), 0U);
  EXPECT_TRUE(rows.AtEnd());
}

TEST(OlapRows, ReadsLengthsOfMoreThanSevenBits) {
  OlapRows rows("\xac\x02"s + std::string(300, 'x'));
  EXPECT_EQ(rows.String(), std::string(300, 'x'));
}

// As ClickHouse gives SELECT toUUID('00112233-4455-6677-8899-aabbccddeeff') FORMAT RowBinary.
TEST(OlapRows, ReadsIdsHalfByHalf) {
  OlapRows rows("\x77\x66\x55\x44\x33\x22\x11\x00\xff\xee\xdd\xcc\xbb\xaa\x99\x88"s);
  EXPECT_EQ(rows.Id().ToString(), "00112233-4455-6677-8899-aabbccddeeff");
}

TEST(OlapRows, RefusesWhatIsCut) {
  EXPECT_THROW(OlapRows("\x01\x02").UInt64(), std::out_of_range);
  EXPECT_THROW(OlapRows("\x05"s + "abc").String(), std::out_of_range);
  EXPECT_THROW(OlapRows(std::string(11, '\xff')).String(), std::out_of_range);
}

}  // namespace
}  // namespace novafeed
