#include "base/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

#include "base/test_support.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

std::vector<Setting> Table() {
  std::vector<Setting> table(6);
  table[0] = {.name = "serve.listen", .default_text = "127.0.0.1:8080", .description = "Where to listen."};
  table[1] = {.name = "serve.demo", .type = SettingType::kBool, .default_text = "false", .description = "Demo | play."};
  table[2] = {.name = "feed.limit",
              .type = SettingType::kInt,
              .default_text = "20",
              .description = "Posts a page.",
              .min = 1,
              .max = 100,
              .unit = "posts"};
  table[3] = {
      .name = "limits.rate", .type = SettingType::kNumber, .default_text = "2.5", .description = "Rate.", .min = 0};
  table[4] = {.name = "http.idle_timeout",
              .type = SettingType::kDuration,
              .default_text = "75s",
              .description = "Idle connections.",
              .min = 1000,
              .max = 3'600'000};
  table[5] = {
      .name = "log.max_bytes", .type = SettingType::kSize, .default_text = "64MiB", .description = "Log.", .min = 1024};
  Setting secret{.name = "tokens.secret", .default_text = "", .description = "The key.", .secret = true};
  table.push_back(std::move(secret));
  return table;
}

SettingSources File(std::string text) {
  SettingSources sources;
  sources.file_name = "novafeed.toml";
  sources.file_text = std::move(text);
  return sources;
}

Error ErrorOf(const SettingSources& sources) {
  const Result<Settings> settings = Settings::Load(Table(), sources);
  return settings ? Error{} : settings.error();
}

TEST(Settings, DefaultsHoldWhereNothingIsSaid) {
  const Settings settings = Settings::Load(Table(), {}).value();
  EXPECT_EQ(settings.String("serve.listen"), "127.0.0.1:8080");
  EXPECT_FALSE(settings.Bool("serve.demo"));
  EXPECT_EQ(settings.Int("feed.limit"), 20);
  EXPECT_EQ(settings.Number("limits.rate"), 2.5);
  EXPECT_EQ(settings.Duration("http.idle_timeout"), milliseconds(75'000));
  EXPECT_EQ(settings.Size("log.max_bytes"), 64 * 1024 * 1024);
}

TEST(Settings, WhatASourceGivesIsNoDefaultEvenWhereItIsTheSame) {
  const Settings settings = Settings::Load(Table(), File("feed.limit = 20\n")).value();
  EXPECT_FALSE(settings.IsDefault("feed.limit"));
  EXPECT_TRUE(settings.IsDefault("serve.listen"));
  EXPECT_THROW(static_cast<void>(settings.IsDefault("no.such")), std::logic_error);
}

TEST(Settings, ALaterSourceWins) {
  SettingSources sources = File("[feed]\nlimit = 30\n[serve]\nlisten = \"[::1]:1\"\ndemo = true\n");
  EXPECT_EQ(Settings::Load(Table(), sources)->Int("feed.limit"), 30);
  sources.environment = {{"NOVAFEED_FEED_LIMIT", "40"}, {"HOME", "/root"}, {"NOVAFEED_TEST_DATA", "x"}};
  EXPECT_EQ(Settings::Load(Table(), sources)->Int("feed.limit"), 40);
  sources.overrides = {{"feed.limit", "50"}};
  const Settings settings = Settings::Load(Table(), sources).value();
  EXPECT_EQ(settings.Int("feed.limit"), 50);
  EXPECT_EQ(settings.String("serve.listen"), "[::1]:1");
  EXPECT_TRUE(settings.Bool("serve.demo"));
}

TEST(Settings, ErrorsNameThePlaceAndWhatIsAccepted) {
  const Error in_file = ErrorOf(File("[serve]\nlisten = \"a\"\n[feed]\nlimit = 101\n"));
  EXPECT_EQ(in_file.code, "bad_setting");
  EXPECT_THAT(in_file.detail, HasSubstr("novafeed.toml, line 4"));
  EXPECT_THAT(in_file.detail, HasSubstr("1 to 100"));
  SettingSources sources;
  sources.environment = {{"NOVAFEED_HTTP_IDLE_TIMEOUT", "75 s"}};
  EXPECT_THAT(ErrorOf(sources).detail, HasSubstr("environment NOVAFEED_HTTP_IDLE_TIMEOUT"));
  EXPECT_THAT(ErrorOf(sources).detail, HasSubstr("such as 250ms"));
  sources.environment.clear();
  sources.overrides = {{"feed.limits", "5"}};
  EXPECT_THAT(ErrorOf(sources).detail, HasSubstr("no setting feed.limits"));
}

TEST(Settings, RefusesWhatTheFileCannotMean) {
  EXPECT_EQ(ErrorOf(File("[feed\n")).code, "bad_config_file");
  EXPECT_THAT(ErrorOf(File("\n[feed\n")).detail, HasSubstr("line 2"));
  EXPECT_THAT(ErrorOf(File("feed.limt = 5")).detail, HasSubstr("no setting feed.limt"));
  EXPECT_EQ(ErrorOf(File("feed.limit = [5]")).code, "bad_setting");
  EXPECT_EQ(ErrorOf(File("feed.limit = \"5x\"")).code, "bad_setting");
  EXPECT_EQ(ErrorOf(File("feed.limit = 5.5")).code, "bad_setting");
  EXPECT_EQ(ErrorOf(File("feed = 5")).code, "bad_setting");
  EXPECT_EQ(ErrorOf(File("limits.rate = nan")).code, "bad_setting");
  EXPECT_EQ(ErrorOf(File("serve.demo = \"yes\"")).code, "bad_setting");
  EXPECT_EQ(ErrorOf(File("http.idle_timeout = \"999ms\"")).code, "bad_setting");
}

TEST(Settings, ASecretIsNeverAnArgumentAndNeverShown) {
  SettingSources sources;
  sources.overrides = {{"tokens.secret", "hunter2"}};
  EXPECT_THAT(ErrorOf(sources).detail, HasSubstr("NOVAFEED_TOKENS_SECRET"));
  EXPECT_THAT(ErrorOf(sources).detail, Not(HasSubstr("hunter2")));
  const Settings settings = Settings::Load(Table(), File("tokens.secret = \"hunter2\"")).value();
  EXPECT_EQ(settings.String("tokens.secret"), "hunter2");
  EXPECT_THAT(settings.Print(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(settings.Print(), HasSubstr("tokens.secret = \"********\""));
  EXPECT_THAT(Settings::Load(Table(), {})->Print(), HasSubstr("tokens.secret = \"\"")) << "unset is to be seen";
}

TEST(Settings, PrintNamesTheSourceAndLoadsAgain) {
  SettingSources sources = File("serve.listen = \"a \\\"b\\\" \\\\ c\"");
  sources.environment = {{"NOVAFEED_LIMITS_RATE", "1e-3"}};
  sources.overrides = {{"log.max_bytes", "2048"}};
  const std::string printed = Settings::Load(Table(), sources)->Print();
  EXPECT_THAT(printed, HasSubstr("feed.limit = 20  # default\n"));
  EXPECT_THAT(printed, HasSubstr("# novafeed.toml, line 1\n"));
  EXPECT_THAT(printed, HasSubstr("# environment NOVAFEED_LIMITS_RATE\n"));
  EXPECT_THAT(printed, HasSubstr("log.max_bytes = 2048  # command line\n"));
  const Result<Settings> again = Settings::Load(Table(), File(printed));
  ASSERT_TRUE(again) << again.error().detail << "\n" << printed;
  EXPECT_EQ(again->String("serve.listen"), "a \"b\" \\ c");
  EXPECT_EQ(again->Number("limits.rate"), 1e-3);
  EXPECT_EQ(again->Size("log.max_bytes"), 2048);
}

TEST(Settings, AnyTextSurvivesPrinting) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 300; ++round) {
    std::string text(random() % 20, '\0');
    for (char& c : text) c = static_cast<char>(1 + random() % 127);
    SettingSources sources;
    sources.overrides = {{"serve.listen", text}};
    const std::string printed = Settings::Load(Table(), sources)->Print();
    const Result<Settings> again = Settings::Load(Table(), File(printed));
    ASSERT_TRUE(again) << again.error().detail << "\n" << printed;
    ASSERT_EQ(again->String("serve.listen"), text);
  }
}

TEST(Settings, MisuseIsABug) {
  const Settings settings = Settings::Load(Table(), {}).value();
  EXPECT_THROW((void)settings.Int("feed.nothing"), std::logic_error);
  EXPECT_THROW((void)settings.String("feed.limit"), std::logic_error);
  std::vector<Setting> twice = Table();
  twice.push_back(twice.front());
  EXPECT_THROW((void)Settings::Load(twice, {}), std::logic_error);
  std::vector<Setting> unfit = Table();
  unfit[2].default_text = "0";
  EXPECT_THROW((void)Settings::Load(unfit, {}), std::logic_error);
}

TEST(ParseDuration, TakesUnitsAndNothingElse) {
  EXPECT_EQ(ParseDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseDuration("24h"), milliseconds(86'400'000));
  EXPECT_EQ(ParseDuration("30d"), milliseconds(2'592'000'000));
  EXPECT_EQ(ParseDuration("5m"), milliseconds(300'000));
  for (const char* bad :
       {"", "5", "ms", "-5s", "1.5s", "5 s", "5S", "9223372036854775807d", "99999999999999999999ms"}) {
    EXPECT_EQ(ParseDuration(bad), std::nullopt) << bad;
  }
}

TEST(ParseSize, TakesUnitsAndNothingElse) {
  EXPECT_EQ(ParseSize("512"), 512);
  EXPECT_EQ(ParseSize("512B"), 512);
  EXPECT_EQ(ParseSize("64KiB"), 65'536);
  EXPECT_EQ(ParseSize("2GiB"), 2'147'483'648);
  for (const char* bad : {"", "KiB", "-1", "1KB", "1.5MiB", "9223372036854775807KiB"}) {
    EXPECT_EQ(ParseSize(bad), std::nullopt) << bad;
  }
}

TEST(RenderSettingsReference, HasOneRowForEachSetting) {
  const std::string page = RenderSettingsReference(Table());
  EXPECT_THAT(
      page, HasSubstr("| `feed.limit` | `NOVAFEED_FEED_LIMIT` | integer | `20` | 1 to 100 posts | Posts a page. |\n"));
  EXPECT_THAT(page, HasSubstr("| duration | `75s` | 1s to 1h |"));
  EXPECT_THAT(page, HasSubstr("| size | `64MiB` | at least 1KiB |"));
  EXPECT_THAT(page, HasSubstr("| text, secret |  |  | The key. |"));
  EXPECT_THAT(page, HasSubstr("Demo \\| play."));
}

TEST(ProcessEnvironment, HoldsWhatTheProcessWasGiven) {
  ASSERT_EQ(setenv("NOVAFEED_SETTINGS_TEST", "a=b", 1), 0);
  EXPECT_EQ(ProcessEnvironment()["NOVAFEED_SETTINGS_TEST"], "a=b");
  unsetenv("NOVAFEED_SETTINGS_TEST");
}

}  // namespace
}  // namespace novafeed
