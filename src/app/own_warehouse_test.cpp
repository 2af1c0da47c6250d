#include "app/own_warehouse.h"

#include <gtest/gtest.h>

#include <chrono>

#include "app/settings_table.h"
#include "base/test_support.h"

namespace novafeed {
namespace {

TEST(OwnWarehouseTest, AnEngineThatIsAwayIsGivenUpAndItsSettingNamed) {
  const TempDirectory temp;
  SettingFlags flags;
  flags.overrides = {{"data.directory", temp.path()}, {"olap.url", "http://127.0.0.1:1"}};
  const Settings settings = LoadSettings(flags).value();
  const SystemClock clock;
  Metrics metrics;
  Stores stores = OpenStores(temp.path(), settings, &clock, &metrics);
  const auto warehouse = OpenOwnWarehouse(settings, &clock, false, &stores, &metrics);
  ASSERT_TRUE(warehouse);
  const Status filled = AwaitFilled(warehouse->get(), stores, std::chrono::milliseconds(1));
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, "no_olap");
  EXPECT_NE(filled.error().detail.find("olap.url"), std::string::npos);
}

}  // namespace
}  // namespace novafeed
