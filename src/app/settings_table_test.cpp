#include "app/settings_table.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "base/test_support.h"

namespace novafeed {
namespace {

const std::string kPage = std::string(NOVAFEED_SOURCE_DIR) + "/docs/configuration.md";

TEST(SettingsTableTest, DefaultsLoad) {
  const auto settings = LoadSettings({});
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->String("serve.listen"), "127.0.0.1:8080");
  EXPECT_EQ(settings->Duration("events.keep"), std::chrono::hours(24 * 92));
  EXPECT_EQ(settings->Size("limits.max_body"), 1024 * 1024);
}

TEST(SettingsTableTest, CommandLineWinsOverFile) {
  const TempDirectory temp;
  const std::string file = temp.path() / "novafeed.toml";
  std::ofstream(file) << "[serve]\nlisten = \"127.0.0.1:1\"\nread_threads = 7\n";
  const auto settings = LoadSettings({file, {{"serve.listen", "127.0.0.1:2"}}});
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->String("serve.listen"), "127.0.0.1:2");
  EXPECT_EQ(settings->Int("serve.read_threads"), 7);
}

TEST(SettingsTableTest, MissingFileIsNamed) {
  const auto settings = LoadSettings({"/nonexistent/novafeed.toml", {}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, "no_config_file");
  EXPECT_NE(settings.error().detail.find("/nonexistent/novafeed.toml"), std::string::npos);
}

TEST(SettingsTableTest, RetentionShorterThanAWeekIsRefused) {
  const auto settings = LoadSettings({"", {{"events.keep", "167h"}}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, "bad_setting");
}

TEST(SettingsTableTest, RetentionShorterThanTheInteractionWindowNeedsTheWarehouse) {
  const auto check = [](const char* engine, const char* keep) {
    const auto settings = LoadSettings({"", {{"warehouse.engine", engine}, {"events.keep", keep}}});
    const Status checked = CheckEngines(*settings);
    return checked ? "" : checked.error().code;
  };
  EXPECT_EQ(check("chdb", "7d"), "");
  EXPECT_EQ(check("off", "90d"), "bad_setting");
  EXPECT_EQ(check("off", "91d"), "");
  EXPECT_EQ(check("other", "92d"), "bad_setting");
}

TEST(SettingsTableTest, EnginesAreChosenByUrlAndGoTogether) {
  const auto check = [](std::map<std::string, std::string> urls) {
    const auto settings = LoadSettings({"", std::move(urls)});
    const Status checked = CheckEngines(*settings);
    return checked ? std::string() : checked.error().detail;
  };
  const std::pair<const std::string, std::string> graph{"graph.url", "postgresql://novafeed@db/novafeed"};
  const std::pair<const std::string, std::string> log{"log.url", "kafkas://novafeed@a:9093,b:9093"};
  EXPECT_EQ(check({}), "");
  EXPECT_EQ(check({graph, log, {"cache.url", "rediss://cache/0"}, {"olap.url", "http://olap:8123"}}), "");
  EXPECT_NE(check({graph}).find("go together"), std::string::npos) << "its changes come by Kafka";
  EXPECT_NE(check({log}).find("go together"), std::string::npos);
  EXPECT_NE(check({{"olap.url", "http://olap:8123"}, {"warehouse.engine", "off"}}).find("leave one"),
            std::string::npos);
  for (const char* name : {"graph.url", "log.url", "cache.url", "olap.url"}) {
    const std::string complaint = check({{name, "mysql://me:secret@host"}});
    EXPECT_EQ(complaint.find(std::string(name) + " begins with one of"), 0U) << complaint;
    EXPECT_EQ(complaint.find("secret"), std::string::npos);
  }
}

TEST(SettingsTableTest, PrintedConfigurationLoadsAgain) {
  const auto settings = LoadSettings({"", {{"rate.user_per_second", "12.5"}}});
  ASSERT_TRUE(settings);
  const TempDirectory temp;
  const std::string file = temp.path() / "printed.toml";
  std::ofstream(file) << settings->Print();
  const auto again = LoadSettings({file, {}});
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->Number("rate.user_per_second"), 12.5);
}

TEST(SettingsTableTest, TheReferencePageIsUpToDate) {
  if (std::getenv("NOVAFEED_UPDATE_DOCS") != nullptr) std::ofstream(kPage) << RenderConfigurationPage();
  std::ifstream page(kPage);
  const std::string text{std::istreambuf_iterator<char>(page), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, RenderConfigurationPage()) << "NOVAFEED_UPDATE_DOCS=1 novafeed_app_tests writes the page anew";
}

}  // namespace
}  // namespace novafeed
