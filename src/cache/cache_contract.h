// What every Cache keeps to. An adapter's test makes its cache in a fixture (`Cache& cache()`, `void Advance(ms)`,
// which lets time go on) and instantiates these.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "cache/cache.h"

namespace novafeed {

using std::chrono::milliseconds;

template <class Fixture>
class CacheContract : public Fixture {
 protected:
  std::optional<std::string> Get(const std::string& key) { return this->cache().Get(key).value(); }
  void Put(const std::string& key, std::string value, milliseconds ttl = milliseconds(1000)) {
    ASSERT_TRUE(this->cache().Put(key, std::move(value), ttl));
  }
};
TYPED_TEST_SUITE_P(CacheContract);

TYPED_TEST_P(CacheContract, GivesBackWhatWasPutByteForByte) {
  const std::string bytes("\0\xff\n{}", 5);
  this->Put("key", bytes);
  EXPECT_EQ(this->Get("key"), bytes);
  this->Put("empty", "");
  EXPECT_EQ(this->Get("empty"), "");
}

TYPED_TEST_P(CacheContract, KnowsNothingOfOtherKeys) {
  this->Put("feed:v1:a:0:20", "first");
  EXPECT_EQ(this->Get("feed:v1:a:0:2"), std::nullopt);
  EXPECT_EQ(this->Get("feed:v1:a:0:200"), std::nullopt);
}

TYPED_TEST_P(CacheContract, TheLastPutHolds) {
  this->Put("key", "one");
  this->Put("key", "two");
  EXPECT_EQ(this->Get("key"), "two");
}

TYPED_TEST_P(CacheContract, AnEntryEndsWithItsTime) {
  this->Put("short", "value", milliseconds(100));
  this->Put("long", "value", milliseconds(60'000));
  this->Advance(milliseconds(200));
  EXPECT_EQ(this->Get("short"), std::nullopt);
  EXPECT_EQ(this->Get("long"), "value");
}

TYPED_TEST_P(CacheContract, AnotherPutBeginsTheTimeAnew) {
  this->Put("key", "one", milliseconds(150));
  this->Advance(milliseconds(100));
  this->Put("key", "two", milliseconds(60'000));
  this->Advance(milliseconds(200));
  EXPECT_EQ(this->Get("key"), "two");
}

TYPED_TEST_P(CacheContract, RemovesAndMindsNoAbsence) {
  this->Put("key", "value");
  ASSERT_TRUE(this->cache().Remove("key"));
  EXPECT_EQ(this->Get("key"), std::nullopt);
  ASSERT_TRUE(this->cache().Remove("key"));
}

REGISTER_TYPED_TEST_SUITE_P(CacheContract, GivesBackWhatWasPutByteForByte, KnowsNothingOfOtherKeys, TheLastPutHolds,
                            AnEntryEndsWithItsTime, AnotherPutBeginsTheTimeAnew, RemovesAndMindsNoAbsence);

}  // namespace novafeed
