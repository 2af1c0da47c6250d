// TLS for one connection, over memory: what is to be sent and what was received are bytes that the owner carries.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace novafeed {

// Whom to trust. Shared by all connections; thread-safe.
class TlsTrust {
 public:
  // `ca_file` as PEM; empty: whom the system trusts. kInvalid "bad_ca_file".
  static Result<TlsTrust> Load(const std::string& ca_file);

  ssl_ctx_st* context() const { return context_.get(); }

 private:
  explicit TlsTrust(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

  std::shared_ptr<ssl_ctx_st> context_;
};

// The client's side, TLS 1.2 or later. The server's certificate must be trusted, and for that host (name or address).
// For one thread.
class TlsSession {
 public:
  enum class Step { kDone, kNeedsInput, kFailed };

  TlsSession(const TlsTrust& trust, const std::string& host);

  // Goes on with the handshake as far as it can.
  Step Handshake();
  Step Write(std::string_view plain);
  // Fills the beginning of `out`; kFailed also where the server has said that it ends.
  Step Read(std::span<char> out, std::size_t* count);

  // What came from the server.
  void Received(std::string_view bytes);
  // What must go to the server: after each of the steps above.
  std::string TakeOutput();
  // Whether the server has said that it ends: then nothing of what it sent is missing.
  bool HasEnded() const;
  // Why the last step failed.
  std::string Reason() const;

 private:
  Step Judge(int result);

  std::shared_ptr<ssl_st> ssl_;
};

}  // namespace novafeed
