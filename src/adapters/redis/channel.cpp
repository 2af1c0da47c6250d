#include "adapters/redis/channel.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace novafeed {
namespace {

constexpr std::size_t kTlsPiece = 16 * 1024;

tl::unexpected<Error> Lost(const std::string& why) {
  return Fail(Failure::kUnavailable, kRedisLost, "The connection to Redis was lost: " + why);
}

tl::unexpected<Error> CannotConnect(const std::string& why) {
  return Fail(Failure::kUnavailable, kRedisCannotConnect, "Redis cannot be reached: " + why);
}

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<Addresses> Resolve(const RedisAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;  // no IPv6 where there is none
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found);
  Addresses addresses(found, &freeaddrinfo);
  if (error != 0) return CannotConnect(address.host + ": " + gai_strerror(error));
  return addresses;
}

}  // namespace

Result<RedisChannel> RedisChannel::Connect(const RedisAddress& address, const TlsTrust* trust, Deadline deadline) {
  const Result<Addresses> addresses = Resolve(address);
  if (!addresses) return tl::unexpected<Error>(addresses.error());
  Error last{Failure::kUnavailable, kRedisCannotConnect, "Redis has no address.", 0};
  for (const addrinfo* to = addresses->get(); to != nullptr; to = to->ai_next) {
    RedisChannel channel(::socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol));
    const int on = 1;
    setsockopt(channel.socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(channel.socket_, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS) {
      last.detail = "Redis cannot be reached: " + std::string(std::strerror(errno));
      continue;
    }
    Status connected = channel.FinishConnect(deadline);
    if (connected && trust != nullptr) connected = channel.ShakeHands(address.host, *trust, deadline);
    if (connected) return channel;
    last = connected.error();
  }
  return tl::unexpected<Error>(last);
}

RedisChannel::RedisChannel(RedisChannel&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), tls_(std::move(other.tls_)) {}

RedisChannel::~RedisChannel() {
  if (socket_ >= 0) close(socket_);
}

Status RedisChannel::WaitFor(short events, Deadline deadline) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{socket_, events, 0};
    const int count = poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (count > 0) return {};
    if (count == 0) return Fail(Failure::kUnavailable, kRedisTimeout, "Redis did not answer in time.");
    if (errno != EINTR) return Lost(std::strerror(errno));
  }
}

Status RedisChannel::FinishConnect(Deadline deadline) const {
  if (Status writable = WaitFor(POLLOUT, deadline); !writable) return writable;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return CannotConnect(std::strerror(error));
  return {};
}

Status RedisChannel::ShakeHands(const std::string& host, const TlsTrust& trust, Deadline deadline) {
  tls_.emplace(trust, host);
  while (true) {
    const TlsSession::Step step = tls_->Handshake();
    if (step == TlsSession::Step::kFailed) return CannotConnect("TLS: " + tls_->Reason());
    if (step == TlsSession::Step::kDone) return SendRaw(tls_->TakeOutput(), deadline);
    if (Status fed = Feed(deadline); !fed) return fed;
  }
}

Status RedisChannel::Feed(Deadline deadline) {
  if (Status sent = SendRaw(tls_->TakeOutput(), deadline); !sent) return sent;
  std::array<char, kTlsPiece> piece;
  const Result<std::size_t> count = ReceiveRaw(piece, deadline);
  if (!count) return tl::unexpected<Error>(count.error());
  tls_->Received({piece.data(), *count});
  return {};
}

Status RedisChannel::SendAll(std::string_view bytes, Deadline deadline) {
  if (!tls_) return SendRaw(bytes, deadline);
  if (tls_->Write(bytes) != TlsSession::Step::kDone) return Lost("TLS: " + tls_->Reason());
  return SendRaw(tls_->TakeOutput(), deadline);
}

Result<std::size_t> RedisChannel::Receive(std::span<char> out, Deadline deadline) {
  if (!tls_) return ReceiveRaw(out, deadline);
  while (true) {
    std::size_t count = 0;
    const TlsSession::Step step = tls_->Read(out, &count);
    if (step == TlsSession::Step::kDone) return count;
    if (step == TlsSession::Step::kFailed) return Lost("TLS: " + tls_->Reason());
    if (Status fed = Feed(deadline); !fed) return tl::unexpected<Error>(fed.error());
  }
}

Status RedisChannel::SendRaw(std::string_view bytes, Deadline deadline) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (Status writable = WaitFor(POLLOUT, deadline); !writable) return writable;
    } else if (errno != EINTR) {
      return Lost(std::strerror(errno));
    }
  }
  return {};
}

Result<std::size_t> RedisChannel::ReceiveRaw(std::span<char> out, Deadline deadline) const {
  while (true) {
    if (Status readable = WaitFor(POLLIN, deadline); !readable) return tl::unexpected<Error>(readable.error());
    const ssize_t count = recv(socket_, out.data(), out.size(), 0);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) return Lost("Redis closed it.");
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return Lost(std::strerror(errno));
  }
}

}  // namespace novafeed
