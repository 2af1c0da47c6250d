#include "timeline/kept_page.h"

#include <cstdint>

#include "social/byte_codec.h"

namespace novafeed {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kMaxPosts = 100;  // of the greatest page

template <class Coder, class Page>
void CodePage(Coder& coder, Page& page) {
  coder.Code(page.as_of, page.trending_as_of, page.chosen_as_of, page.counters_as_of, page.ends_at,
             page.position.generation, page.position.changes, page.position.events);
}

template <class Coder, class Post>
void CodePost(Coder& coder, Post& post) {
  coder.Code(post.id, post.author, post.created_at, post.counters.likes, post.counters.comments, post.counters.shares,
             post.counters.impressions, post.interactions);
}

}  // namespace

std::string EncodeKeptPage(const KeptPage& page) {
  std::string bytes;
  ByteWriter writer(kVersion, &bytes);
  CodePage(writer, page);
  writer.Code(std::int64_t{page.more});
  writer.CodeList(page.posts, [&](const Candidate& post) {
    CodePost(writer, post);
    writer.Code(static_cast<std::int64_t>(post.source));
  });
  return bytes;
}

Result<KeptPage> DecodeKeptPage(std::string_view bytes) {
  KeptPage page;
  std::int64_t more = 0;
  ByteReader reader(kVersion, bytes);
  CodePage(reader, page);
  reader.Code(more);
  page.more = more != 0;
  reader.CodeList(kMaxPosts, &page.posts, [&](Candidate& post) {
    std::int64_t source = 0;
    CodePost(reader, post);
    reader.Code(source);
    post.source = static_cast<Source>(source);
    if (source < 0 || post.source > Source::kFallback) reader.Refuse();
  });
  if (!reader.ReadAll()) return Fail(Failure::kInternal, "bad_cached", "not a page of this version");
  return page;
}

}  // namespace novafeed
