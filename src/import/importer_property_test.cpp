// Random files: the stores end as a plain model says, however often, in whatever pieces and through whatever crashes
// they are imported.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "import/handles.h"
#include "import/import_test_support.h"
#include "import/importer_model.h"
#include "stream/test_forwarding_log.h"

namespace novafeed {
namespace {

// A file, and what becomes of its lines after those of the files before.
std::string DrawFile(ActionGenerator& generator, ImportModel& model, int lines) {
  std::string content;
  model.BeginFile();
  for (int i = 0; i < lines; ++i) {
    const DrawnAction action = generator.Draw();
    model.Apply(action);
    content += ToLine(action);
  }
  return content;
}

void ExpectUsers(const WorldState& state, const ImportModel& model) {
  ASSERT_EQ(state.users.size(), model.users.size());
  for (const auto& [name, at] : model.users) {
    const User user = state.users.at(UserOf(name));
    EXPECT_EQ(user.created_at, at) << name;
    const auto wanted = model.wanted_handles.find(name);
    EXPECT_TRUE(IsHandleFor(user.handle, wanted == model.wanted_handles.end() ? name : wanted->second)) << user.handle;
  }
}

void ExpectPosts(const WorldState& state, const ImportModel& model) {
  ASSERT_EQ(state.posts.size(), model.posts.size());
  for (const auto& [name, row] : model.posts) {
    const Post post = state.posts.at(PostOf(name));
    const ImportModel::PostRow found{*state.users.at(post.author).external_id, post.text, post.created_at,
                                     post.deleted_at.value_or(-1)};
    EXPECT_EQ(found, row) << name;
  }
}

void ExpectComments(const WorldState& state, const ImportModel& model) {
  ASSERT_EQ(state.comments.size(), model.comments.size());
  for (const auto& [name, row] : model.comments) {
    const Comment comment = state.comments.at(CommentId{IdFromExternal(IdKind::kComment, name)});
    EXPECT_EQ(comment.user, UserOf(row.user));
    EXPECT_EQ(comment.post, PostOf(row.post));
    EXPECT_EQ(comment.text, row.text);
    EXPECT_EQ(comment.created_at, row.at);
    EXPECT_EQ(comment.post_author, UserOf(model.posts.at(row.post).author));
    EXPECT_EQ(comment.post_created_at, model.posts.at(row.post).at);
  }
}

void ExpectPairs(const WorldState& state, const ImportModel& model) {
  ASSERT_EQ(state.likes.size(), model.likes.size());
  for (const auto& [pair, at] : model.likes) {
    const Like like = state.likes.at({UserOf(pair.first), PostOf(pair.second)});
    EXPECT_EQ(like.created_at, at);
    EXPECT_EQ(like.post_author, UserOf(model.posts.at(pair.second).author));
  }
  ASSERT_EQ(state.follows.size(), model.follows.size());
  for (const auto& [pair, at] : model.follows) {
    EXPECT_EQ(state.follows.at({UserOf(pair.first), UserOf(pair.second)}).created_at, at);
  }
}

void ExpectModel(World& world, const ImportModel& model) {
  const WorldState state = world.State();
  ExpectUsers(state, model);
  ExpectPosts(state, model);
  ExpectComments(state, model);
  ExpectPairs(state, model);
  EXPECT_EQ(state.events.size(), model.events.size());
}

TEST(RandomFiles, EndAsTheModelSays) {
  const std::uint64_t seed = TestSeed();
  const TempDirectory files;
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    ActionGenerator generator(seed + static_cast<std::uint64_t>(round));
    ImportModel model;
    World world;
    ImportCounts counts;
    for (const char* name : {"first", "second"}) {
      ImportOptions options;
      options.files = {WriteFile(files, name, DrawFile(generator, model, 400))};
      options.batch_lines = 1 + generator.Below(100);
      const ImportResult result = world.Import(options);
      ASSERT_FALSE(result.error) << result.error->detail;
      counts.Add(result.counts);
    }
    EXPECT_EQ(counts, model.counts);
    ExpectModel(world, model);
  }
}

TEST(RandomFiles, ImportedTwiceAreAsOnce) {
  const TempDirectory files;
  ActionGenerator generator(TestSeed());
  ImportModel model;
  World world;
  const std::string first = WriteFile(files, "first", DrawFile(generator, model, 500));
  const std::string second = WriteFile(files, "second", DrawFile(generator, model, 500));
  for (const std::string& file : {first, second, first, second, first}) {
    ASSERT_FALSE(world.Import(file).error);
  }
  ExpectModel(world, model);
}

TEST(RandomFiles, MayGrowAndStopAnywhere) {
  const TempDirectory files;
  ActionGenerator generator(TestSeed());
  ImportModel model;
  World world;
  const std::string content = DrawFile(generator, model, 1000);
  std::string file;
  std::size_t size = 0;
  while (size < content.size()) {
    // Files grow by whole lines here: what a line without its end may do is tested elsewhere.
    size = std::min(content.find('\n', size + generator.Below(8000)), content.size() - 1) + 1;
    file = WriteFile(files, "growing", content.substr(0, size));
    std::atomic<bool> stop = false;
    ImportOptions options;
    options.files = {file};
    options.batch_lines = 1 + generator.Below(20);
    options.stop = &stop;
    options.progress = [&](const ImportProgress&) { stop = generator.Below(8) == 0; };
    ASSERT_FALSE(world.Import(options).error);
    if (generator.Below(3) == 0) world.Reopen();
  }
  ASSERT_FALSE(world.Import(file).error);
  ExpectModel(world, model);
}

// An event log that fails now and then: before it has done anything, or when all is done and only the answer is lost.
class FailingLog final : public ForwardingEventLog {
 public:
  FailingLog(EventLog* log, ActionGenerator* random) : ForwardingEventLog(log), random_(random) {}

  void Append(std::vector<Event> events, Done done) override {
    const std::size_t luck = random_->Below(4);
    const Error failure{Failure::kStorageFull, "log_full", "The log is full.", 0};
    if (luck == 0) return done(tl::unexpected(failure));
    if (luck > 1) return ForwardingEventLog::Append(std::move(events), std::move(done));
    const Done fail = [done, failure](const Result<Appended>&) { done(tl::unexpected(failure)); };
    ForwardingEventLog::Append(std::move(events), fail);
  }

 private:
  ActionGenerator* random_;
};

TEST(RandomFiles, SurviveALogThatFails) {
  const TempDirectory files;
  ActionGenerator generator(TestSeed());
  ImportModel model;
  World world;
  ImportOptions options;
  options.files = {WriteFile(files, "actions", DrawFile(generator, model, 1000))};
  options.batch_lines = 40;
  FailingLog log(world.events(), &generator);
  int runs = 0;
  std::int64_t lines = 0;
  std::int64_t counted = 0;
  for (ImportResult result; runs == 0 || result.error; ++runs) {
    ASSERT_LT(runs, 2000);
    result = RunLocalImport(options, world.graph(), &log);
    lines += result.files.at(0).lines;
    counted += result.counts.Total();
  }
  EXPECT_GT(runs, 3);
  EXPECT_EQ(lines, 1000) << "each line is counted once, also where its events are sent again";
  EXPECT_EQ(counted, 1000);
  ExpectModel(world, model);
}

// Imports in a child that is killed once it has applied `batches` and `more` after; false where it was done before.
bool ImportAndKill(World& world, const ImportOptions& options, std::size_t batches, std::chrono::microseconds more) {
  world.Close();  // a child has no threads but its own
  int applied[2];
  if (pipe(applied) != 0) throw std::runtime_error("cannot make a pipe");
  std::fflush(nullptr);  // or the child would write the same again
  const pid_t child = fork();
  if (child == 0) {
    world.Open();
    ImportOptions telling = options;
    telling.progress = [&](const ImportProgress& progress) {
      if (progress.phase == ImportPhase::kApply && write(applied[1], "x", 1) != 1) _exit(2);
    };
    _exit(world.Import(telling).error ? 1 : 0);
  }
  close(applied[1]);
  char mark = 0;
  while (batches > 0 && read(applied[0], &mark, 1) == 1) --batches;
  std::this_thread::sleep_for(more);  // so that it dies anywhere, not only between two batches
  kill(child, SIGKILL);
  close(applied[0]);
  int status = 0;
  waitpid(child, &status, 0);
  world.Open();
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status);
}

TEST(RandomFiles, SurviveKillMinusNine) {
  const TempDirectory files;
  const std::uint64_t seed = TestSeed();
  ActionGenerator generator(seed);
  ImportModel model;
  World world;
  ImportOptions options;
  options.files = {WriteFile(files, "actions", DrawFile(generator, model, 20'000))};
  options.batch_lines = 50;
  int kills = 0;
  while (ImportAndKill(world, options, 1 + generator.Below(30), std::chrono::microseconds(generator.Below(3000)))) {
    ASSERT_LT(++kills, 1000);
  }
  EXPECT_GT(kills, 3);
  ASSERT_FALSE(world.Import(options).error);
  ExpectModel(world, model);
}

}  // namespace
}  // namespace novafeed
