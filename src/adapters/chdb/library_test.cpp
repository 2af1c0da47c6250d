#include "adapters/chdb/library.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

TEST(ChdbLibraryTest, AMissingFileIsNamedWithWhatToDo) {
  const auto library = ChdbLibrary::Load("/nowhere/libchdb.so");
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, "no_chdb");
  EXPECT_NE(library.error().detail.find("/nowhere/libchdb.so"), std::string::npos);
  EXPECT_NE(library.error().detail.find("olap.library"), std::string::npos);
}

TEST(ChdbLibraryTest, AnotherLibraryIsRefused) {
  const auto library = ChdbLibrary::Load("libm.so.6");
  ASSERT_FALSE(library);
  EXPECT_NE(library.error().detail.find("chdb_version"), std::string::npos) << library.error().detail;
}

}  // namespace
}  // namespace novafeed
