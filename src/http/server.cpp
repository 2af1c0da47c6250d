#include "http/server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <utility>

#include "base/log.h"
#include "http/connection.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Wait after a failed accept (mostly: no file descriptors left).
constexpr milliseconds kAcceptPause{50};
// How long after the grace of a drain a handler may take to notice that its connection is gone.
constexpr milliseconds kCutTimeout{1000};
// How often a lane that is being drained looks whether it is empty.
constexpr milliseconds kDrainSweep{10};
// Connections beyond the limit that are told so; yet more are cut without a word.
constexpr std::size_t kMostTurnedAway = 1000;

// The resolver would take a number beyond 65535 modulo 65536.
bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const std::from_chars_result read = std::from_chars(text.data(), text.data() + text.size(), port);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

tcp::endpoint ResolveListen(asio::io_context* io, std::string_view listen) {
  const std::size_t colon = std::min(listen.rfind(':'), listen.size());
  std::string_view host = listen.substr(0, colon);
  const std::string_view port = listen.substr(std::min(colon + 1, listen.size()));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  ErrorCode error = asio::error::invalid_argument;
  tcp::resolver::results_type found;
  if (!host.empty() && IsPort(port)) found = tcp::resolver(*io).resolve(host, port, tcp::resolver::passive, error);
  if (!error) return found.begin()->endpoint();
  throw std::runtime_error("cannot listen on \"" + std::string(listen) + "\": " + error.message() +
                           ". Write address:port, as 127.0.0.1:8080.");
}

tcp::acceptor Bind(asio::io_context* io, std::string_view listen) {
  const tcp::endpoint endpoint = ResolveListen(io, listen);
  try {
    return tcp::acceptor(*io, endpoint);
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("cannot listen on " + std::string(listen) + ": " + error.code().message() +
                             ". Choose another address, or stop what uses it.");
  }
}

// One sweep over a lane's connections enforces their time limits: a timer for each would cost more than it tells.
milliseconds SweepPeriod(const HttpLimits& limits) {
  const milliseconds shortest =
      std::min({limits.idle_timeout, limits.header_timeout, limits.body_timeout, limits.write_timeout});
  return std::clamp(shortest / 8, milliseconds(5), milliseconds(250));
}

void LogFailure(std::exception_ptr failure) try {
  if (failure) std::rethrow_exception(failure);
} catch (const std::exception& error) {
  Log(LogLevel::kError, "http_task_failed", {{"error", std::string(error.what())}});
}

asio::awaitable<void> Sweep(HttpTask core, HttpLane* lane) {
  asio::steady_timer timer(*lane->io);
  lane->sweep_timer = &timer;
  const milliseconds period = SweepPeriod(core->limits);
  while (!lane->draining || !lane->connections.empty()) {
    timer.expires_after(lane->draining ? kDrainSweep : period);
    co_await timer.async_wait(kAwait);
    const auto now = std::chrono::steady_clock::now();
    for (Connection& connection : lane->connections) connection.CheckDeadline(now);
  }
  lane->sweep_timer = nullptr;
}

void DrainLane(HttpLane* lane) {
  lane->draining = true;
  if (lane->sweep_timer != nullptr) lane->sweep_timer->cancel();
  for (Connection& connection : lane->connections) connection.CloseIfIdle();
}

void CutLane(HttpLane* lane) {
  for (Connection& connection : lane->connections) connection.Cut();
}

asio::awaitable<void> Serve(std::unique_ptr<Connection> connection) {
  co_await connection->Serve();
}

asio::awaitable<void> TurnAway(std::unique_ptr<Connection> connection) {
  co_await connection->TurnAway();
}

}  // namespace

struct HttpServer::State {
  State(const std::vector<asio::io_context*>& io, std::string_view listen, std::shared_ptr<HttpCore> core_in)
      : core(std::move(core_in)),
        acceptor(Bind(io.front(), listen)),
        pause(*io.front()),
        endpoint(acceptor.local_endpoint()) {
    for (asio::io_context* context : io) core->lanes.push_back(std::make_unique<HttpLane>(context));
  }

  static asio::awaitable<void> Accept(HttpTask task, std::shared_ptr<State> state);
  void Admit(HttpLane* lane, tcp::socket socket);
  void StopAccepting();
  // Runs `action` on each lane's thread.
  void OnEachLane(void (*action)(HttpLane* lane));
  // False where an I/O thread's context is stopped: nothing that is posted to it would run.
  bool ContextsRun() const;

  const std::shared_ptr<HttpCore> core;
  // These three belong to the first lane's thread once the server has started.
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  bool accepting = true;

  const tcp::endpoint endpoint;
  LogGate accept_gate{1000};
  bool started = false;
  bool drained = false;
};

asio::awaitable<void> HttpServer::State::Accept(HttpTask task, std::shared_ptr<State> state) {
  for (std::size_t turn = 0; state->accepting; ++turn) {
    HttpLane* lane = task->lanes[turn % task->lanes.size()].get();
    auto [error, socket] = co_await state->acceptor.async_accept(*lane->io, kAwait);
    if (!state->accepting) break;
    if (!error) {
      state->Admit(lane, std::move(socket));
      continue;
    }
    if (state->accept_gate.Open()) Log(LogLevel::kError, "accept_failed", {{"error", error.message()}});
    state->pause.expires_after(kAcceptPause);
    co_await state->pause.async_wait(kAwait);
  }
}

void HttpServer::State::Admit(HttpLane* lane, tcp::socket socket) {
  const std::size_t open = core->connections;
  if (open >= core->limits.max_connections + kMostTurnedAway) {
    core->dropped_counter.Add();
    if (core->dropped_log.Open()) Log(LogLevel::kWarn, "connections_dropped");
    return;
  }
  auto connection = std::make_unique<Connection>(core, lane, std::move(socket));
  auto task = open < core->limits.max_connections ? Serve(std::move(connection)) : TurnAway(std::move(connection));
  asio::co_spawn(*lane->io, std::move(task), LogFailure);
}

void HttpServer::State::StopAccepting() {
  accepting = false;
  ErrorCode ignored;
  acceptor.close(ignored);
  pause.cancel();
}

void HttpServer::State::OnEachLane(void (*action)(HttpLane* lane)) {
  for (const auto& lane : core->lanes) {
    // The task makes Drain() wait until the action has run.
    asio::post(*lane->io, [task = HttpTask(core), action, target = lane.get()] { action(target); });
  }
}

bool HttpServer::State::ContextsRun() const {
  return std::none_of(core->lanes.begin(), core->lanes.end(), [](const auto& lane) { return lane->io->stopped(); });
}

HttpServer::HttpServer(std::vector<asio::io_context*> io, std::string_view listen, HttpLimits limits,
                       RequestHandler handler, ProblemMaker problem, Metrics* metrics, std::string_view metrics_name) {
  const Metrics::Labels labels{{"listener", std::string(metrics_name)}};
  auto core = std::make_shared<HttpCore>(limits, std::move(handler), std::move(problem), metrics, labels);
  state_ = std::make_shared<State>(io, listen, std::move(core));
}

HttpServer::~HttpServer() {
  Drain(milliseconds(0));
  state_->core->server_is_gone = true;
}

void HttpServer::Start() {
  state_->started = true;
  for (const auto& lane : state_->core->lanes) {
    asio::co_spawn(*lane->io, Sweep(HttpTask(state_->core), lane.get()), LogFailure);
  }
  asio::io_context& io = *state_->core->lanes.front()->io;
  asio::co_spawn(io, State::Accept(HttpTask(state_->core), state_), LogFailure);
}

std::string HttpServer::address() const {
  const std::string host = state_->endpoint.address().to_string();
  return (state_->endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

std::uint16_t HttpServer::port() const {
  return state_->endpoint.port();
}

void HttpServer::Drain(milliseconds grace) {
  if (!state_->started || state_->drained || !state_->ContextsRun()) return;
  state_->drained = true;
  const std::shared_ptr<HttpCore>& core = state_->core;
  asio::post(*core->lanes.front()->io, [task = HttpTask(core), state = state_] { state->StopAccepting(); });
  state_->OnEachLane(DrainLane);
  if (core->WaitUntilIdle(grace)) return;
  state_->OnEachLane(CutLane);
  if (core->WaitUntilIdle(kCutTimeout)) return;
  Log(LogLevel::kError, "drain_incomplete", {{"connections", static_cast<std::int64_t>(core->connections)}});
}

}  // namespace novafeed
