#include "runtime/await.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "runtime/io_threads.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;

template <class T>
T RunOn(IoThreads* io, asio::awaitable<T> task) {
  return asio::co_spawn(*io->contexts().front(), std::move(task), asio::use_future).get();
}

asio::awaitable<bool> ResumesOnItsThread() {
  const std::thread::id before = std::this_thread::get_id();
  std::thread other;
  std::function<void(std::function<void(int)>)> start = [&other](std::function<void(int)> resume) {
    other = std::thread([resume = std::move(resume)] { resume(7); });
  };
  const int value = co_await AwaitCallback<int>(std::move(start));
  other.join();
  co_return value == 7 && std::this_thread::get_id() == before;
}

TEST(AwaitCallback, GoesOnOnTheCoroutinesThread) {
  IoThreads io(2);
  EXPECT_TRUE(RunOn(&io, ResumesOnItsThread()));
}

asio::awaitable<int> AwaitImmediate() {
  std::function<void(std::function<void(std::unique_ptr<int>)>)> start =
      [](const std::function<void(std::unique_ptr<int>)>& resume) { resume(std::make_unique<int>(5)); };
  int sum = 0;
  for (int i = 0; i < 1000; ++i) sum += *co_await AwaitCallback<std::unique_ptr<int>>(start);
  co_return sum;
}

TEST(AwaitCallback, TakesAValueThatIsThereAtOnceAndOnlyMoves) {
  IoThreads io(1);
  EXPECT_EQ(RunOn(&io, AwaitImmediate()), 5000);
}

TEST(AwaitCallback, KeepsAContextAtWorkThatHasNothingElse) {
  asio::io_context context;
  std::promise<std::function<void(int)>> resume;
  std::function<void(std::function<void(int)>)> start = [&resume](std::function<void(int)> r) {
    resume.set_value(std::move(r));
  };
  std::future<int> result = asio::co_spawn(context, AwaitCallback<int>(std::move(start)), asio::use_future);
  std::thread runner([&context] { context.run(); });
  resume.get_future().get()(3);
  EXPECT_EQ(result.get(), 3);
  runner.join();
}

TEST(AwaitBlocking, GivesResultsAndExceptionsOfTheCall) {
  IoThreads io(1);
  Metrics metrics;
  BlockingPool pool("test", 2, 10, &metrics);
  std::function<std::string()> call = [] { return std::string(100, 'x'); };
  EXPECT_EQ(RunOn(&io, AwaitBlocking<std::string>(&pool, call)).value(), std::string(100, 'x'));
  call = []() -> std::string { throw std::runtime_error("broken"); };
  EXPECT_THROW((void)RunOn(&io, AwaitBlocking<std::string>(&pool, call)), std::runtime_error);
}

TEST(AwaitResult, GivesTheErrorOfTheCallAsItsOwn) {
  IoThreads io(1);
  Metrics metrics;
  BlockingPool pool("test", 1, 10, &metrics);
  const std::function<Result<int>()> fails = [] { return Fail(Failure::kNotFound, "none", "There is none."); };
  EXPECT_EQ(RunOn(&io, AwaitResult<int>(&pool, fails)).error().code, "none");
  EXPECT_EQ(RunOn(&io, AwaitResult<int>(&pool, [] { return Result<int>(7); })).value(), 7);
}

TEST(AwaitBlocking, RefusesWhereTheQueueIsFull) {
  IoThreads io(1);
  std::promise<void> open_gate;
  const std::shared_future<void> gate = open_gate.get_future().share();
  std::promise<void> begun;
  Metrics metrics;
  BlockingPool pool("test", 1, 1, &metrics);
  ASSERT_TRUE(pool.Post([&] {
    begun.set_value();
    gate.wait();
  }));
  begun.get_future().wait();
  ASSERT_TRUE(pool.Post([] {}));
  const Result<int> refused = RunOn(&io, AwaitBlocking<int>(&pool, [] { return 1; }));
  open_gate.set_value();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().failure, Failure::kUnavailable);
  EXPECT_EQ(refused.error().code, "overloaded");
  EXPECT_GT(refused.error().retry_after_ms, 0);
}

asio::awaitable<int> AwaitMany(BlockingPool* pool) {
  int sum = 0;
  for (int i = 0; i < 200; ++i) {
    std::function<int()> call = [i] { return i; };
    const Result<int> result = co_await AwaitBlocking<int>(pool, std::move(call));
    sum += *result;
  }
  co_return sum;
}

TEST(AwaitBlocking, ManyCoroutinesOnManyThreads) {
  IoThreads io(2);
  Metrics metrics;
  BlockingPool pool("test", 3, 1000, &metrics);
  std::vector<std::future<int>> results;
  results.reserve(50);
  for (std::size_t i = 0; i < 50; ++i) {
    results.push_back(asio::co_spawn(*io.contexts()[i % 2], AwaitMany(&pool), asio::use_future));
  }
  for (std::future<int>& result : results) EXPECT_EQ(result.get(), 199 * 100);
}

TEST(AwaitBlocking, ACoroutineThatWaitsIsDestroyedWithItsContext) {
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = alive;
  std::promise<void> open_gate;
  {
    IoThreads io(1);
    Metrics metrics;
    BlockingPool pool("test", 1, 10, &metrics);
    std::promise<void> begun;
    std::function<int()> call = [&begun, gate = open_gate.get_future().share(), held = std::move(alive)] {
      begun.set_value();
      gate.wait();
      return *held;
    };
    asio::co_spawn(*io.contexts().front(), AwaitBlocking<int>(&pool, std::move(call)),
                   [](const std::exception_ptr&, const Result<int>&) {});
    begun.get_future().wait();
    io.Stop();
    open_gate.set_value();
  }
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace novafeed
