#include "adapters/redis/connection.h"

#include <hiredis/hiredis.h>

#include <array>
#include <new>
#include <utility>

namespace novafeed {
namespace {

constexpr std::size_t kPiece = 16 * 1024;

void AppendCommand(const RedisCommand& command, std::string* out) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* text = nullptr;
  const int size = redisFormatCommandArgv(&text, static_cast<int>(words.size()), words.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  out->append(text, static_cast<std::size_t>(size));
  redisFreeCommand(text);
}

RedisReply Taken(const redisReply& raw) {
  switch (raw.type) {
    case REDIS_REPLY_NIL:
      return {RedisReply::Kind::kNil, {}};
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return {RedisReply::Kind::kText, std::string(raw.str, raw.len)};
    case REDIS_REPLY_INTEGER:
      return {RedisReply::Kind::kInteger, {}};
    case REDIS_REPLY_ERROR:
      return {RedisReply::Kind::kError, std::string(raw.str, raw.len)};
    default:
      return {RedisReply::Kind::kOther, {}};
  }
}

}  // namespace

RedisConnection::RedisConnection(RedisChannel channel)
    : channel_(std::move(channel)), reader_(redisReaderCreate(), &redisReaderFree) {
  if (!reader_) throw std::bad_alloc();
}

Result<std::vector<RedisReply>> RedisConnection::Exchange(const std::vector<RedisCommand>& commands,
                                                          RedisChannel::Deadline deadline) {
  std::string out;
  for (const RedisCommand& command : commands) AppendCommand(command, &out);
  if (Status sent = channel_.SendAll(out, deadline); !sent) return tl::unexpected<Error>(sent.error());
  std::vector<RedisReply> replies;
  while (replies.size() < commands.size()) {
    Result<RedisReply> reply = ReadReply(deadline);
    if (!reply) return tl::unexpected<Error>(reply.error());
    replies.push_back(std::move(*reply));
  }
  return replies;
}

Result<RedisReply> RedisConnection::ReadReply(RedisChannel::Deadline deadline) {
  while (true) {
    void* found = nullptr;
    if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK) {
      return Fail(Failure::kUnavailable, kRedisLost, std::string("Redis answered no reply: ") + reader_->errstr);
    }
    if (found != nullptr) {
      const std::unique_ptr<redisReply, void (*)(void*)> raw(static_cast<redisReply*>(found), &freeReplyObject);
      return Taken(*raw);
    }
    std::array<char, kPiece> piece;
    const Result<std::size_t> count = channel_.Receive(piece, deadline);
    if (!count) return tl::unexpected<Error>(count.error());
    redisReaderFeed(reader_.get(), piece.data(), *count);
  }
}

}  // namespace novafeed
