#include "http/client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace novafeed {
namespace {

namespace http = boost::beast::http;
using ResponseParser = http::response_parser<http::string_body>;
using SteadyClock = std::chrono::steady_clock;

// Owns a file descriptor.
class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

struct Address {
  std::string host;
  std::string port;
  bool tls = false;
};

// "http://host:port" or "https://[::1]:port", with or without a slash behind it.
std::optional<Address> ParseUrl(std::string_view url) {
  const bool tls = url.starts_with("https://");
  const std::string_view scheme = tls ? "https://" : "http://";
  if (!url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t host_end = url.starts_with('[') ? url.find(']') : 0;
  if (host_end == url.npos || url.find_first_of("/?#@ ") != url.npos) return std::nullopt;
  const std::size_t colon = std::min(url.find(':', host_end), url.size());
  std::string_view host = url.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const std::string_view port = colon == url.size() ? (tls ? "443" : "80") : url.substr(colon + 1);
  if (host.empty() || port.empty() || port.find_first_not_of("0123456789") != port.npos) return std::nullopt;
  return Address{std::string(host), std::string(port), tls};
}

tl::unexpected<Error> NetworkError(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINPROGRESS) {
    return Fail(Failure::kUnavailable, "timeout", "The server did not answer in time: try again.");
  }
  return Fail(Failure::kUnavailable, "connection_lost",
              std::string("The connection to the server failed (") + std::strerror(error) + "): try again.");
}

void BoundWaits(int descriptor, std::chrono::milliseconds timeout) {
  timeval wait{};
  wait.tv_sec = timeout.count() / 1000;
  wait.tv_usec = timeout.count() % 1000 * 1000;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);  // also bounds connect()
}

Result<Socket> Dial(const Address& address, std::chrono::milliseconds timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::string reason;
  if (const int error = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); error != 0) {
    reason = gai_strerror(error);
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard(found, &freeaddrinfo);
  for (const addrinfo* candidate = found; candidate != nullptr; candidate = candidate->ai_next) {
    Socket socket(::socket(candidate->ai_family, candidate->ai_socktype | SOCK_CLOEXEC, candidate->ai_protocol));
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    BoundWaits(socket.get(), timeout);
    if (connect(socket.get(), candidate->ai_addr, candidate->ai_addrlen) == 0) return socket;
    reason = std::strerror(errno);
  }
  return Fail(Failure::kUnavailable, "cannot_connect",
              "Cannot connect to " + address.host + ":" + address.port + " (" + reason + "): is the server running?");
}

tl::unexpected<Error> CannotTrust(const Address& address, const std::string& reason) {
  return Fail(Failure::kUnavailable, "cannot_connect",
              "Cannot connect to " + address.host + ":" + address.port + " by TLS (" + reason +
                  "): is it the right server, and is whoever signed its certificate trusted here?");
}

std::string RenderHead(const Address& address, Method method, std::string_view target, const Headers& headers,
                       std::size_t body_size) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  std::string request;
  request.append(MethodName(method)).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  request.append(is_v6 ? "[" + address.host + "]" : address.host).append(":").append(address.port).append("\r\n");
  for (const auto& [name, value] : headers) request.append(name).append(": ").append(value).append("\r\n");
  request.append("Content-Length: ").append(std::to_string(body_size)).append("\r\n\r\n");
  return request;
}

HttpResponse TakeResponse(ResponseParser* parser) {
  auto message = parser->release();
  HttpResponse response;
  response.status = static_cast<int>(message.result_int());
  response.content_type.clear();
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::string value(field.value());
    if (SameHeaderName(name, "Content-Type")) response.content_type = value;
    response.headers.emplace_back(std::move(name), std::move(value));
  }
  response.close = !message.keep_alive();
  response.body = std::move(message.body());
  return response;
}

}  // namespace

struct HttpClient::State {
  // How long the next wait may take: `timeout`, or what is left until `deadline`.
  std::chrono::milliseconds Patience() const;
  Status BoundNextWait() const;
  // A connection, with the handshake where it is by TLS. `patience` is of each wait.
  Status Open(std::chrono::milliseconds patience);
  Status ShakeHands();
  // Whether the server has closed the kept connection, or sent what nobody asked for.
  bool IsStale();
  Status SendAll(std::string_view bytes, int flags);
  Status SendRaw(std::string_view bytes, int flags);
  // What has come; 0 where the server has closed.
  Result<std::size_t> ReceiveSome(std::span<char> out);
  Result<std::size_t> ReceiveRaw(std::span<char> out);
  void Close();
  // `*answer_began` tells whether any byte of the answer came.
  Result<HttpResponse> Receive(Method method, bool* answer_began);
  Result<HttpResponse> Exchange(Method method, std::string_view head, std::string_view body, bool* answer_began);

  Address address;
  std::chrono::milliseconds timeout{};
  std::optional<SteadyClock::time_point> deadline;  // of the call that runs
  std::optional<TlsTrust> trust;
  Socket socket;
  std::optional<TlsSession> tls;  // of the socket
};

std::chrono::milliseconds HttpClient::State::Patience() const {
  if (!deadline) return timeout;
  return std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - SteadyClock::now());
}

Status HttpClient::State::BoundNextWait() const {
  const std::chrono::milliseconds patience = Patience();
  if (patience.count() <= 0) return NetworkError(EAGAIN);  // zero would mean: for ever
  BoundWaits(socket.get(), patience);
  return {};
}

Status HttpClient::State::Open(std::chrono::milliseconds patience) {
  Result<Socket> dialled = Dial(address, patience);
  if (!dialled) return tl::unexpected<Error>(std::move(dialled.error()));
  socket = std::move(*dialled);
  if (!address.tls) return {};
  Status shaken = ShakeHands();
  if (!shaken) Close();
  return shaken;
}

Status HttpClient::State::ShakeHands() {
  tls.emplace(*trust, address.host);
  std::array<char, 16 * 1024> piece;
  while (true) {
    const TlsSession::Step step = tls->Handshake();
    const std::string reason = step == TlsSession::Step::kFailed ? tls->Reason() : "";
    const Status sent = SendRaw(tls->TakeOutput(), 0);  // also why it failed
    if (step == TlsSession::Step::kFailed) return CannotTrust(address, reason);
    if (!sent || step == TlsSession::Step::kDone) return sent;
    const Result<std::size_t> count = ReceiveRaw(piece);
    if (!count) return tl::unexpected<Error>(count.error());
    if (*count == 0) return CannotTrust(address, "the server closed the connection");
    tls->Received({piece.data(), *count});
  }
}

bool HttpClient::State::IsStale() {
  std::array<char, 4096> piece;
  while (true) {
    const ssize_t count = recv(socket.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (count < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
    if (count == 0 || !tls) return true;
    // A server may send tickets for later sessions at any time.
    tls->Received({piece.data(), static_cast<std::size_t>(count)});
    std::size_t plain = 0;
    if (tls->Read(piece, &plain) != TlsSession::Step::kNeedsInput) return true;
  }
}

void HttpClient::State::Close() {
  tls.reset();
  socket = Socket();
}

Status HttpClient::State::SendAll(std::string_view bytes, int flags) {
  if (!tls) return SendRaw(bytes, flags);
  constexpr std::size_t kPiece = std::size_t{64} * 1024;  // so that a large body does not stand in memory twice
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    if (tls->Write(piece) != TlsSession::Step::kDone) return NetworkError(EPROTO);
    if (Status sent = SendRaw(tls->TakeOutput(), bytes.empty() ? flags : MSG_MORE); !sent) return sent;
  }
  return {};
}

Result<std::size_t> HttpClient::State::ReceiveSome(std::span<char> out) {
  if (!tls) return ReceiveRaw(out);
  std::array<char, 16 * 1024> piece;
  while (true) {
    std::size_t plain = 0;
    const TlsSession::Step step = tls->Read(out, &plain);
    if (step == TlsSession::Step::kDone) return plain;
    if (step == TlsSession::Step::kFailed) return tls->HasEnded() ? Result<std::size_t>(0) : NetworkError(EPROTO);
    const Result<std::size_t> count = ReceiveRaw(piece);
    if (!count) return count;
    if (*count == 0) return NetworkError(ECONNRESET);  // cut off: by TLS, an end is said
    tls->Received({piece.data(), *count});
  }
}

Result<std::size_t> HttpClient::State::ReceiveRaw(std::span<char> out) {
  while (true) {
    if (const Status bounded = BoundNextWait(); !bounded) return tl::unexpected<Error>(bounded.error());
    const ssize_t count = recv(socket.get(), out.data(), out.size(), 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return NetworkError(errno);
  }
}

Status HttpClient::State::SendRaw(std::string_view bytes, int flags) {
  while (!bytes.empty()) {
    if (const Status bounded = BoundNextWait(); !bounded) return bounded;
    const ssize_t sent = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | flags);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return NetworkError(errno);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<HttpResponse> HttpClient::State::Receive(Method method, bool* answer_began) {
  ResponseParser parser;
  parser.body_limit(boost::none);
  parser.eager(true);
  parser.skip(method == Method::kHead);
  std::string pending;
  std::array<char, 64 * 1024> piece;
  while (!parser.is_done()) {
    const Result<std::size_t> count = ReceiveSome(piece);
    if (!count) return tl::unexpected<Error>(count.error());
    boost::beast::error_code error;
    if (*count == 0) {
      if (!*answer_began) return NetworkError(ECONNRESET);
      parser.put_eof(error);
    } else {
      *answer_began = true;
      pending.append(piece.data(), *count);
      pending.erase(0, parser.put(boost::asio::buffer(pending), error));
    }
    if (error && error != http::error::need_more) return NetworkError(EPROTO);
  }
  return TakeResponse(&parser);
}

Result<HttpResponse> HttpClient::State::Exchange(Method method, std::string_view head, std::string_view body,
                                                 bool* answer_began) {
  *answer_began = false;
  if (!socket.is_open()) {
    const std::chrono::milliseconds patience = std::min(timeout, Patience());
    if (patience.count() <= 0) return NetworkError(EAGAIN);
    if (const Status opened = Open(patience); !opened) return tl::unexpected<Error>(opened.error());
  }
  // A server that refuses early answers before it has read everything: look for that answer in any case.
  Status sent = SendAll(head, body.empty() ? 0 : MSG_MORE);
  if (sent) sent = SendAll(body, 0);
  Result<HttpResponse> response = Receive(method, answer_began);
  if (!response && !sent) response = tl::unexpected<Error>(sent.error());
  if (!response || response->close) Close();
  return response;
}

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpClient> HttpClient::Connect(std::string_view url, std::chrono::milliseconds timeout,
                                       std::optional<TlsTrust> trust) {
  std::optional<Address> address = ParseUrl(url);
  if (!address || (address->tls && !trust)) {
    return Fail(Failure::kInvalid, "bad_url",
                "\"" + std::string(url) + "\" is not the address of a server: write http://host:port.");
  }
  auto state = std::make_unique<State>();
  state->address = std::move(*address);
  state->timeout = timeout;
  state->trust = std::move(trust);
  if (const Status opened = state->Open(timeout); !opened) return tl::unexpected<Error>(opened.error());
  return HttpClient(std::move(state));
}

Result<HttpResponse> HttpClient::Send(Method method, std::string_view target, const Headers& headers,
                                      std::string_view body) {
  state_->deadline.reset();
  const std::string head = RenderHead(state_->address, method, target, headers, body.size());
  const bool was_kept = state_->socket.is_open();
  bool answer_began = false;
  Result<HttpResponse> response = state_->Exchange(method, head, body, &answer_began);
  const bool retry = !response && was_kept && !answer_began && response.error().code == "connection_lost";
  if (retry) response = state_->Exchange(method, head, body, &answer_began);
  return response;
}

Result<HttpResponse> HttpClient::SendOnce(Method method, std::string_view target, const Headers& headers,
                                          std::string_view body, SteadyClock::time_point deadline) {
  state_->deadline = deadline;
  if (state_->socket.is_open() && state_->IsStale()) state_->Close();
  bool answer_began = false;
  return state_->Exchange(method, RenderHead(state_->address, method, target, headers, body.size()), body,
                          &answer_began);
}

}  // namespace novafeed
