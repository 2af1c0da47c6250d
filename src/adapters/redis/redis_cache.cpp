#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/redis/address.h"
#include "adapters/redis/breaker.h"
#include "adapters/redis/connection.h"
#include "adapters/redis/open.h"
#include "base/log.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Connection = std::unique_ptr<RedisConnection>;

constexpr const char* kBusy = "busy";        // all connections were taken for too long
constexpr const char* kRefused = "refused";  // Redis answered with an error
constexpr const char* kOpen = "breaker_open";

// How to come by a connection, and those that there are.
struct Access {
  RedisAddress address;
  std::optional<TlsTrust> trust;  // with TLS
  std::string password;           // empty: there is none
};

// The connections: at most so many, each with one call at a time. Thread-safe.
class ConnectionPool {
 public:
  explicit ConnectionPool(std::size_t most) : most_(most) {}

  // The right to one connection, and one that was used before if there is any: the newest, so that those beyond the
  // need go unused.
  class Lease {
   public:
    explicit Lease(ConnectionPool* pool, Connection idle) : connection(std::move(idle)), pool_(pool) {}
    Lease(Lease&& other) noexcept
        : connection(std::move(other.connection)), pool_(std::exchange(other.pool_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->GiveBack(std::move(connection));
    }

    Connection connection;  // null: it must be made, or is of no more use

   private:
    ConnectionPool* pool_;
  };

  // Empty where none came free in time.
  std::optional<Lease> Take(SteadyClock::time_point deadline) {
    std::unique_lock lock(mutex_);
    if (!free_.wait_until(lock, deadline, [this] { return taken_ < most_; })) return std::nullopt;
    ++taken_;
    Connection idle;
    if (!idle_.empty()) {
      idle = std::move(idle_.back());
      idle_.pop_back();
    }
    return Lease(this, std::move(idle));
  }

  // Where one connection turned out to be closed, all that are as old may be.
  void DropIdle() {
    const std::scoped_lock lock(mutex_);
    idle_.clear();
  }

 private:
  void GiveBack(Connection connection) {
    {
      const std::scoped_lock lock(mutex_);
      --taken_;
      if (connection) idle_.push_back(std::move(connection));
    }
    free_.notify_one();
  }

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::size_t taken_ = 0;
  std::vector<Connection> idle_;
};

// What kind of error a reply is ("OOM", "WRONGPASS"). The rest of it may repeat what was sent.
std::string KindOf(const RedisReply& reply) {
  return "Redis answers with " + reply.text.substr(0, reply.text.find(' '));
}

std::map<std::string, Counter> FailureCounters(Metrics* metrics) {
  std::map<std::string, Counter> counters;
  for (const char* reason : {kBusy, kRefused, kOpen, kRedisCannotConnect, kRedisTimeout, kRedisLost}) {
    counters.emplace(
        reason, metrics->AddCounter("novafeed_redis_failures_total", "Calls to the cache in Redis that failed, by why.",
                                    {{"reason", reason}}));
  }
  return counters;
}

class RedisCache final : public Cache {
 public:
  RedisCache(RedisOptions options, Access access, Metrics* metrics)
      : options_(std::move(options)),
        access_(std::move(access)),
        breaker_(options_.failures_to_open, options_.open_for),
        pool_(options_.connections),
        failures_(FailureCounters(metrics)),
        breaker_state_(metrics->AddGauge("novafeed_redis_breaker_state",
                                         "0 where calls go to Redis, 1 where one tries, 2 where none goes.")) {}

  Result<std::optional<std::string>> Get(std::string_view key) override {
    Result<RedisReply> reply = Call({"GET", key});
    if (!reply) return tl::unexpected<Error>(reply.error());
    if (reply->kind == RedisReply::Kind::kNil) return std::nullopt;
    return std::move(reply->text);
  }

  Status Put(std::string_view key, std::string value, std::chrono::milliseconds ttl) override {
    const std::string milliseconds = std::to_string(ttl.count());
    return Done(Call({"SET", key, value, "PX", milliseconds}));
  }

  Status Remove(std::string_view key) override { return Done(Call({"UNLINK", key})); }

 private:
  static Status Done(const Result<RedisReply>& reply) {
    if (!reply) return tl::unexpected<Error>(reply.error());
    return {};
  }

  Result<RedisReply> Call(const RedisCommand& command);
  Result<RedisReply> CallThroughPool(const RedisCommand& command);
  Result<RedisReply> CallOn(Connection* connection, const RedisCommand& command, SteadyClock::time_point deadline);
  Result<RedisReply> CallOnNew(Connection* connection, const RedisCommand& command, SteadyClock::time_point deadline);
  std::vector<RedisCommand> Greeting() const;
  void Judge(const Result<RedisReply>& reply);
  // `why` it opened, where it did.
  void ShowBreaker(const std::string& why);
  Error Unavailable(const Error& why);

  const RedisOptions options_;
  const Access access_;
  CircuitBreaker breaker_;
  ConnectionPool pool_;
  const std::map<std::string, Counter> failures_;  // by why
  const Gauge breaker_state_;
  std::mutex shown_mutex_;
  CircuitBreaker::State shown_ = CircuitBreaker::State::kClosed;  // as last told to log and metric
};

Result<RedisReply> RedisCache::Call(const RedisCommand& command) {
  if (!breaker_.Allow(SteadyClock::now())) {
    return tl::unexpected<Error>(Unavailable({Failure::kUnavailable, kOpen, "Redis failed a moment ago.", 0}));
  }
  ShowBreaker("");
  Result<RedisReply> reply = CallThroughPool(command);
  Judge(reply);
  ShowBreaker(reply ? "" : reply.error().detail);
  if (!reply) return tl::unexpected<Error>(Unavailable(reply.error()));
  return reply;
}

// What Redis refuses by itself (it is full, say) it answers at once, which slows nothing: the breaker is for the rest.
void RedisCache::Judge(const Result<RedisReply>& reply) {
  if (!reply && reply.error().code == kBusy) {
    breaker_.Abandoned();
  } else if (!reply && reply.error().code != kRefused) {
    breaker_.Failed(SteadyClock::now());
  } else {
    breaker_.Succeeded();
  }
}

Result<RedisReply> RedisCache::CallThroughPool(const RedisCommand& command) {
  const auto deadline = SteadyClock::now() + options_.call_timeout;
  std::optional<ConnectionPool::Lease> lease = pool_.Take(deadline);
  if (!lease) return Fail(Failure::kUnavailable, kBusy, "All connections to Redis are taken.");
  if (!lease->connection) return CallOnNew(&lease->connection, command, deadline);
  Result<RedisReply> reply = CallOn(&lease->connection, command, deadline);
  if (reply || reply.error().code != kRedisLost) return reply;
  // Redis was restarted, or has closed what was idle. All commands here may be sent twice.
  pool_.DropIdle();
  return CallOnNew(&lease->connection, command, deadline);
}

// Leaves the connection null where it is of no more use.
Result<RedisReply> RedisCache::CallOn(Connection* connection, const RedisCommand& command,
                                      SteadyClock::time_point deadline) {
  Result<std::vector<RedisReply>> replies = (*connection)->Exchange({command}, deadline);
  if (!replies) {
    connection->reset();
    return tl::unexpected<Error>(replies.error());
  }
  RedisReply& reply = replies->front();
  if (reply.kind == RedisReply::Kind::kError) return Fail(Failure::kUnavailable, kRefused, KindOf(reply));
  return std::move(reply);
}

// `deadline` is that of the whole call, to which the time to connect is added.
Result<RedisReply> RedisCache::CallOnNew(Connection* connection, const RedisCommand& command,
                                         SteadyClock::time_point deadline) {
  const auto end = deadline + options_.connect_timeout;
  const auto within = [end](std::chrono::milliseconds timeout) { return std::min(SteadyClock::now() + timeout, end); };
  Result<RedisChannel> channel = RedisChannel::Connect(access_.address, access_.trust ? &*access_.trust : nullptr,
                                                       within(options_.connect_timeout));
  if (!channel) return tl::unexpected<Error>(channel.error());
  *connection = std::make_unique<RedisConnection>(std::move(*channel));

  // The greeting travels with the first command: one way there and back.
  std::vector<RedisCommand> commands = Greeting();
  commands.push_back(command);
  Result<std::vector<RedisReply>> replies = (*connection)->Exchange(commands, within(options_.call_timeout));
  if (!replies) {
    connection->reset();
    return tl::unexpected<Error>(replies.error());
  }
  RedisReply last = std::move(replies->back());
  replies->pop_back();
  const auto refused = std::ranges::find(*replies, RedisReply::Kind::kError, &RedisReply::kind);
  if (refused != replies->end()) {
    connection->reset();
    return Fail(Failure::kUnavailable, kRedisCannotConnect, "Redis refuses the connection: " + KindOf(*refused));
  }
  if (last.kind == RedisReply::Kind::kError) return Fail(Failure::kUnavailable, kRefused, KindOf(last));
  return last;
}

std::vector<RedisCommand> RedisCache::Greeting() const {
  std::vector<RedisCommand> greeting;
  if (!access_.password.empty()) {
    greeting.push_back({"AUTH"});
    if (!access_.address.user.empty()) greeting.back().push_back(access_.address.user);
    greeting.back().push_back(access_.password);
  }
  if (access_.address.database != "0") greeting.push_back({"SELECT", access_.address.database});
  return greeting;
}

void RedisCache::ShowBreaker(const std::string& why) {
  const std::scoped_lock lock(shown_mutex_);
  const CircuitBreaker::State state = breaker_.state();
  if (state == shown_) return;
  const bool is_closed = state == CircuitBreaker::State::kClosed;
  breaker_state_.Set(is_closed ? 0 : state == CircuitBreaker::State::kHalfOpen ? 1 : 2);
  // While it stays away, it is tried every second or so: that goes to the log of those who look closely.
  const LogLevel while_away = shown_ == CircuitBreaker::State::kClosed ? LogLevel::kWarn : LogLevel::kDebug;
  Log(is_closed ? LogLevel::kInfo : while_away, "redis_breaker",
      {{"state", std::string(BreakerStateName(state))},
       {"was", std::string(BreakerStateName(shown_))},
       {"address", access_.address.host + ":" + access_.address.port},
       {"reason", why}});
  shown_ = state;
}

Error RedisCache::Unavailable(const Error& why) {
  failures_.at(why.code).Add();
  return {Failure::kUnavailable, "cache_unavailable", why.detail, options_.open_for.count()};
}

Result<std::string> ReadPassword(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string password{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  while (password.ends_with('\n') || password.ends_with('\r')) password.pop_back();
  if (!file.is_open() || file.bad() || password.empty()) {
    return Fail(Failure::kInvalid, "bad_password_file", "The file " + path + " with Redis' password cannot be read.");
  }
  return password;
}

}  // namespace

Result<std::unique_ptr<Cache>> OpenRedisCache(const RedisOptions& options, Metrics* metrics) {
  Access access;
  Result<RedisAddress> address = ParseRedisUrl(options.url);
  if (!address) return tl::unexpected<Error>(address.error());
  access.address = std::move(*address);
  Result<std::string> password = ReadPassword(options.password_file);
  if (!password) return tl::unexpected<Error>(password.error());
  access.password = std::move(*password);
  if (access.address.tls) {
    Result<TlsTrust> trust = TlsTrust::Load(options.ca_file);
    if (!trust) return tl::unexpected<Error>(trust.error());
    access.trust = std::move(*trust);
  }
  return std::make_unique<RedisCache>(options, std::move(access), metrics);
}

}  // namespace novafeed
