#include "runtime/io_threads.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <future>
#include <set>
#include <thread>

namespace novafeed {
namespace {

namespace asio = boost::asio;

std::thread::id ThreadOf(asio::io_context* context) {
  std::promise<std::thread::id> id;
  asio::post(*context, [&id] { id.set_value(std::this_thread::get_id()); });
  return id.get_future().get();
}

TEST(IoThreads, EachContextHasOneThreadOfItsOwn) {
  IoThreads io(3);
  std::set<std::thread::id> threads{std::this_thread::get_id()};
  for (asio::io_context* context : io.contexts()) {
    const std::thread::id id = ThreadOf(context);
    EXPECT_TRUE(threads.insert(id).second);
    EXPECT_EQ(ThreadOf(context), id);
  }
  EXPECT_EQ(threads.size(), 4u);
}

TEST(IoThreads, StopEndsEvenWithWorkLeftAndMayBeRepeated) {
  IoThreads io(2);
  for (asio::io_context* context : io.contexts()) EXPECT_NE(ThreadOf(context), std::this_thread::get_id());
  io.Stop();
  io.Stop();
  for (asio::io_context* context : io.contexts()) EXPECT_TRUE(context->stopped());
}

TEST(IoThreads, WhatIsLeftIsDestroyedUnrun) {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = held;
  {
    IoThreads io(1);
    io.Stop();
    asio::post(*io.contexts().front(), [held = std::move(held)] { FAIL() << "nobody runs this"; });
    EXPECT_FALSE(watch.expired());
  }
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace novafeed
