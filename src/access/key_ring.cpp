// The secrets of a data directory: KeyRing::Open of tokens.h.
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "access/tokens.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/secret_file.h"
#include "base/text.h"

namespace novafeed {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMaxTokenKeys = 2;

std::string NewKeyFile() {
  std::string text;
  JsonWriter writer(&text);
  writer.BeginObject().Key("token_keys").BeginArray().BeginObject();
  writer.Key("kid").String(ToHex(RandomBytes(8)));
  writer.Key("secret").String(EncodeBase64Url(RandomBytes(kSecretBytes)));
  writer.EndObject().EndArray().Key("cursor_key").String(EncodeBase64Url(RandomBytes(kSecretBytes))).EndObject();
  return text + "\n";
}

Result<std::string> ReadSecret(JsonFields* fields, std::string_view name) {
  const Result<std::string> text = fields->RequireString(name);
  if (!text) return tl::unexpected(text.error());
  std::optional<std::string> secret = DecodeBase64Url(*text);
  if (!secret || secret->size() < kSecretBytes) {
    return Fail(Failure::kInternal, "bad_key_file", std::string(name) + " must be at least 32 bytes in base64url.");
  }
  return *std::move(secret);
}

Result<TokenKey> ReadTokenKey(const boost::json::value& value) {
  JsonFields fields(value);
  Result<std::string> kid = fields.RequireString("kid");
  if (!kid) return tl::unexpected(kid.error());
  Result<std::string> secret = ReadSecret(&fields, "secret");
  if (!secret) return tl::unexpected(secret.error());
  const Status others = fields.RefuseOthers();
  if (!others) return tl::unexpected(others.error());
  return TokenKey{*std::move(kid), *std::move(secret)};
}

Result<std::vector<TokenKey>> ReadTokenKeys(const boost::json::value* value) {
  if (value == nullptr || !value->is_array() || value->as_array().empty() || value->as_array().size() > kMaxTokenKeys) {
    return Fail(Failure::kInternal, "bad_key_file", "token_keys must be a list of one or two keys.");
  }
  std::vector<TokenKey> keys;
  keys.reserve(value->as_array().size());
  for (const boost::json::value& entry : value->as_array()) {
    Result<TokenKey> key = ReadTokenKey(entry);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(*std::move(key));
  }
  if (keys.size() == kMaxTokenKeys && keys[0].kid == keys[1].kid) {
    return Fail(Failure::kInternal, "bad_key_file", "The two token keys must have different kids.");
  }
  return keys;
}

Result<KeyRing> ParseKeyFile(std::string_view text) {
  const Result<boost::json::value> document = ParseJson(text);
  if (!document) return tl::unexpected(document.error());
  JsonFields fields(*document);
  Result<std::vector<TokenKey>> token_keys = ReadTokenKeys(fields.Find("token_keys"));
  if (!token_keys) return tl::unexpected(token_keys.error());
  Result<std::string> cursor_key = ReadSecret(&fields, "cursor_key");
  if (!cursor_key) return tl::unexpected(cursor_key.error());
  const Status others = fields.RefuseOthers();
  if (!others) return tl::unexpected(others.error());
  return KeyRing{*std::move(token_keys), *std::move(cursor_key)};
}

}  // namespace

Result<KeyRing> KeyRing::Open(const std::string& directory) {
  const Result<std::string> text = OpenSecretFile(directory, "keys.json", NewKeyFile);
  if (!text) return tl::unexpected(text.error());
  Result<KeyRing> ring = ParseKeyFile(*text);
  if (!ring) {
    return Fail(Failure::kInternal, "bad_key_file",
                "The key file " + directory + "/keys.json cannot be used: " + ring.error().detail);
  }
  return ring;
}

}  // namespace novafeed
