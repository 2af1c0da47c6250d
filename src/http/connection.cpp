#include "http/connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <exception>
#include <utility>

#include "base/crypto.h"
#include "base/log.h"
#include "http/response_head.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// How long a refused client may go on sending before the connection is cut: closing at once would make its system throw
// away the answer.
constexpr std::chrono::milliseconds kLingerTimeout{2000};

Refusal TimedOut(const char* part) {
  return {408, "request_timeout", std::string("The request's ") + part + " came too slowly: send it again.", false};
}

Refusal Incomplete() {
  return {400, "incomplete_request", "The connection ended before the request did: send all of it.", false};
}

Refusal Overloaded(bool at_boundary) {
  return {503, "overloaded", "The server holds as many request bodies as it may: send the request again.", at_boundary};
}

bool IsNotReady(const ErrorCode& error) {
  return error == asio::error::would_block || error == asio::error::try_again || error == asio::error::interrupted;
}

using SendBuffers = std::array<asio::const_buffer, 2>;

// What is left of head and body once `sent` bytes of them are out.
SendBuffers BuffersFrom(std::string_view head, std::string_view body, std::size_t sent) {
  const std::string_view head_left = head.substr(std::min(sent, head.size()));
  const std::string_view body_left = body.substr(sent - (head.size() - head_left.size()));
  return {asio::buffer(head_left), asio::buffer(body_left)};
}

}  // namespace

HttpCore::HttpCore(HttpLimits limits_in, RequestHandler handler_in, ProblemMaker problem_in, Metrics* metrics,
                   const Metrics::Labels& labels)
    : limits(limits_in),
      handler(std::move(handler_in)),
      problem(std::move(problem_in)),
      connections_gauge(metrics->AddGauge("novafeed_http_connections", "Open connections.", labels)),
      refused_counter(metrics->AddCounter("novafeed_http_refused_total",
                                          "Requests and connections that were refused before any handler.", labels)),
      overloaded_counter(metrics->AddCounter("novafeed_http_overloaded_total",
                                             "Requests refused because of what the bodies of others held.", labels)),
      dropped_counter(metrics->AddCounter("novafeed_http_dropped_connections_total",
                                          "Connections closed without a word: too many were turned away.", labels)),
      request_id_prefix_(ToHex(RandomBytes(6))) {}

std::string HttpCore::MakeRequestId() {
  char count[24];
  std::snprintf(count, sizeof count, "-%06llx", static_cast<unsigned long long>(++requests_));
  return request_id_prefix_ + count;
}

bool HttpCore::WaitUntilIdle(std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, longest, [this] { return tasks == 0; });
}

HttpTask::HttpTask(std::shared_ptr<HttpCore> core) : core_(std::move(core)) {
  ++core_->tasks;
}

HttpTask::~HttpTask() {
  if (core_ == nullptr || --core_->tasks > 0) return;
  const std::lock_guard lock(core_->mutex_);
  core_->idle_.notify_all();
}

Connection::Connection(std::shared_ptr<HttpCore> core, HttpLane* lane, tcp::socket socket)
    : core_(std::move(core)), lane_(lane), socket_(std::move(socket)) {
  ++core_->connections;
  core_->connections_gauge.Add(1);
}

Connection::~Connection() {
  --core_->connections;
  if (!core_->server_is_gone) core_->connections_gauge.Add(-1);
}

asio::awaitable<void> Connection::Serve() {
  Join();
  bool open = true;
  while (open && co_await AwaitRequest()) open = co_await ServeRequest();
}

asio::awaitable<void> Connection::TurnAway() {
  Join();
  const Refusal refusal{503, "too_many_connections", "The server has as many connections as it may: try again.", false};
  const std::string request_id = core_->MakeRequestId();
  co_await Refuse(&refusal, &request_id, false);
}

void Connection::Join() {
  lane_->connections.push_back(*this);
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  remote_address_ = socket_.remote_endpoint(ignored).address().to_string();
}

void Connection::CheckDeadline(steady_clock::time_point now) {
  if (now < deadline_) return;
  timed_out_ = true;
  ErrorCode ignored;
  socket_.cancel(ignored);
}

void Connection::CloseIfIdle() {
  if (idle_) Cut();
}

void Connection::Cut() {
  ErrorCode ignored;
  socket_.close(ignored);
}

void Connection::SetTimeout(std::chrono::milliseconds timeout) {
  timed_out_ = false;
  deadline_ = steady_clock::now() + timeout;
}

void Connection::ClearTimeout() {
  timed_out_ = false;
  deadline_ = steady_clock::time_point::max();
}

// True once bytes of a request are there; false where the connection is to be closed.
asio::awaitable<bool> Connection::AwaitRequest() {
  if (!pending_.empty()) {
    // A client that pipelines takes turns with the others on this thread.
    co_await asio::post(asio::use_awaitable);
    co_return true;
  }
  if (lane_->draining) co_return false;
  std::string().swap(pending_);
  SetTimeout(core_->limits.idle_timeout);
  idle_ = true;
  const Received received = co_await Receive();
  idle_ = false;
  co_return received == Received::kBytes;
}

asio::awaitable<bool> Connection::ServeRequest() {
  BudgetShare share(core_->limits.body_budget.get());
  RequestParser parser(&core_->limits);
  const std::optional<Refusal> refusal = co_await ReadRequest(&parser, &share);
  ClearTimeout();
  std::string request_id(parser.request_id());
  if (request_id.empty()) request_id = core_->MakeRequestId();
  if (refusal) {
    const bool keep_alive = refusal->at_boundary && parser.keep_alive() && !lane_->draining;
    co_return co_await Refuse(&*refusal, &request_id, keep_alive);
  }
  HttpRequest request = parser.Take();
  request.request_id = std::move(request_id);
  request.remote_address = remote_address_;
  const HttpResponse response = co_await Handle(&request);
  const bool keep_alive = parser.keep_alive() && !response.close && !lane_->draining;
  const bool head_only = request.method == Method::kHead;
  const bool written = co_await Write(&response, &request.request_id, head_only, keep_alive);
  co_return written&& keep_alive;
}

// Empty where the parser has the whole request, and the share what its body takes.
asio::awaitable<std::optional<Refusal>> Connection::ReadRequest(RequestParser* parser, BudgetShare* share) {
  using Progress = RequestParser::Progress;
  SetTimeout(core_->limits.header_timeout);
  bool in_body = false;
  while (true) {
    const Progress progress = parser->Feed(&pending_);
    if (progress == Progress::kRefused) co_return parser->refusal();
    if (!share->Resize(parser->body_bytes())) {
      core_->overloaded_counter.Add();
      if (core_->overloaded_log.Open()) Log(LogLevel::kWarn, "request_bodies_full");
      co_return Overloaded(progress == Progress::kDone);
    }
    if (progress == Progress::kDone) co_return std::nullopt;
    if (progress == Progress::kNeedBody && !in_body) {
      in_body = true;
      SetTimeout(core_->limits.body_timeout);
      if (parser->wants_continue()) co_await SendContinue();
    }
    const Received received = co_await Receive();
    if (received == Received::kTimeout) co_return TimedOut(in_body ? "body" : "header");
    if (received == Received::kEnd) co_return Incomplete();
  }
}

// Waits for bytes before it needs a place for them.
asio::awaitable<Connection::Received> Connection::Receive() {
  while (true) {
    const auto [wait_error] = co_await socket_.async_wait(tcp::socket::wait_read, kAwait);
    if (wait_error) co_return timed_out_ ? Received::kTimeout : Received::kEnd;
    ErrorCode error;
    const std::size_t count = socket_.read_some(asio::buffer(lane_->scratch), error);
    if (IsNotReady(error)) continue;
    if (error) co_return Received::kEnd;
    pending_.append(lane_->scratch.data(), count);
    co_return Received::kBytes;
  }
}

asio::awaitable<HttpResponse> Connection::Handle(const HttpRequest* request) {
  std::string failure = "unknown exception";
  try {
    HttpResponse response = co_await core_->handler(*request);
    CheckHeaders(response);
    co_return response;
  } catch (const std::exception& error) {
    failure = error.what();
  } catch (...) {
  }
  Log(LogLevel::kError, "handler_failed",
      {{"method", std::string(MethodName(request->method))},
       {"path", request->path},
       {"request_id", request->request_id},
       {"error", failure}});
  co_return core_->problem(500, "internal", "The server failed: send the request again, and report this id.",
                           request->request_id);
}

// True where the connection can go on.
asio::awaitable<bool> Connection::Refuse(const Refusal* refusal, const std::string* request_id, bool keep_alive) {
  core_->refused_counter.Add();
  HttpResponse response = core_->problem(refusal->status, refusal->code, refusal->detail, *request_id);
  if (refusal->status == 503) response.headers.emplace_back("Retry-After", "1");
  const bool written = co_await Write(&response, request_id, false, keep_alive);
  if (written && keep_alive) co_return true;
  if (written) co_await Linger();
  co_return false;
}

// Mostly the system takes all of it at once, and the coroutine need not wait. False where the client is gone.
asio::awaitable<bool> Connection::Write(const HttpResponse* response, const std::string* request_id, bool head_only,
                                        bool keep_alive) {
  const std::string head = RenderResponseHead(*response, keep_alive, *request_id);
  const std::string_view body = head_only ? std::string_view() : BodyOf(*response);
  ErrorCode error;
  const std::size_t sent = socket_.write_some(BuffersFrom(head, body, 0), error);
  if (error && !IsNotReady(error)) co_return false;
  if (sent < head.size() + body.size()) {
    SetTimeout(core_->limits.write_timeout);
    const SendBuffers rest = BuffersFrom(head, body, sent);
    const auto [write_error, count] = co_await asio::async_write(socket_, rest, kAwait);
    ClearTimeout();
    if (write_error) co_return false;
  }
  co_return true;
}

asio::awaitable<void> Connection::SendContinue() {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const asio::const_buffer buffer = asio::buffer(kContinue);
  co_await asio::async_write(socket_, buffer, kAwait);  // a failure shows at the next read
}

// Reads on until the client has read the answer and closed.
asio::awaitable<void> Connection::Linger() {
  ErrorCode ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  SetTimeout(kLingerTimeout);
  while (co_await Receive() == Received::kBytes) pending_.clear();
}

}  // namespace novafeed
