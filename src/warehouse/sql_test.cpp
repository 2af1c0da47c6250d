#include "warehouse/sql.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace novafeed {
namespace {

TEST(WarehouseSql, NumbersTheSchemaFromOneWithoutGaps) {
  std::size_t number = 0;
  for (const SqlScript& script : WarehouseSchema()) {
    EXPECT_EQ(std::stoul(std::string(script.name.substr(0, 4))), ++number) << script.name;
  }
  EXPECT_GE(number, 1U);
}

TEST(WarehouseSql, FindsStatementsByTheNameOfTheirFile) {
  EXPECT_NE(WarehouseSql("refresh_post_counters").find("INSERT INTO novafeed.post_counters"), std::string_view::npos);
  EXPECT_THROW(WarehouseSql("no_such_statement"), std::logic_error);
}

}  // namespace
}  // namespace novafeed
