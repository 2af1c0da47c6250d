// For the tests of http/: a raw TCP connection, so that a test can send what no decent client would.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace novafeed {

class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to the server under test");
    }
  }
  ~RawConnection() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  RawConnection(RawConnection&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), received_(std::move(other.received_)) {}

  // False where the server has gone.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Nothing more will be sent; answers can still be read.
  void EndSending() { shutdown(descriptor_, SHUT_WR); }

  // One answer: status line, header and the body that Content-Length announces. Empty where the connection ends first.
  std::string ReadAnswer(bool with_body = true) {
    std::size_t head_end;
    while ((head_end = received_.find("\r\n\r\n")) == received_.npos) {
      if (!Receive()) return {};
    }
    std::size_t size = head_end + 4;
    const std::size_t length_at = received_.find("Content-Length: ");
    if (with_body && length_at < head_end) size += std::strtoul(received_.c_str() + length_at + 16, nullptr, 10);
    while (received_.size() < size) {
      if (!Receive()) return {};
    }
    std::string answer = received_.substr(0, size);
    received_.erase(0, size);
    return answer;
  }

  // Everything until the server closes. A reset counts as a close.
  std::string ReadToEnd() {
    while (Receive()) {
    }
    return std::exchange(received_, {});
  }

 private:
  // False at the end of the stream. A server that keeps silent for half a minute has failed the test.
  bool Receive() {
    pollfd readable{descriptor_, POLLIN, 0};
    if (poll(&readable, 1, 30'000) != 1) throw std::runtime_error("the server under test keeps silent");
    char piece[16 * 1024];
    const ssize_t count = recv(descriptor_, piece, sizeof piece, 0);
    if (count <= 0) return false;
    received_.append(piece, static_cast<std::size_t>(count));
    return true;
  }

  int descriptor_;
  std::string received_;
};

}  // namespace novafeed
