// What posts say, from the graph: for an engine that answers without the index.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "graph/store.h"
#include "timeline/post_contents.h"

namespace novafeed {

// Blocking; throws StoreError.
class GraphContents final : public PostContents {
 public:
  // `graph` outlives this.
  explicit GraphContents(GraphStore* graph) : graph_(graph) {}

  std::vector<std::optional<PostContent>> Of(std::span<const PostId> posts) const override {
    std::vector<std::optional<PostContent>> contents;
    contents.reserve(posts.size());
    for (const PostId& id : posts) {
      std::optional<Post> post = graph_->GetPost(id);
      const bool is_there = post && !post->deleted_at;
      contents.push_back(
          is_there ? std::optional(PostContent{post->id, std::move(post->external_id), std::move(post->text), true})
                   : std::nullopt);
    }
    return contents;
  }

 private:
  GraphStore* graph_;
};

}  // namespace novafeed
