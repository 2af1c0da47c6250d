// Bridges from callbacks and blocking calls to coroutines. Name the initiating function object before `co_await`
// (no capturing lambda inside a co_await expression: g++ 12 destroys it twice).
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "runtime/blocking_pool.h"

namespace novafeed {

// Runs start(resume); the coroutine goes on, on its own executor, with what `resume` is called with. `resume` must be
// called exactly once, from any thread, while the coroutine's io_context exists (it may be stopped); until then the
// context counts as having work. start() must not throw. Cancellation does not shorten the wait. T must be movable.
template <class T>
boost::asio::awaitable<T> AwaitCallback(std::function<void(std::function<void(T)>)> start) {
  namespace asio = boost::asio;
  const auto executor = co_await asio::this_coro::executor;
  auto initiate = [executor, &start](auto handler) {
    struct Waiter {
      decltype(handler) resume;
      asio::executor_work_guard<asio::any_io_executor> work;
    };
    auto waiter = std::make_shared<Waiter>(Waiter{std::move(handler), asio::make_work_guard(executor)});
    auto resume = [executor, waiter](T value) {
      asio::post(executor, [waiter, value = std::move(value)]() mutable { waiter->resume(std::move(value)); });
    };
    start(std::move(resume));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(initiate, asio::use_awaitable);
}

// Runs `call` on the pool and returns its result; an exception of `call` is rethrown here.
// kUnavailable "overloaded" where the pool's queue is full. T must be movable and not void.
template <class T>
boost::asio::awaitable<Result<T>> AwaitBlocking(BlockingPool* pool, std::function<T()> call) {
  struct Outcome {
    std::optional<T> value;
    std::exception_ptr error;
  };
  std::function<void(std::function<void(Outcome)>)> start = [pool, &call](std::function<void(Outcome)> resume) {
    auto task = [call = std::move(call), resume]() {
      Outcome outcome;
      try {
        outcome.value.emplace(call());
      } catch (...) {
        outcome.error = std::current_exception();
      }
      resume(std::move(outcome));
    };
    if (!pool->Post(std::move(task))) resume(Outcome());
  };
  Outcome outcome = co_await AwaitCallback<Outcome>(std::move(start));
  if (outcome.error) std::rethrow_exception(outcome.error);
  if (!outcome.value) {
    co_return Fail(Failure::kUnavailable, "overloaded", "The server is busy: send the request again.", 1000);
  }
  co_return std::move(*outcome.value);
}

// AwaitBlocking of a call that may fail: one Result tells of its error and of a full queue.
template <class T>
boost::asio::awaitable<Result<T>> AwaitResult(BlockingPool* pool, std::function<Result<T>()> call) {
  Result<Result<T>> outcome = co_await AwaitBlocking<Result<T>>(pool, std::move(call));
  if (!outcome) co_return tl::unexpected<Error>(std::move(outcome.error()));
  co_return *std::move(outcome);
}

}  // namespace novafeed
