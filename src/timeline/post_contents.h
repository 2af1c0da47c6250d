// What posts say, for pages: from the index, or from wherever an engine that works without it may look.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "index/feed_index.h"
#include "social/ids.h"

namespace novafeed {

// Port. Thread-safe; one that blocks belongs to an engine that blocks.
class PostContents {
 public:
  virtual ~PostContents() = default;

  // In the order asked; empty for posts that are unknown or deleted. Throws StoreError where a store fails.
  virtual std::vector<std::optional<PostContent>> Of(std::span<const PostId> posts) const = 0;
};

class IndexContents final : public PostContents {
 public:
  // `index` outlives this.
  explicit IndexContents(const FeedIndex* index) : index_(index) {}

  std::vector<std::optional<PostContent>> Of(std::span<const PostId> posts) const override {
    return index_->ContentOf(posts);
  }

 private:
  const FeedIndex* index_;
};

}  // namespace novafeed
