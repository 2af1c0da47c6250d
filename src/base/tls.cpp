#include "base/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace novafeed {
namespace {

bool IsNumericAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(AF_INET, host.c_str(), parsed.data()) == 1 || inet_pton(AF_INET6, host.c_str(), parsed.data()) == 1;
}

}  // namespace

Result<TlsTrust> TlsTrust::Load(const std::string& ca_file) {
  std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (!context) throw std::runtime_error("OpenSSL makes no context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  ERR_clear_error();
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                     : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr);
  if (loaded != 1) {
    return Fail(Failure::kInvalid, "bad_ca_file",
                "The certificates of " + (ca_file.empty() ? "the system" : ca_file) + " cannot be read as PEM.");
  }
  return TlsTrust(std::move(context));
}

TlsSession::TlsSession(const TlsTrust& trust, const std::string& host) : ssl_(SSL_new(trust.context()), &SSL_free) {
  if (!ssl_) throw std::runtime_error("OpenSSL makes no session");
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));  // now the session's
  SSL_set_connect_state(ssl_.get());
  if (IsNumericAddress(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
  } else {
    SSL_set1_host(ssl_.get(), host.c_str());
    SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
  }
}

TlsSession::Step TlsSession::Judge(int result) {
  if (result > 0) return Step::kDone;
  const int error = SSL_get_error(ssl_.get(), result);
  return error == SSL_ERROR_WANT_READ ? Step::kNeedsInput : Step::kFailed;
}

TlsSession::Step TlsSession::Handshake() {
  ERR_clear_error();
  return Judge(SSL_do_handshake(ssl_.get()));
}

TlsSession::Step TlsSession::Write(std::string_view plain) {
  ERR_clear_error();
  std::size_t written = 0;
  return Judge(SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written));
}

TlsSession::Step TlsSession::Read(std::span<char> out, std::size_t* count) {
  ERR_clear_error();
  return Judge(SSL_read_ex(ssl_.get(), out.data(), out.size(), count));
}

void TlsSession::Received(std::string_view bytes) {
  std::size_t taken = 0;
  BIO_write_ex(SSL_get_rbio(ssl_.get()), bytes.data(), bytes.size(), &taken);  // memory takes everything
}

std::string TlsSession::TakeOutput() {
  BIO* out = SSL_get_wbio(ssl_.get());
  std::string bytes(BIO_ctrl_pending(out), '\0');
  std::size_t taken = 0;
  if (!bytes.empty()) BIO_read_ex(out, bytes.data(), bytes.size(), &taken);
  bytes.resize(taken);
  return bytes;
}

bool TlsSession::HasEnded() const {
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

std::string TlsSession::Reason() const {
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  std::array<char, 256> text{};
  const unsigned long error = ERR_peek_last_error();
  if (error == 0) return "the server ended the session";
  ERR_error_string_n(error, text.data(), text.size());
  return text.data();
}

}  // namespace novafeed
