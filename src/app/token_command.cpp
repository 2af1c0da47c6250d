#include <iostream>

#include "access/tokens.h"
#include "app/commands.h"
#include "app/data_directory.h"

namespace novafeed {
namespace {

Result<TimeMs> ParseLife(const std::string& text) {
  const std::optional<std::chrono::milliseconds> life = ParseDuration(text);
  if (!life || life->count() < kMsPerSecond || life->count() > kMaxTokenLife) {
    return Fail(Failure::kInvalid, "bad_ttl",
                "--ttl takes a duration from 1s to 30d, such as 24h, not \"" + text + "\".");
  }
  return life->count();
}

}  // namespace

Result<int> RunToken(const TokenFlags& flags) {
  const std::optional<ParsedId> user = ParseApiId(IdKind::kUser, flags.user);
  if (!user) {
    return Fail(Failure::kInvalid, "bad_id", "--user takes a UUID or ext:<your own id>, not \"" + flags.user + "\".");
  }
  const std::optional<Scope> scope = ParseScope(flags.scope);
  if (!scope) {
    return Fail(Failure::kInvalid, "bad_scope", "--scope is user, service or admin, not \"" + flags.scope + "\".");
  }
  const Result<TimeMs> life = ParseLife(flags.ttl);
  if (!life) return tl::unexpected<Error>(life.error());

  const Result<Settings> settings = LoadSettings(flags.settings);
  if (!settings) return tl::unexpected<Error>(settings.error());
  const std::string& directory = settings->String("data.directory");
  if (const Status there = RequireDirectory(directory); !there) return tl::unexpected<Error>(there.error());
  const std::optional<ServeInfo> served = FindRunningServe(directory);
  const Result<KeyRing> keys = KeyRing::Open(served ? served->keys_directory : KeysDirectory(*settings));
  if (!keys) return tl::unexpected<Error>(keys.error());

  std::cout << SignToken(*keys, UserId{user->id}, *scope, DirectoryNow(directory), *life) << "\n";
  return kExitOk;
}

}  // namespace novafeed
