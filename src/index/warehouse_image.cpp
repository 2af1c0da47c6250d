#include "index/warehouse_image.h"

#include <algorithm>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/sql.h"

namespace novafeed {
namespace {

constexpr std::int64_t kSecondsPerHour = 3600;

// The least and the greatest id, in ClickHouse's order as in any other.
constexpr std::string_view kLeast = "00000000-0000-0000-0000-000000000000";
constexpr std::string_view kGreatest = "ffffffff-ffff-ffff-ffff-ffffffffffff";

// Bytes of posts' content in one answer, on average; the engine allows eight times as much (olap.max_memory / 16).
constexpr std::size_t kContentAtOnce = 8UL << 20;

// A statement that reads one range of a table's keys, and what makes entries of its rows.
struct RangedRead {
  std::string_view statement;  // name of its file
  std::string_view table;
  std::string_view key;
  OlapParams params{};           // besides those of the range
  std::size_t rows_at_once = 0;  // 0: as the options say
};

class ImageReader {
 public:
  ImageReader(Olap* olap, const WarehouseImageOptions& options, IndexState* state,
              const std::function<void(std::int64_t)>& took)
      : olap_(olap), options_(options), state_(*state), took_(took) {}

  Status ReadAll() {
    for (const auto read : {&ImageReader::ReadUsers, &ImageReader::ReadPosts, &ImageReader::ReadCounters,
                            &ImageReader::ReadHours, &ImageReader::ReadFollows, &ImageReader::ReadInteractions}) {
      if (Status done = (this->*read)(); !done) return done;
    }
    return {};
  }

 private:
  Status ReadUsers() {
    return InRanges({"boot_users", "users_cdc", "id"}, [this](OlapRows& rows) {
      User user;
      user.id = UserId{rows.Id()};
      Apply(std::move(user));
    });
  }

  Status ReadPosts() {
    const Result<std::size_t> at_once = PostsAtOnce();
    if (!at_once) return tl::unexpected<Error>(at_once.error());
    const OlapParams params{{"content_after", std::to_string(state_.anchor - kContentKept)}};
    return InRanges({"boot_posts", "posts_cdc", "id", params, *at_once}, [this](OlapRows& rows) {
      Post post;
      post.id = PostId{rows.Id()};
      post.author = UserId{rows.Id()};
      post.created_at = rows.Int64();
      if (rows.UInt8() != 0) post.deleted_at = post.created_at;  // that it is, not when
      rows.UInt8();                                              // whether the content comes with it
      const std::string_view external_id = rows.String();
      if (!external_id.empty()) post.external_id = external_id;
      post.text = rows.String();
      Apply(std::move(post));
    });
  }

  // An answer of the engine's is bounded in bytes, and posts are as long as people write them.
  Result<std::size_t> PostsAtOnce() {
    Result<OlapRows> rows = Ask("boot_post_bytes", {});
    if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
    return std::clamp<std::size_t>(kContentAtOnce / (rows->UInt64() + 1), 1, options_.rows_at_once);
  }

  Status ReadCounters() {
    return InRanges({"boot_counters", "post_counters", "author_id"}, [this](OlapRows& rows) {
      CountedPost counted;
      counted.post = PostId{rows.Id()};
      for (std::int64_t* counter :
           {&counted.likes, &counted.comments, &counted.shares, &counted.impressions, &counted.views}) {
        *counter = rows.Int64();
      }
      state_.Apply(counted);
    });
  }

  Status ReadHours() {
    const OlapParams params{{"oldest_hour_seconds", std::to_string(state_.OldestHour() * kSecondsPerHour)}};
    Result<OlapRows> hours = Ask("boot_hours", params);
    if (!hours) return tl::unexpected<Error>(std::move(hours.error()));
    std::vector<OlapParams> parts;
    while (!hours->AtEnd()) parts.push_back({{"hour_seconds", std::to_string(hours->UInt32())}});
    std::size_t part = 0;
    return InParts("boot_hour_counters", parts, [&](OlapRows& rows) {
      const std::int64_t hour = std::stoll(parts[part].front().second) / kSecondsPerHour;
      for (; !rows.AtEnd(); ++taken_) {
        CountedHour counted;
        counted.hour = hour;
        counted.post = PostId{rows.Id()};
        for (std::int32_t* counter :
             {&counted.counts.likes, &counted.counts.comments, &counted.counts.shares, &counted.counts.impressions}) {
          *counter = static_cast<std::int32_t>(rows.Int64());
        }
        state_.Apply(counted);
      }
      ++part;
    });
  }

  Status ReadFollows() {
    return InRanges({"boot_follows", "follows_cdc", "follower_id"}, [this](OlapRows& rows) {
      Follow follow;
      follow.follower = UserId{rows.Id()};
      for (std::size_t left = rows.ArraySize(); left > 0; --left) {
        follow.followee = UserId{rows.Id()};
        follow.created_at = rows.Int64();
        Apply(follow);
      }
    });
  }

  Status ReadInteractions() {
    const OlapParams params{{"oldest_day", std::to_string(state_.OldestDay())}};
    return InRanges({"boot_interactions", "user_author_90d", "user_id", params}, [this](OlapRows& rows) {
      InteractionCount interactions;
      interactions.user = UserId{rows.Id()};
      interactions.author = UserId{rows.Id()};
      interactions.day = rows.UInt16();
      interactions.count = rows.Int64();
      state_.Apply(interactions);
    });
  }

  // A row of the graph as it stands.
  void Apply(Row row) {
    Change change;
    change.op = ChangeOp::kRead;
    change.after = std::move(row);
    state_.Apply(change);
  }

  // Calls take(rows) for each row of the table, which it reads whole.
  template <class Take>
  Status InRanges(const RangedRead& read, const Take& take) {
    const Result<std::vector<std::string>> bounds = BoundsOf(read);
    if (!bounds) return tl::unexpected<Error>(bounds.error());
    std::vector<OlapParams> parts;
    std::string after(kLeast);
    for (const std::string& bound : *bounds) {
      parts.push_back(read.params);
      parts.back().insert(parts.back().end(),
                          {{"after", after}, {"up_to", bound}, {"is_first", parts.size() == 1 ? "1" : "0"}});
      after = bound;
    }
    return InParts(read.statement, parts, [&](OlapRows& rows) {
      for (; !rows.AtEnd(); ++taken_) take(rows);
    });
  }

  Result<std::vector<std::string>> BoundsOf(const RangedRead& read) {
    const std::size_t rows_at_once = read.rows_at_once > 0 ? read.rows_at_once : options_.rows_at_once;
    Result<OlapRows> rows = Ask(
        "boot_bounds",
        {{"table", std::string(read.table)}, {"key", std::string(read.key)}, {"rows", std::to_string(rows_at_once)}});
    if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
    std::vector<std::string> bounds;
    while (!rows->AtEnd()) bounds.push_back(rows->Id().ToString());
    if (bounds.empty() || bounds.back() != kGreatest) bounds.emplace_back(kGreatest);
    return bounds;
  }

  // Runs the statement once for each of the parameters, and calls take(rows) with the whole of each answer. The engine
  // works at the next one meanwhile.
  template <class Take>
  Status InParts(std::string_view statement, const std::vector<OlapParams>& parts, const Take& take) {
    std::future<Result<OlapRows>> coming;
    for (std::size_t next = 0; next <= parts.size(); ++next) {
      std::optional<Result<OlapRows>> rows;
      if (coming.valid()) rows = coming.get();
      if (rows && !*rows) return tl::unexpected<Error>(std::move(rows->error()));
      if (next < parts.size()) {
        coming = std::async(std::launch::async, [&, next] { return Ask(statement, parts[next]); });
      }
      if (!rows) continue;
      take(**rows);
      took_(taken_);
    }
    return {};
  }

  Result<OlapRows> Ask(std::string_view statement, const OlapParams& params) {
    OlapCall call;
    call.deadline = options_.deadline;
    return olap_->Query(WarehouseSql(statement), params, call);
  }

  Olap* const olap_;
  const WarehouseImageOptions& options_;
  IndexState& state_;
  const std::function<void(std::int64_t)>& took_;
  std::int64_t taken_ = 0;
};

}  // namespace

Status ReadWarehouseImage(Olap* olap, const WarehouseImageOptions& options, IndexState* state,
                          const std::function<void(std::int64_t rows)>& took) {
  try {
    return ImageReader(olap, options, state, took).ReadAll();
  } catch (const std::out_of_range& error) {
    return Fail(Failure::kInternal, "olap_error", error.what());
  }
}

}  // namespace novafeed
