// A small believable network for `serve --demo`: communities with their topics, a few people whom many follow, posts
// with comments that fit, day and night, and enough impressions that engagement rates mean something. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/time.h"
#include "import/actions.h"

namespace novafeed {

struct DemoOptions {
  std::uint64_t seed = 1;
  TimeMs now = 0;           // nothing is later; the newest post is a few minutes older
  std::size_t users = 200;  // at most 1,500: there are only so many names
  std::size_t posts = 2500;
  int days = 30;  // how far back the posts reach; users and follows begin a little before them
};

// Gives `take` every action, in the order of their times. The same options give the same actions.
// Ids are external ids: "demo-<handle>", "demo-post-<n>", "demo-comment-<n>"; events have none.
// About 80,000 actions with the defaults, made within a second.
void GenerateDemoNetwork(const DemoOptions& options, const std::function<void(const ImportAction&)>& take);

}  // namespace novafeed
