// The I/O threads: one io_context each, so what runs on one needs no locks. An exception that leaves a handler ends the
// process: there is no state to go on from.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace novafeed {

class IoThreads {
 public:
  explicit IoThreads(std::size_t count);  // starts them
  ~IoThreads();                           // stops and joins
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  std::vector<boost::asio::io_context*> contexts();
  // Stops the contexts and joins the threads; coroutines still running are destroyed with their contexts, in the
  // destructor. Called from a thread that is none of them; a second call does nothing.
  void Stop();

 private:
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
};

}  // namespace novafeed
