#include "adapters/postgres/values.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string_view>

#include "graph/store.h"

namespace novafeed::postgres {
namespace {

using std::string_view_literals::operator""sv;

std::string_view ValueAt(const Parameters& parameters, std::size_t at) {
  return {parameters.Values().at(at), static_cast<std::size_t>(parameters.lengths()[at])};
}

TEST(PostgresValues, NumbersAreInNetworkOrder) {
  const Parameters parameters(std::int64_t{-2}, std::int16_t{258}, true, false);
  ASSERT_EQ(parameters.count(), 4u);
  EXPECT_EQ(ValueAt(parameters, 0), "\xff\xff\xff\xff\xff\xff\xff\xfe"sv);
  EXPECT_EQ(ValueAt(parameters, 1), "\x01\x02"sv);
  EXPECT_EQ(ValueAt(parameters, 2), "\x01"sv);
  EXPECT_EQ(ValueAt(parameters, 3), "\x00"sv);
  EXPECT_EQ(parameters.formats()[0], 1);
  EXPECT_EQ(DecodeInt(ValueAt(parameters, 0)), -2);
  EXPECT_EQ(DecodeInt(ValueAt(parameters, 1)), 258);
  EXPECT_TRUE(DecodeBool(ValueAt(parameters, 2)));
}

TEST(PostgresValues, AnInstantIsMicrosecondsSince2000) {
  const Parameters parameters(Instant{946'684'800'001}, Instant{0}, Instant{kInfinity});
  EXPECT_EQ(ValueAt(parameters, 0), "\0\0\0\0\0\0\x03\xe8"sv);
  EXPECT_EQ(DecodeInstant(ValueAt(parameters, 0)), 946'684'800'001);
  EXPECT_EQ(DecodeInstant(ValueAt(parameters, 1)), 0);
  EXPECT_EQ(ValueAt(parameters, 2), "\x7f\xff\xff\xff\xff\xff\xff\xff"sv);
}

TEST(PostgresValues, AFinerInstantIsTruncatedTowardsThePast) {
  EXPECT_EQ(DecodeInstant("\0\0\0\0\0\0\x07\xcf"sv), 946'684'800'001);                  // 1.999 ms
  EXPECT_EQ(DecodeInstant("\xff\xff\xff\xff\xff\xff\xff\xff"sv), 946'684'800'000 - 1);  // 1 us before
}

TEST(PostgresValues, NothingIsANullPointer) {
  const Parameters parameters(std::optional<std::string>(), std::optional<std::string>(""), UserId{});
  EXPECT_EQ(parameters.Values()[0], nullptr);
  ASSERT_NE(parameters.Values()[1], nullptr);
  EXPECT_EQ(ValueAt(parameters, 1), "");
  EXPECT_EQ(DecodeUuid(ValueAt(parameters, 2)), Uuid{});
}

TEST(PostgresValues, TextWithANulIsRefusedAndBytesAreNot) {
  try {
    const Parameters refused("a\0b"sv);
    FAIL() << "the database would have cut it off";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.error().failure, Failure::kUnprocessable);
    EXPECT_EQ(error.error().code, "bad_text");
  }
  EXPECT_EQ(ValueAt(Parameters(Bytes{"a\0b"sv}), 0).size(), 3u);
}

TEST(PostgresValues, AColumnOfAnotherLengthIsABug) {
  EXPECT_THROW(DecodeUuid("short"), std::logic_error);
  EXPECT_THROW(DecodeInt("abc"), std::logic_error);
  EXPECT_THROW(DecodeInstant("1234"), std::logic_error);
}

TEST(PostgresValues, AnArrayOfIdsIsText) {
  const std::vector<UserId> ids = {UserId{}, UserId{kNovafeedNamespace}};
  EXPECT_EQ(UuidArray(ids, [](UserId id) { return id; }),
            "{00000000-0000-0000-0000-000000000000,c1c8ce8d-f735-5bd1-a9d4-0685a57e4b43}");
  EXPECT_EQ(UuidArray(std::vector<UserId>(), [](UserId id) { return id; }), "{}");
}

}  // namespace
}  // namespace novafeed::postgres
