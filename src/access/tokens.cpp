#include "access/tokens.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <stdexcept>
#include <utility>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"

namespace novafeed {
namespace {

// More than any token that Novafeed signs; longer ones are not worth hashing.
constexpr std::size_t kMaxTokenBytes = 4096;
constexpr std::int64_t kMaxNumericDate = kMaxTime / kMsPerSecond;

tl::unexpected<Error> Refuse(std::string code, std::string detail) {
  return Fail(Failure::kUnauthenticated, std::move(code), std::move(detail));
}

tl::unexpected<Error> BadToken(std::string detail) {
  return Refuse("bad_token", std::move(detail));
}

// The three parts of a compact JWS, still encoded.
struct TokenParts {
  std::string_view signed_part;  // header.payload: what the signature is over
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
};

std::optional<TokenParts> Split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return TokenParts{token.substr(0, second), token.substr(0, first), token.substr(first + 1, second - first - 1),
                    token.substr(second + 1)};
}

Result<boost::json::value> DecodeJsonPart(std::string_view encoded) {
  const std::optional<std::string> text = DecodeBase64Url(encoded);
  if (!text) return BadToken("The token is not base64url: send it as it was issued.");
  Result<boost::json::value> document = ParseJson(*text, {.max_depth = 4});
  if (!document || !document->is_object()) return BadToken("The token holds no JSON object: send it as it was issued.");
  return document;
}

// The key that the header names, if the header is one that this server may accept at all.
Result<const TokenKey*> FindKey(const KeyRing& keys, std::string_view encoded_header) {
  const Result<boost::json::value> header = DecodeJsonPart(encoded_header);
  if (!header) return tl::unexpected(header.error());
  JsonFields fields(*header);
  if (fields.RequireString("alg").value_or("") != "HS256") {
    return BadToken("The token's algorithm is not HS256: ask for a token of this server.");
  }
  if (fields.Find("crit") != nullptr) return BadToken("The token demands an extension that this server does not know.");
  const Result<std::string> kid = fields.RequireString("kid");
  if (!kid) return BadToken("The token names no key (kid): ask for a token of this server.");
  const auto found = std::find_if(keys.token_keys.begin(), keys.token_keys.end(),
                                  [&](const TokenKey& key) { return key.kid == *kid; });
  if (found == keys.token_keys.end()) {
    return Refuse("unknown_key", "The token's key is not active here (any more): ask for a new token.");
  }
  return &*found;
}

// A NumericDate of the claims in milliseconds; empty where the claim is absent.
Result<std::optional<TimeMs>> ReadDate(JsonFields* claims, std::string_view name) {
  const Result<std::optional<std::int64_t>> seconds = claims->OptionalInt(name);
  if (!seconds || (*seconds && (**seconds < 0 || **seconds > kMaxNumericDate))) {
    return BadToken("The token's " + std::string(name) + " is no number of seconds since 1970.");
  }
  if (!*seconds) return std::nullopt;
  return **seconds * kMsPerSecond;
}

Status CheckDates(JsonFields* claims, TimeMs now) {
  const auto expires = ReadDate(claims, "exp");
  const auto issued = ReadDate(claims, "iat");
  const auto not_before = ReadDate(claims, "nbf");
  for (const auto* date : {&expires, &issued, &not_before}) {
    if (!*date) return tl::unexpected(date->error());
  }
  if (!*expires) return BadToken("The token has no expiry (exp): ask for one that has.");
  const TimeMs expires_at = **expires;
  if (now >= expires_at + kTokenLeeway) return Refuse("token_expired", "The token has expired: ask for a new one.");
  if (std::max(issued->value_or(0), not_before->value_or(0)) > now + kTokenLeeway) {
    return Refuse("token_not_yet_valid", "The token is not valid yet: check the clocks of issuer and server.");
  }
  // Without iat the life is counted from now, where the two clocks may differ by the leeway.
  const TimeMs lives_at_most = *issued ? **issued + kMaxTokenLife : now + kTokenLeeway + kMaxTokenLife;
  if (expires_at > lives_at_most) {
    return Refuse("token_too_long_lived", "The token lives longer than 30 days: ask for one of a shorter life.");
  }
  return {};
}

Result<Caller> ReadCaller(JsonFields* claims) {
  const Result<std::string> subject = claims->RequireString("sub");
  const std::optional<ParsedId> id = subject ? ParseApiId(IdKind::kUser, *subject) : std::nullopt;
  if (!id) return BadToken("The token's sub is no user id: it must be a UUID or ext: and your own id.");
  const auto scope_name = claims->OptionalString("scope");
  const std::optional<Scope> scope = scope_name ? ParseScope(scope_name->value_or("user")) : std::nullopt;
  if (!scope) return BadToken("The token's scope is none of user, service and admin.");
  return Caller{UserId{id->id}, *scope};
}

}  // namespace

std::string_view ScopeName(Scope scope) {
  switch (scope) {
    case Scope::kUser:
      return "user";
    case Scope::kService:
      return "service";
    case Scope::kAdmin:
      return "admin";
  }
  throw std::logic_error("a scope without a name");
}

std::optional<Scope> ParseScope(std::string_view name) {
  for (const Scope scope : {Scope::kUser, Scope::kService, Scope::kAdmin}) {
    if (name == ScopeName(scope)) return scope;
  }
  return std::nullopt;
}

std::string SignToken(const KeyRing& keys, UserId subject, Scope scope, TimeMs now, TimeMs ttl_ms) {
  if (ttl_ms < kMsPerSecond || ttl_ms > kMaxTokenLife) throw std::invalid_argument("a token lives 1 s to 30 days");
  const TokenKey& key = keys.token_keys.at(0);
  const std::int64_t issued = now / kMsPerSecond;

  std::string header;
  JsonWriter(&header)
      .BeginObject()
      .Key("alg")
      .String("HS256")
      .Key("typ")
      .String("JWT")
      .Key("kid")
      .String(key.kid)
      .EndObject();
  std::string claims;
  JsonWriter writer(&claims);
  writer.BeginObject().Key("sub").String(subject.ToString()).Key("scope").String(ScopeName(scope));
  writer.Key("iat").Int(issued).Key("exp").Int(issued + ttl_ms / kMsPerSecond).EndObject();

  std::string token = EncodeBase64Url(header) + "." + EncodeBase64Url(claims);
  const Sha256Digest signature = HmacSha256(key.secret, token);
  return token + "." + EncodeBase64Url(AsView(signature));
}

Result<Caller> VerifyToken(const KeyRing& keys, std::string_view token, TimeMs now) {
  const std::optional<TokenParts> parts = token.size() <= kMaxTokenBytes ? Split(token) : std::nullopt;
  if (!parts) return BadToken("The token is no JWT (header.claims.signature): send it as it was issued.");
  const Result<const TokenKey*> key = FindKey(keys, parts->header);
  if (!key) return tl::unexpected(key.error());

  const Sha256Digest expected = HmacSha256((*key)->secret, parts->signed_part);
  const std::optional<std::string> signature = DecodeBase64Url(parts->signature);
  if (!signature || !ConstantTimeEqual(*signature, AsView(expected))) {
    return BadToken("The token's signature is wrong: send it as it was issued.");
  }

  const Result<boost::json::value> claims = DecodeJsonPart(parts->payload);
  if (!claims) return tl::unexpected(claims.error());
  JsonFields fields(*claims);
  const Status dates = CheckDates(&fields, now);
  if (!dates) return tl::unexpected(dates.error());
  return ReadCaller(&fields);
}

}  // namespace novafeed
