#include "runtime/io_threads.h"

#include <boost/asio/io_context.hpp>
#include <string>

#include "runtime/thread_name.h"

namespace novafeed {

IoThreads::IoThreads(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    boost::asio::io_context& context = *contexts_.emplace_back(std::make_unique<boost::asio::io_context>(1));
    guards_.push_back(boost::asio::make_work_guard(context));
    threads_.emplace_back([&context, i] {
      NameThisThread("io-" + std::to_string(i));
      context.run();
    });
  }
}

IoThreads::~IoThreads() {
  Stop();
}

std::vector<boost::asio::io_context*> IoThreads::contexts() {
  std::vector<boost::asio::io_context*> contexts;
  contexts.reserve(contexts_.size());
  for (const auto& context : contexts_) contexts.push_back(context.get());
  return contexts;
}

void IoThreads::Stop() {
  for (const auto& context : contexts_) context->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace novafeed
