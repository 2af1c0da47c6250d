#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "adapters/clickhouse/open.h"
#include "adapters/clickhouse/protocol.h"
#include "base/tls.h"
#include "http/client.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Clients of one address at a time, each lent to one call; those of an address that was left are dropped.
class ClientPool {
 public:
  explicit ClientPool(ClickHouseOptions options) : options_(std::move(options)), trust_(Trust(options_.ca_file)) {}

  class Lent {
   public:
    Lent(ClientPool* pool, std::string url, HttpClient client)
        : pool_(pool), url_(std::move(url)), client_(std::move(client)) {}
    Lent(Lent&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), url_(std::move(other.url_)), client_(std::move(other.client_)) {}
    Lent& operator=(Lent&&) = delete;
    ~Lent() {
      if (pool_ != nullptr) pool_->PutBack(url_, std::move(client_));
    }
    HttpClient* operator->() { return &client_; }

   private:
    ClientPool* pool_;
    std::string url_;
    HttpClient client_;
  };

  Result<Lent> Borrow(const std::string& url, SteadyClock::time_point deadline) {
    {
      std::unique_lock lock(mutex_);
      const auto is_free = [this] { return lent_ < options_.max_connections; };
      if (!freed_.wait_until(lock, deadline, is_free)) {
        return Fail(Failure::kUnavailable, "timeout", "All connections to the analytical engine are busy.");
      }
      ++lent_;
      if (url != url_) idle_.clear();
      url_ = url;
      if (!idle_.empty()) {
        HttpClient client = std::move(idle_.back());
        idle_.pop_back();
        return Lent(this, url, std::move(client));
      }
    }
    Result<HttpClient> client = HttpClient::Connect(url, Patience(deadline), trust_);
    if (client) return Lent(this, url, std::move(*client));
    GiveUpPlace();
    return tl::unexpected<Error>(std::move(client.error()));
  }

 private:
  static TlsTrust Trust(const std::string& ca_file) {
    Result<TlsTrust> trust = TlsTrust::Load(ca_file);
    if (!trust) throw std::runtime_error(trust.error().detail);
    return *std::move(trust);
  }

  std::chrono::milliseconds Patience(SteadyClock::time_point deadline) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
    return std::clamp(left, std::chrono::milliseconds(1), options_.connect_timeout);
  }

  void PutBack(const std::string& url, HttpClient client) {
    {
      const std::scoped_lock lock(mutex_);
      if (url == url_) idle_.push_back(std::move(client));
    }
    GiveUpPlace();
  }

  void GiveUpPlace() {
    {
      const std::scoped_lock lock(mutex_);
      --lent_;
    }
    freed_.notify_one();
  }

  const ClickHouseOptions options_;
  const TlsTrust trust_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable freed_;
  std::size_t lent_ = 0;
  std::string url_;  // of those in idle_
  std::vector<HttpClient> idle_;
};

class ClickHouse final : public Olap {
 public:
  ClickHouse(ClickHouseLocator locate, ClickHouseOptions options)
      : locate_(std::move(locate)), pool_(std::move(options)) {}

  Result<OlapRows> Query(std::string_view sql, const OlapParams& params, const OlapCall& call) override {
    const std::string query = std::string(sql) + "\nFORMAT RowBinary";
    Result<std::string> answer = Send(RenderTarget("", params, call), query, DeadlineOf(call));
    if (!answer) return tl::unexpected<Error>(std::move(answer.error()));
    return OlapRows(std::move(*answer));
  }

  Status Execute(std::string_view sql, const OlapParams& params, const OlapCall& call) override {
    const std::string target = RenderTarget("", params, call);
    const SteadyClock::time_point deadline = DeadlineOf(call);
    for (const std::string_view statement : SplitStatements(sql)) {
      const Result<std::string> answer = Send(target, statement, deadline);
      if (!answer) return tl::unexpected<Error>(answer.error());
    }
    return {};
  }

  Status Insert(std::string_view table, std::string_view format, std::string_view rows, const OlapCall& call) override {
    const std::string query = "INSERT INTO " + std::string(table) + " FORMAT " + std::string(format);
    const Result<std::string> answer = Send(RenderTarget(query, {}, call), rows, DeadlineOf(call));
    if (!answer) return tl::unexpected<Error>(answer.error());
    return {};
  }

 private:
  static SteadyClock::time_point DeadlineOf(const OlapCall& call) { return SteadyClock::now() + call.deadline; }

  // The body of the answer.
  Result<std::string> Send(const std::string& target, std::string_view body, SteadyClock::time_point deadline) {
    const std::optional<ClickHouseEndpoint> endpoint = locate_();
    const std::optional<std::string> url = endpoint ? HttpUrlOf(endpoint->url) : std::nullopt;
    if (!url) {
      return Fail(Failure::kUnavailable, "olap_unavailable", "The analytical engine is not up: try again.", 1000);
    }
    Result<ClientPool::Lent> client = pool_.Borrow(*url, deadline);
    if (!client) return tl::unexpected<Error>(ErrorOf(client.error()));
    const Headers headers{{"X-ClickHouse-User", endpoint->user}, {"X-ClickHouse-Key", endpoint->password}};
    Result<HttpResponse> response = (*client)->SendOnce(Method::kPost, target, headers, body, deadline);
    if (!response) return tl::unexpected<Error>(ErrorOf(response.error()));
    if (std::optional<Error> error = ErrorOf(*response)) return tl::unexpected<Error>(std::move(*error));
    return std::move(response->body);
  }

  const ClickHouseLocator locate_;
  ClientPool pool_;
};

}  // namespace

std::unique_ptr<Olap> OpenClickHouse(ClickHouseLocator locate, ClickHouseOptions options) {
  return std::make_unique<ClickHouse>(std::move(locate), std::move(options));
}

std::unique_ptr<Olap> OpenClickHouse(const ClickHouseEndpoint& endpoint, ClickHouseOptions options) {
  if (!HttpUrlOf(endpoint.url)) {
    throw std::runtime_error(
        "\"" + endpoint.url +
        "\" is not the address of a ClickHouse server: write http://host:port, or https:// for TLS.");
  }
  return OpenClickHouse([endpoint] { return std::optional(endpoint); }, std::move(options));
}

}  // namespace novafeed
