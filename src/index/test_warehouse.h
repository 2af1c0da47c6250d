// For tests: a warehouse in memory that answers the statements of the boot as the engine does, from a fold of its own
// of the log. That the SQL says the same is tested on the engine itself (app/warehouse_boot_test.cpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "index/state.h"
#include "index/test_log.h"
#include "warehouse/olap.h"
#include "warehouse/sql.h"

namespace novafeed::testing {

// Writes RowBinary.
class RowWriter {
 public:
  RowWriter& Id(const Uuid& id) {
    std::string bytes(id.bytes.begin(), id.bytes.end());
    std::reverse(bytes.begin(), bytes.begin() + 8);
    std::reverse(bytes.begin() + 8, bytes.end());
    bytes_ += bytes;
    return *this;
  }
  template <class T>
  RowWriter& Number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  RowWriter& Size(std::size_t size) {
    for (; size >= 0x80; size >>= 7) bytes_.push_back(static_cast<char>(size | 0x80));
    bytes_.push_back(static_cast<char>(size));
    return *this;
  }
  RowWriter& Text(std::string_view text) {
    Size(text.size());
    bytes_ += text;
    return *this;
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// likes, comments, shares, impressions, views
using Counters = std::array<std::int64_t, 5>;

// What the tables hold: what the index boots from, and once more what the sample counts.
struct ModelTables {
  std::set<UserId> users;
  std::map<PostId, Post> posts;
  std::map<std::pair<UserId, UserId>, TimeMs> follows;  // follower, followee; since when
  std::map<PostId, Counters> counters;
  std::map<std::pair<std::int64_t, PostId>, Counters> hours;
  std::map<std::tuple<UserId, UserId, std::int64_t>, std::int64_t> interactions;

  void Take(const Change& change) {
    const Row& row = change.Latest();
    const int sign = change.op == ChangeOp::kDelete ? -1 : change.op == ChangeOp::kUpdate ? 0 : 1;
    if (const auto* user = std::get_if<User>(&row)) {
      sign < 0 ? (void)users.erase(user->id) : (void)users.insert(user->id);
    } else if (const auto* post = std::get_if<Post>(&row)) {
      posts[post->id] = *post;
    } else if (const auto* follow = std::get_if<Follow>(&row)) {
      const std::pair key(follow->follower, follow->followee);
      sign < 0 ? (void)follows.erase(key) : (void)follows.emplace(key, follow->created_at);
    } else if (const auto* like = std::get_if<Like>(&row)) {
      Count(like->user, like->post, like->post_author, like->created_at, 0, true, sign);
    } else if (const auto* comment = std::get_if<Comment>(&row)) {
      Count(comment->user, comment->post, comment->post_author, comment->created_at, 1, true, sign);
    }
  }
  void Take(const LoggedEvent& logged) {
    const Event& event = logged.event;
    const int counter = event.type == EventType::kShare        ? 2
                        : event.type == EventType::kImpression ? 3
                        : event.type == EventType::kView       ? 4
                                                               : -1;
    if (counter >= 0) Count(event.user, event.post, event.post_author, event.at, counter, counter == 2, 1);
  }

 private:
  void Count(UserId user, PostId post, UserId author, TimeMs at, int counter, bool is_interaction, int sign) {
    counters[post][static_cast<std::size_t>(counter)] += sign;
    hours[{HourOf(at), post}][static_cast<std::size_t>(counter)] += sign;
    if (is_interaction && user != author) interactions[{user, author, DayOf(at)}] += sign;
  }
};

class ModelWarehouse final : public Olap {
 public:
  // Everything that is in the log.
  explicit ModelWarehouse(TestLog* log) {
    for (const Change& change : log->Read(0, 1'000'000)) rows.Take(change);
    for (const LoggedEvent& event : log->events.Read({}, 1'000'000)) rows.Take(event);
    sampled = rows;
    position = {"g", log->End(), log->events.End()};
  }

  ModelTables rows;     // what the index boots from
  ModelTables sampled;  // what the sample is counted from
  Position position;
  std::set<std::string, std::less<>> failing;  // names of statements that are answered with an error
  std::size_t bound_every = 3;                 // keys of one range
  int holds = 0;                               // cuts that are held now

  Result<OlapRows> Query(std::string_view sql, const OlapParams& params, const OlapCall& /*call*/) override {
    for (const SqlScript& script : WarehouseStatements()) {
      const std::string_view name = script.name.substr(0, script.name.size() - 4);
      if (script.text != sql) continue;
      if (failing.contains(name)) return Fail(Failure::kUnavailable, "olap_unavailable", "It is away.");
      params_ = {params.begin(), params.end()};
      return OlapRows(Answer(name));
    }
    throw std::logic_error("A statement that is in no file.");
  }
  Status Execute(std::string_view, const OlapParams&, const OlapCall&) override { throw std::logic_error("Execute"); }
  Status Insert(std::string_view, std::string_view, std::string_view, const OlapCall&) override {
    throw std::logic_error("Insert");
  }

 private:
  std::string Answer(std::string_view name) {
    if (name == "boot_bounds") return Bounds();
    if (name == "boot_post_bytes") return RowWriter().Number(std::uint64_t{100}).Take();
    if (name == "boot_users") {
      return Select(
          rows.users, [&](UserId id) { return InRange(id.value); },
          [](UserId id, RowWriter& out) { out.Id(id.value); });
    }
    if (name == "boot_posts") {
      const auto wanted = [&](const auto& entry) { return InRange(entry.first.value); };
      return Select(rows.posts, wanted, [&](const auto& entry, RowWriter& out) {
        const Post& post = entry.second;
        const bool has_content = post.created_at > Int("content_after") && !post.deleted_at;
        out.Id(post.id.value).Id(post.author.value).Number(post.created_at);
        out.Number<std::uint8_t>(post.deleted_at ? 1 : 0).Number<std::uint8_t>(has_content ? 1 : 0);
        out.Text(has_content ? post.external_id.value_or("") : "").Text(has_content ? post.text : "");
      });
    }
    if (name == "boot_follows") {
      std::map<UserId, std::vector<std::pair<UserId, TimeMs>>> lists;
      for (const auto& [pair, at] : rows.follows) lists[pair.first].emplace_back(pair.second, at);
      const auto wanted = [&](const auto& entry) { return InRange(entry.first.value); };
      return Select(lists, wanted, [](const auto& entry, RowWriter& out) {
        out.Id(entry.first.value).Size(entry.second.size());
        for (const auto& [followee, at] : entry.second) out.Id(followee.value).Number(at);
      });
    }
    if (name == "boot_counters") {
      const auto wanted = [&](const auto& entry) { return InRange(AuthorOf(entry.first)); };
      return Select(rows.counters, wanted, [](const auto& entry, RowWriter& out) {
        out.Id(entry.first.value);
        for (const std::int64_t counter : entry.second) out.Number(counter);
      });
    }
    if (name == "boot_hours") {
      std::set<std::int64_t> hours;
      for (const auto& [key, counters] : rows.hours) hours.insert(key.first);
      const auto wanted = [&](std::int64_t hour) { return hour * 3600 >= Int("oldest_hour_seconds"); };
      return Select(hours, wanted,
                    [](std::int64_t hour, RowWriter& out) { out.Number(static_cast<std::uint32_t>(hour * 3600)); });
    }
    if (name == "boot_hour_counters") {
      const auto wanted = [&](const auto& entry) { return entry.first.first * 3600 == Int("hour_seconds"); };
      return Select(rows.hours, wanted, [](const auto& entry, RowWriter& out) {
        out.Id(entry.first.second.value);
        for (std::size_t i = 0; i < 4; ++i) out.Number(entry.second.at(i));
      });
    }
    if (name == "boot_interactions") {
      return Interactions(rows, [&](UserId user) { return InRange(user.value); });
    }
    return SampleAnswer(name);
  }

  std::string SampleAnswer(std::string_view name) {
    if (name == "sample_counts") {
      const auto is_live = [](const auto& entry) { return !entry.second.deleted_at; };
      const auto live = std::count_if(sampled.posts.begin(), sampled.posts.end(), is_live);
      RowWriter out;
      out.Text("users").Number(static_cast<std::int64_t>(sampled.users.size()));
      out.Text("live posts").Number(static_cast<std::int64_t>(live));
      out.Text("follows").Number(static_cast<std::int64_t>(sampled.follows.size()));
      return out.Take();
    }
    if (name == "sample_follows") {
      const auto wanted = [&](const auto& follow) {
        return Named("users", follow.first.first) || Named("users", follow.first.second);
      };
      return Select(sampled.follows, wanted, [](const auto& follow, RowWriter& out) {
        out.Id(follow.first.first.value).Id(follow.first.second.value).Number(follow.second);
      });
    }
    if (name == "sample_interactions") {
      return Interactions(sampled, [&](UserId user) { return Named("users", user); });
    }
    if (name == "sample_posts") {
      const auto wanted = [&](const auto& entry) { return Named("posts", entry.first); };
      return Select(sampled.posts, wanted, [&](const auto& entry, RowWriter& out) {
        const Post& post = entry.second;
        out.Id(post.id.value).Id(post.author.value).Number(post.created_at);
        out.Number<std::uint8_t>(post.deleted_at ? 1 : 0);
        for (const std::int64_t counter : sampled.counters[post.id]) out.Number(counter);
      });
    }
    if (name == "sample_hours") {
      const auto wanted = [&](const auto& entry) {
        return Named("posts", entry.first.second) && entry.first.first * 3600 >= Int("oldest_hour_seconds");
      };
      return Select(sampled.hours, wanted, [](const auto& entry, RowWriter& out) {
        out.Id(entry.first.second.value).Number(static_cast<std::uint32_t>(entry.first.first * 3600));
        for (std::size_t i = 0; i < 4; ++i) out.Number(entry.second.at(i));
      });
    }
    throw std::logic_error("No answer for " + std::string(name));
  }

  template <class Table, class Wanted, class Write>
  static std::string Select(const Table& table, const Wanted& wanted, const Write& write) {
    RowWriter out;
    for (const auto& entry : table) {
      if (wanted(entry)) write(entry, out);
    }
    return out.Take();
  }

  template <class Wanted>
  std::string Interactions(const ModelTables& tables, const Wanted& wanted) {
    const auto in_days = [&](const auto& entry) {
      return wanted(std::get<0>(entry.first)) && std::get<2>(entry.first) >= Int("oldest_day");
    };
    return Select(tables.interactions, in_days, [](const auto& entry, RowWriter& out) {
      const auto& [user, author, day] = entry.first;
      out.Id(user.value).Id(author.value).Number(static_cast<std::uint16_t>(day)).Number(entry.second);
    });
  }

  // Every so many keys of the table.
  std::string Bounds() {
    std::set<Uuid> keys;
    const std::string& table = params_.at("table");
    if (table == "users_cdc") {
      for (const UserId id : rows.users) keys.insert(id.value);
    } else if (table == "posts_cdc") {
      for (const auto& [id, post] : rows.posts) keys.insert(id.value);
    } else if (table == "follows_cdc") {
      for (const auto& [pair, at] : rows.follows) keys.insert(pair.first.value);
    } else if (table == "post_counters") {
      for (const auto& [id, post] : rows.posts) keys.insert(post.author.value);
    } else {
      for (const auto& [key, count] : rows.interactions) keys.insert(std::get<0>(key).value);
    }
    std::size_t number = 0;
    return Select(
        keys, [&](const Uuid&) { return ++number % bound_every == 0; },
        [](const Uuid& key, RowWriter& out) { out.Id(key); });
  }

  std::int64_t Int(const char* name) const { return std::stoll(params_.at(name)); }
  bool InRange(const Uuid& key) const {
    const std::string text = key.ToString();
    return (text > params_.at("after") || (params_.at("is_first") == "1" && text == params_.at("after"))) &&
           text <= params_.at("up_to");
  }
  template <class Id>
  bool Named(const char* list, const Id& id) const {
    return params_.at(list).find("'" + id.ToString() + "'") != std::string::npos;
  }
  Uuid AuthorOf(PostId post) const { return sampled.posts.at(post).author.value; }

  std::map<std::string, std::string> params_;
};

}  // namespace novafeed::testing
