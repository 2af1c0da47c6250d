// A small believable network for `serve --demo`: communities with their topics, a few people whom many follow, posts
// with comments that fit, day and night, and enough impressions that engagement rates mean something. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/time.h"
#include "demo/people.h"
#include "import/actions.h"

namespace novafeed {

struct DemoOptions {
  std::uint64_t seed = 1;
  TimeMs now = 0;           // nothing is later; the newest post is a few minutes older
  std::size_t users = 200;  // kFewestDemoUsers to kMostDemoUsers
  std::size_t posts = 2500;
  int days = 30;  // how far back the posts reach; users and follows begin a little before them
};

// A network of this size, as of `now`: posts in proportion to its people.
inline DemoOptions DemoOptionsFor(std::uint64_t seed, std::size_t users, TimeMs now) {
  DemoOptions options;
  options.seed = seed;
  options.now = now;
  options.posts = users * options.posts / options.users;
  options.users = users;
  return options;
}

// The external id of a network's n-th post, from 1 on, in the order in which they are made up.
std::string DemoPostName(std::size_t number);

// When this person's account was made.
TimeMs JoinedAt(const DemoPerson& person, const DemoOptions& options);

// Gives `take` every action, in the order of their times. The same options give the same actions.
// Ids are external ids: "demo-<handle>", "demo-post-<n>", "demo-comment-<n>"; events have none.
// About 115,000 actions with the defaults, made within a second.
void GenerateDemoNetwork(const DemoOptions& options, const std::function<void(const ImportAction&)>& take);

}  // namespace novafeed
