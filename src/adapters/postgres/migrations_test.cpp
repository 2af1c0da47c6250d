#include "adapters/postgres/migrations.h"

#include <gtest/gtest.h>

#include <array>
#include <future>
#include <memory>
#include <vector>

#include "adapters/postgres/server_test_support.h"

namespace novafeed::postgres {
namespace {

class PostgresMigrations : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_POSTGRES();
    database_ = std::make_unique<TestDatabase>();
  }

  void Apply(std::span<const Migration> migrations) const {
    Connection connection(database_->target(), {});
    Migrate(&connection, migrations);
  }

  std::unique_ptr<TestDatabase> database_;
};

constexpr std::array<Migration, 2> kTwo = {
    {{"0001_one.sql", "CREATE TABLE one (a bigint);"}, {"0002_two.sql", "CREATE TABLE two (b bigint);"}}};

TEST_F(PostgresMigrations, EachIsAppliedOnceAndLaterOnesFollow) {
  Apply(std::span(kTwo).first(1));
  EXPECT_EQ(database_->Number("SELECT count(*) FROM schema_migrations"), 1);
  Apply(kTwo);
  Apply(kTwo);
  EXPECT_EQ(database_->Number("SELECT count(*) FROM schema_migrations"), 2);
  EXPECT_EQ(database_->Number("SELECT count(*) FROM two"), 0);
}

TEST_F(PostgresMigrations, ProgramsThatStartTogetherApplyThemOnce) {
  std::vector<std::future<std::unique_ptr<PostgresGraph>>> starts;
  for (int i = 0; i < 6; ++i) {
    starts.push_back(std::async(std::launch::async, [this] { return OpenPostgresGraph(database_->Options()); }));
  }
  std::set<std::string> generations;
  for (auto& start : starts) generations.insert(start.get()->Generation());
  EXPECT_EQ(generations.size(), 1u) << "one data set";
  EXPECT_EQ(database_->Number("SELECT count(*) FROM schema_migrations"),
            static_cast<std::int64_t>(GraphMigrations().size()));
}

TEST_F(PostgresMigrations, OneThatFailsChangesNothingAndSaysWhich) {
  const std::array<Migration, 2> bad = {
      {kTwo[0], {"0002_bad.sql", "CREATE TABLE two (b bigint); SELECT 1 / 0; CREATE TABLE three (c bigint);"}}};
  try {
    Apply(bad);
    FAIL() << "a division by zero";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("0002_bad.sql"), std::string::npos) << error.what();
  }
  EXPECT_EQ(database_->Number("SELECT count(*) FROM schema_migrations"), 1);
  EXPECT_EQ(database_->Number("SELECT (to_regclass('two') IS NULL)::int"), 1);
  Apply(kTwo);
}

TEST_F(PostgresMigrations, ASchemaOfTheFutureIsRefused) {
  Apply(kTwo);
  EXPECT_THROW(Apply(std::span(kTwo).first(1)), std::runtime_error);
}

TEST_F(PostgresMigrations, ADatabaseThatDoesNotKeepUtf8IsRefused) {
  SharedServer().Sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
  Connection connection(Target(SharedServer().Url("latin"), ""), {});
  EXPECT_THROW(Migrate(&connection, kTwo), std::runtime_error);
}

// What Debezium's connector needs to render what capture/envelope.cpp reads.
TEST_F(PostgresMigrations, TheCapturedTablesHaveTheTypesOfTheEnvelopeAndTheirWholeOldRows) {
  const auto store = database_->Open();
  EXPECT_EQ(database_->Number("SELECT count(*) FROM pg_class WHERE relnamespace = 'novafeed'::regnamespace "
                              "AND relreplident = 'f' AND relname IN ('users', 'posts', 'comments', 'likes', "
                              "'follows')"),
            5);
  const auto columns = [&](const std::string& table) {
    Connection connection(database_->target(), {});
    const std::string sql =
        "SELECT string_agg(column_name || ' ' || udt_name, ', ' ORDER BY ordinal_position) "
        "FROM information_schema.columns WHERE table_schema = 'novafeed' AND table_name = '" +
        table + "'";
    const Statement statement = {"reading the columns", sql.c_str()};
    Rows rows = connection.Execute(statement);
    rows.Next();
    return rows.Text(0);
  };
  EXPECT_EQ(columns("users"), "id uuid, external_id text, handle text, name text, created_at timestamptz");
  EXPECT_EQ(columns("posts"),
            "id uuid, external_id text, author_id uuid, text text, created_at timestamptz, deleted_at timestamptz");
  EXPECT_EQ(columns("comments"),
            "id uuid, external_id text, post_id uuid, user_id uuid, post_author_id uuid, post_created_at timestamptz, "
            "text text, created_at timestamptz, incarnation int8");
  EXPECT_EQ(columns("likes"),
            "user_id uuid, post_id uuid, post_author_id uuid, post_created_at timestamptz, created_at timestamptz, "
            "incarnation int8");
  EXPECT_EQ(columns("follows"), "follower_id uuid, following_id uuid, created_at timestamptz, incarnation int8");
}

}  // namespace
}  // namespace novafeed::postgres
