// For tests: what stands before an engine and speaks TLS in its place, with certificates of its own.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "base/test_support.h"

namespace novafeed::testing {

// Carries bytes between the clients of 127.0.0.1:port() and a server on `target`, for whom its certificate is:
// 127.0.0.1.
class TlsTerminator {
 public:
  // `target` as "http://127.0.0.1:port".
  explicit TlsTerminator(const std::string& target) {
    const std::string port = target.substr(target.rfind(':') + 1);
    std::uint16_t number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    target_ = {boost::asio::ip::make_address("127.0.0.1"), number};
    MakeCertificates();
    context_.use_certificate_chain_file(File("server.crt"));
    context_.use_private_key_file(File("server.key"), boost::asio::ssl::context::pem);
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~TlsTerminator() {
    io_.stop();
    thread_.join();
  }
  TlsTerminator(const TlsTerminator&) = delete;
  TlsTerminator& operator=(const TlsTerminator&) = delete;

  std::string url(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(acceptor_.local_endpoint().port());
  }
  std::string CaFile() const { return File("ca.crt"); }
  // Of somebody whom nobody should trust here.
  std::string OtherCaFile() const { return File("other.crt"); }

 private:
  using Tcp = boost::asio::ip::tcp;
  using Error = boost::system::error_code;

  struct Connection : std::enable_shared_from_this<Connection> {
    Connection(boost::asio::io_context* io, boost::asio::ssl::context* context) : client(*io, *context), server(*io) {}

    void Run(const Tcp::endpoint& target) {
      client.async_handshake(boost::asio::ssl::stream_base::server, [self = shared_from_this(), target](Error error) {
        if (error) return;
        self->server.async_connect(target, [self](Error failed) {
          if (failed) return;
          self->client.lowest_layer().set_option(Tcp::no_delay(true));
          self->server.set_option(Tcp::no_delay(true));
          self->Carry(&self->client, &self->server, &self->up);
          self->Carry(&self->server, &self->client, &self->down);
        });
      });
    }
    template <class From, class To>
    void Carry(From* from, To* to, std::array<char, 32 * 1024>* piece) {
      from->async_read_some(boost::asio::buffer(*piece),
                            [self = shared_from_this(), from, to, piece](Error error, std::size_t count) {
                              if (error) return self->Close();
                              boost::asio::async_write(*to, boost::asio::buffer(piece->data(), count),
                                                       [self, from, to, piece](Error failed, std::size_t) {
                                                         if (failed) return self->Close();
                                                         self->Carry(from, to, piece);
                                                       });
                            });
    }
    void Close() {
      Error ignored;
      server.close(ignored);
      client.lowest_layer().close(ignored);
    }

    boost::asio::ssl::stream<Tcp::socket> client;
    Tcp::socket server;
    std::array<char, 32 * 1024> up{};
    std::array<char, 32 * 1024> down{};
  };

  void Accept() {
    auto connection = std::make_shared<Connection>(&io_, &context_);
    acceptor_.async_accept(connection->client.lowest_layer(), [this, connection](Error error) {
      if (!error) connection->Run(target_);
      Accept();
    });
  }

  std::string File(const std::string& name) const { return (directory_.path() / name).string(); }

  void MakeCertificates() const {
    const std::string make =
        "cd '" + directory_.path().string() +
        "' && exec 2>/dev/null && curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'"
        " && for who in ca other; do openssl req -x509 $curve -days 2 -keyout $who.key -out $who.crt -subj /CN=$who"
        "   || exit 1; done"
        " && openssl req $curve -keyout server.key -out server.csr -subj /CN=server"
        " && printf 'subjectAltName=IP:127.0.0.1' >names"
        " && openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names"
        "      -out server.crt";
    if (std::system(make.c_str()) != 0) throw std::runtime_error("openssl makes no certificates");
  }

  TempDirectory directory_;
  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_server};
  Tcp::acceptor acceptor_{io_, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  Tcp::endpoint target_;
  std::thread thread_;
};

}  // namespace novafeed::testing
