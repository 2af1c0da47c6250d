// Writes the standard data set as import lines, in time order: standard_dataset --scale 1 --end MS > lines.ndjson
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "dataset.h"

namespace novafeed::bench {
namespace {

constexpr std::int64_t kMonthMs = 30LL * 24 * 3600 * 1000;

// Draws indices with probability proportional to 1 / rank^exponent, ranks dealt out by a seeded shuffle.
class PowerLaw {
 public:
  PowerLaw(std::uint32_t count, double exponent, const std::vector<std::uint32_t>& order) : order_(order) {
    cumulative_.reserve(count);
    double sum = 0;
    for (std::uint32_t rank = 1; rank <= count; ++rank) cumulative_.push_back(sum += std::pow(rank, -exponent));
  }
  std::uint32_t Draw(std::mt19937_64* random) const {
    const double at = std::uniform_real_distribution<double>(0, cumulative_.back())(*random);
    const auto rank = std::upper_bound(cumulative_.begin(), cumulative_.end(), at) - cumulative_.begin();
    return order_[std::min<std::size_t>(static_cast<std::size_t>(rank), order_.size() - 1)];
  }

 private:
  const std::vector<std::uint32_t>& order_;
  std::vector<double> cumulative_;
};

std::vector<std::uint32_t> Shuffled(std::uint32_t count, std::mt19937_64* random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), *random);
  return order;
}

enum class Kind : std::uint8_t { kUser, kFollow, kPost, kImpression, kView, kLike, kShare };

struct Line {
  std::int64_t at;
  std::uint32_t first;   // user or author
  std::uint32_t second;  // target or post
  Kind kind;
};

// Time order; at one time users come first, then follows and posts, then events.
bool Before(const Line& a, const Line& b) {
  return std::tie(a.at, a.kind, a.first, a.second) < std::tie(b.at, b.kind, b.first, b.second);
}

class Generator {
 public:
  Generator(Sizes sizes, std::int64_t end) : sizes_(sizes), end_(end), random_(kSeed) {}

  void Make() {
    // Authors who post much are followed much: one order serves both laws.
    const std::vector<std::uint32_t> author_order = Shuffled(sizes_.users, &random_);
    const std::vector<std::uint32_t> reader_order = Shuffled(sizes_.users, &random_);
    for (std::uint32_t user = 0; user < sizes_.users; ++user) Add(end_ - kMonthMs, user, 0, Kind::kUser);
    MakeFollows(PowerLaw(sizes_.users, kFollowingExponent, reader_order),
                PowerLaw(sizes_.users, kPopularityExponent, author_order));
    MakePosts(PowerLaw(sizes_.users, kPostingExponent, author_order));
    MakeEvents(PowerLaw(sizes_.users, kActivityExponent, reader_order));
    std::sort(lines_.begin(), lines_.end(), Before);
  }

  void Write() const {
    std::string out;
    for (const Line& line : lines_) {
      Append(line, &out);
      if (out.size() > 1 << 20) {
        std::fwrite(out.data(), 1, out.size(), stdout);
        out.clear();
      }
    }
    std::fwrite(out.data(), 1, out.size(), stdout);
  }

  // The posts that follow and affinity find for each user before the cuts, for the claim beside each figure.
  void Describe() const {
    std::vector<std::uint32_t> recent(sizes_.users), month(sizes_.users);
    for (std::uint32_t post = 0; post < post_author_.size(); ++post) {
      ++month[post_author_[post]];
      if (post_at_[post] > end_ - 72LL * 3600 * 1000) ++recent[post_author_[post]];
    }
    std::vector<std::uint64_t> found(sizes_.users);
    std::vector<std::unordered_set<std::uint32_t>> affine(sizes_.users);
    for (const Line& line : lines_) {
      if (line.kind == Kind::kFollow) found[line.first] += recent[line.second];
      if (line.kind == Kind::kLike || line.kind == Kind::kShare) affine[line.first].insert(post_author_[line.second]);
    }
    for (std::uint32_t user = 0; user < sizes_.users; ++user) {
      for (const std::uint32_t author : affine[user]) found[user] += author == user ? 0 : month[author];
    }
    std::sort(found.begin(), found.end());
    std::fprintf(
        stderr,
        "{\"seed\":%llu,\"users\":%u,\"posts\":%u,\"follows\":%u,\"events\":%u,\"exponents\":{\"posting\":%.2f,"
        "\"popularity\":%.2f,\"following\":%.2f,\"activity\":%.2f},\"candidates_before_cuts\":{\"p50\":%llu,"
        "\"p95\":%llu}}\n",
        static_cast<unsigned long long>(kSeed), sizes_.users, sizes_.posts, sizes_.follows, sizes_.events,
        kPostingExponent, kPopularityExponent, kFollowingExponent, kActivityExponent,
        static_cast<unsigned long long>(found[found.size() / 2]),
        static_cast<unsigned long long>(found[found.size() * 95 / 100]));
  }

 private:
  void Add(std::int64_t at, std::uint32_t first, std::uint32_t second, Kind kind) {
    lines_.push_back(Line{at, first, second, kind});
  }

  void MakeFollows(const PowerLaw& followers, const PowerLaw& followees) {
    std::unordered_set<std::uint64_t> known;
    known.reserve(sizes_.follows * 2);
    followees_.resize(sizes_.users);
    while (known.size() < sizes_.follows) {
      const std::uint32_t follower = followers.Draw(&random_);
      const std::uint32_t followee = followees.Draw(&random_);
      if (follower == followee || !known.insert(static_cast<std::uint64_t>(follower) << 32 | followee).second) continue;
      followees_[follower].push_back(followee);
      Add(end_ - kMonthMs, follower, followee, Kind::kFollow);
    }
  }

  void MakePosts(const PowerLaw& authors) {
    std::vector<std::vector<std::uint32_t>> by_author(sizes_.users);
    post_author_.reserve(sizes_.posts);
    for (std::uint32_t post = 0; post < sizes_.posts; ++post) {
      const std::uint32_t author = authors.Draw(&random_);
      const std::int64_t at = end_ - static_cast<std::int64_t>(random_() % kMonthMs);
      post_author_.push_back(author);
      post_at_.push_back(at);
      by_author[author].push_back(post);
      Add(at, author, post, Kind::kPost);
    }
    posts_of_ = std::move(by_author);
  }

  // A user sees posts of authors whom they follow (four in five) or of anybody, within two days of their writing.
  void MakeEvents(const PowerLaw& readers) {
    for (std::uint32_t made = 0; made < sizes_.events;) {
      const std::uint32_t user = readers.Draw(&random_);
      const std::uint32_t post = PostFor(user);
      const std::int64_t delay = static_cast<std::int64_t>(random_() % (48LL * 3600 * 1000));
      const std::int64_t at = std::min(post_at_[post] + delay, end_);
      const std::uint64_t dice = random_() % 100;
      const Kind kind = dice < 70   ? Kind::kImpression
                        : dice < 90 ? Kind::kView
                        : dice < 97 ? Kind::kLike
                                    : Kind::kShare;
      Add(at, user, post, kind);
      ++made;
    }
  }

  std::uint32_t PostFor(std::uint32_t user) {
    const std::vector<std::uint32_t>& followed = followees_[user];
    if (!followed.empty() && random_() % 5 != 0) {
      const std::vector<std::uint32_t>& posts = posts_of_[followed[random_() % followed.size()]];
      if (!posts.empty()) return posts[random_() % posts.size()];
    }
    return static_cast<std::uint32_t>(random_() % post_author_.size());
  }

  void Append(const Line& line, std::string* out) const {
    const auto field = [out](const char* name, const std::string& value) {
      out->append(",\"").append(name).append("\":\"").append(value).append("\"");
    };
    static constexpr const char* kTypes[] = {"user", "follow", "post", "impression", "view", "like", "share"};
    out->append("{\"type\":\"").append(kTypes[static_cast<int>(line.kind)]).append("\",\"at\":");
    out->append(std::to_string(line.at));
    switch (line.kind) {
      case Kind::kUser:
        field("id", NumberedId('u', line.first));
        field("handle", "user" + std::to_string(line.first));
        break;
      case Kind::kFollow:
        field("user", NumberedId('u', line.first));
        field("target", NumberedId('u', line.second));
        break;
      case Kind::kPost:
        field("id", NumberedId('p', line.second));
        field("author", NumberedId('u', line.first));
        field("text", "Post number " + std::to_string(line.second) + " of the standard data set, of ordinary length.");
        break;
      default:
        field("user", NumberedId('u', line.first));
        field("post", NumberedId('p', line.second));
    }
    out->append("}\n");
  }

  Sizes sizes_;
  std::int64_t end_;
  std::mt19937_64 random_;
  std::vector<Line> lines_;
  std::vector<std::vector<std::uint32_t>> followees_;
  std::vector<std::vector<std::uint32_t>> posts_of_;
  std::vector<std::uint32_t> post_author_;
  std::vector<std::int64_t> post_at_;
};

}  // namespace
}  // namespace novafeed::bench

int main(int argc, char** argv) {
  double scale = 1;
  long long end = 0;
  bool describe_only = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--scale") == 0 && i + 1 < argc) {
      scale = std::atof(argv[++i]);
    } else if (std::strcmp(argv[i], "--end") == 0 && i + 1 < argc) {
      end = std::atoll(argv[++i]);
    } else if (std::strcmp(argv[i], "--describe") == 0) {
      describe_only = true;
    } else {
      std::fprintf(stderr, "Usage: standard_dataset --end MS [--scale 1] [--describe] > lines.ndjson\n");
      return 2;
    }
  }
  novafeed::bench::Generator generator(novafeed::bench::Sizes::Scaled(scale), end);
  generator.Make();
  generator.Describe();
  if (!describe_only) generator.Write();
  return 0;
}
