#include "timeline/kept_page.h"

#include "social/byte_codec.h"
#include "stream/code_position.h"

namespace novafeed {
namespace {

constexpr char kVersion = 2;

template <class Coder, class Page>
void CodePage(Coder& coder, Page& page) {
  coder.Code(page.as_of, page.trending_as_of, page.chosen_as_of, page.counters_as_of, page.ends_at);
  CodePosition(coder, page.position);
  coder.CodeList(kMaxPage, page.posts, [&coder](auto& post) {
    coder.Code(post.id, post.author, post.created_at, post.counters.likes, post.counters.comments, post.counters.shares,
               post.counters.impressions, post.interactions);
    coder.CodeEnum(post.source, Source::kFallback);
  });
}

}  // namespace

std::string EncodeKeptPage(const KeptPage& page) {
  std::string bytes;
  ByteWriter writer(kVersion, &bytes);
  CodePage(writer, page);
  return bytes;
}

Result<KeptPage> DecodeKeptPage(std::string_view bytes) {
  KeptPage page;
  ByteReader reader(kVersion, bytes);
  CodePage(reader, page);
  if (!reader.ReadAll()) return Fail(Failure::kInternal, "bad_cached", "not a page of this version");
  return page;
}

}  // namespace novafeed
