// Internal to http/: one connection of an HttpServer, and what the connections of a server share.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "http/byte_budget.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/request_parser.h"
#include "http/server.h"

namespace novafeed {

struct HttpLane;

// Shared by a server and its coroutines, so it may outlive the server where an io_context was stopped under it.
struct HttpCore {
  HttpCore(HttpLimits limits, RequestHandler handler, ProblemMaker problem, Metrics* metrics,
           const Metrics::Labels& labels);

  std::string MakeRequestId();
  // False where coroutines of this server are left after `longest`.
  bool WaitUntilIdle(std::chrono::milliseconds longest);

  const HttpLimits limits;
  const RequestHandler handler;
  const ProblemMaker problem;
  const Gauge connections_gauge;
  const Counter refused_counter;
  const Counter overloaded_counter;
  const Counter dropped_counter;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> tasks{0};  // coroutines, connections among them
  // A connection that is stuck in a stopped context ends with it, when the metrics may be gone.
  std::atomic<bool> server_is_gone{false};
  LogGate overloaded_log{kLogEveryMs};
  LogGate dropped_log{kLogEveryMs};
  std::vector<std::unique_ptr<HttpLane>> lanes;

 private:
  friend class HttpTask;
  static constexpr std::int64_t kLogEveryMs = 1000;

  const std::string request_id_prefix_;
  std::atomic<std::uint64_t> requests_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
};

// Held by each coroutine of a server for as long as its frame exists.
class HttpTask {
 public:
  explicit HttpTask(std::shared_ptr<HttpCore> core);
  ~HttpTask();
  HttpTask(HttpTask&& other) noexcept = default;

  HttpCore* operator->() const { return core_.get(); }
  HttpCore& operator*() const { return *core_; }

 private:
  std::shared_ptr<HttpCore> core_;
};

// One connection: owned by its coroutine, lives on its lane's thread. While it waits for a request it holds neither
// parser nor buffer, so that idle connections are cheap.
class Connection : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Connection(std::shared_ptr<HttpCore> core, HttpLane* lane, boost::asio::ip::tcp::socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Answers requests until one side has enough.
  boost::asio::awaitable<void> Serve();
  // Answers 503 to whatever comes: there are too many connections.
  boost::asio::awaitable<void> TurnAway();

  // Ends a wait that has lasted too long.
  void CheckDeadline(std::chrono::steady_clock::time_point now);
  // Closes where no request has begun.
  void CloseIfIdle();
  // Closes in any case.
  void Cut();

 private:
  enum class Received { kBytes, kEnd, kTimeout };

  boost::asio::awaitable<bool> AwaitRequest();
  boost::asio::awaitable<bool> ServeRequest();
  boost::asio::awaitable<std::optional<Refusal>> ReadRequest(RequestParser* parser, BudgetShare* share);
  boost::asio::awaitable<Received> Receive();
  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest* request);
  boost::asio::awaitable<bool> Refuse(const Refusal* refusal, const std::string* request_id, bool keep_alive);
  boost::asio::awaitable<bool> Write(const HttpResponse* response, const std::string* request_id, bool head_only,
                                     bool keep_alive);
  boost::asio::awaitable<void> SendContinue();
  boost::asio::awaitable<void> Linger();

  void Join();
  void SetTimeout(std::chrono::milliseconds timeout);
  void ClearTimeout();

  const HttpTask core_;
  HttpLane* const lane_;
  boost::asio::ip::tcp::socket socket_;
  std::string remote_address_;
  std::string pending_;  // read, not yet parsed
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  bool idle_ = false;
  bool timed_out_ = false;
};

// What belongs to one I/O thread, and is touched by that thread only.
struct HttpLane {
  explicit HttpLane(boost::asio::io_context* context) : io(context) {}

  boost::asio::io_context* const io;
  boost::asio::steady_timer* sweep_timer = nullptr;  // of the running sweep
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections;
  bool draining = false;                // answer what has begun, then close
  std::array<char, 64 * 1024> scratch;  // bytes on their way from a socket to its connection
};

}  // namespace novafeed
