// Writes the posts and comments of the demo network: sentence patterns filled from demo/vocabulary.h.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "demo/random.h"

namespace novafeed {

// What a post wants, which decides what people answer.
enum class PostKind { kReport, kQuestion, kAdvice, kPlan };

// A post's text and what a fitting comment must know of it.
struct WrittenPost {
  std::string text;
  PostKind kind = PostKind::kReport;
  std::size_t topic = 0;   // index in Topics()
  std::string_view thing;  // what it is about, of the topic's things
};

// The same draws from `random` give the same texts. One owner, no locking; `random` must outlive it.
class DemoWriter {
 public:
  explicit DemoWriter(DemoRandom* random) : random_(random) {}

  // Never the same text twice.
  WrittenPost WritePost(std::size_t topic);
  std::string WriteComment(const WrittenPost& post);

 private:
  WrittenPost Draft(std::size_t topic);
  std::string Fill(std::string_view pattern, const WrittenPost& post);
  // One of `words` that `text` does not hold yet: no sentence says the same thing twice.
  std::string_view DrawUnused(std::span<const std::string_view> words, std::string_view text);

  DemoRandom* random_;
  std::unordered_set<std::string> written_;
};

}  // namespace novafeed
