#include "runtime/stop_signals.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include "runtime/thread_name.h"

namespace novafeed {

struct StopSignals::State {
  explicit State(std::function<void()> stop) : on_stop(std::move(stop)), signals(context, SIGTERM, SIGINT) {}

  void WaitForFirst() {
    signals.async_wait([this](boost::system::error_code error, int) {
      if (error) return;
      WaitForSecond();
      on_stop();
    });
  }

  void WaitForSecond() {
    signals.async_wait([](boost::system::error_code error, int number) {
      if (!error) std::_Exit(128 + number);
    });
  }

  const std::function<void()> on_stop;
  boost::asio::io_context context{1};
  boost::asio::signal_set signals;
  std::thread thread;
};

StopSignals::StopSignals(std::function<void()> on_stop) : state_(std::make_unique<State>(std::move(on_stop))) {
  state_->WaitForFirst();
  state_->thread = std::thread([state = state_.get()] {
    NameThisThread("signals");
    state->context.run();
  });
}

StopSignals::~StopSignals() {
  state_->context.stop();
  state_->thread.join();
}

}  // namespace novafeed
