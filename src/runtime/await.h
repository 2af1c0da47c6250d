// Bridges from callbacks and blocking calls to coroutines. Name the initiating function object before `co_await`
// (no capturing lambda inside a co_await expression: g++ 12 destroys it twice).
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "runtime/blocking_pool.h"

namespace novafeed {

// Runs start(resume); the coroutine goes on, on its own executor, with what `resume` is called with (once, from any
// thread). T must be default-constructible and movable.
template <class T>
boost::asio::awaitable<T> AwaitCallback(std::function<void(std::function<void(T)>)> start) {
  namespace asio = boost::asio;
  const auto executor = co_await asio::this_coro::executor;
  auto initiate = [executor, &start](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto resume = [executor, shared](T value) mutable {
      asio::post(executor, [shared, value = std::move(value)]() mutable { (*shared)(std::move(value)); });
    };
    start(std::move(resume));
  };
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(T)>(initiate, asio::use_awaitable);
}

// Runs `call` on the pool and returns its result; an exception of `call` is rethrown here.
// kUnavailable "overloaded" where the pool's queue is full.
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
        outcome.value = call();
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

}  // namespace novafeed
