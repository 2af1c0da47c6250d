// Writes the posts and comments of the demo network: sentence patterns filled from demo/vocabulary.h; and reads posts,
// so that a comment fits what it answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "demo/random.h"

namespace novafeed {

// What a post wants, which decides what people answer.
enum class PostKind : std::uint8_t { kReport, kQuestion, kAdvice, kPlan };

// What a post says, as far as an answer must know it. The words are those of the vocabulary.
struct PostGist {
  PostKind kind = PostKind::kReport;
  std::size_t topic = 0;     // index in Topics()
  std::string_view thing;    // that it names; empty where it names none
  std::string_view problem;  // that it complains of; empty likewise
};

// The gist of a post that a DemoWriter wrote; empty for any other text. Pure.
std::optional<PostGist> ReadPost(std::string_view text);

// The same draws from `random` give the same texts. One owner, no locking; `random` must outlive it.
class DemoWriter {
 public:
  explicit DemoWriter(DemoRandom* random) : random_(random) {}

  // A text that is none of the last kRemembered.
  std::string WritePost(std::size_t topic);
  // Fits any post, and what a DemoWriter wrote best.
  std::string WriteComment(std::string_view post);

  static constexpr std::size_t kRemembered = 20'000;

 private:
  std::string Draft(std::size_t topic);
  std::string Fill(std::string_view pattern, const PostGist& gist, std::string_view answered);
  // One of `words` that neither text holds yet: nobody says the same thing twice, or what they were just told.
  std::string_view DrawUnused(std::span<const std::string_view> words, std::string_view text,
                              std::string_view answered);

  DemoRandom* random_;
  std::unordered_set<std::string> written_;
};

}  // namespace novafeed
