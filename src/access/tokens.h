// Bearer tokens: JWT, HS256 only (contract, section 5). The cursor's key is another.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/ids.h"

namespace novafeed {

enum class Scope { kUser, kService, kAdmin };
std::string_view ScopeName(Scope scope);
std::optional<Scope> ParseScope(std::string_view name);

struct TokenKey {
  std::string kid;
  std::string secret;  // raw bytes, at least 32
};

// The secrets of a data directory. keys.json, mode 0600; made at the first start.
struct KeyRing {
  std::vector<TokenKey> token_keys;  // the first signs; one or two verify
  std::string cursor_key;            // raw bytes

  // Reads DIR/keys.json, or makes it (atomically, 0600). A file that others may read is refused with a sentence.
  static Result<KeyRing> Open(const std::string& directory);
};

struct Caller {
  UserId subject;
  Scope scope = Scope::kUser;
};

inline constexpr TimeMs kMaxTokenLife = 30 * kMsPerDay;
inline constexpr TimeMs kTokenLeeway = 60 * kMsPerSecond;

// Signs {"sub","scope","iat","exp"} with the first key. `ttl_ms` in 1 s .. 30 d.
std::string SignToken(const KeyRing& keys, UserId subject, Scope scope, TimeMs now, TimeMs ttl_ms);

// kUnauthenticated: "bad_token", "token_expired", "unknown_key", "token_too_long_lived", "token_not_yet_valid".
// Signature compared in constant time; the header must name HS256 and a known kid; exp is required.
Result<Caller> VerifyToken(const KeyRing& keys, std::string_view token, TimeMs now);

}  // namespace novafeed
