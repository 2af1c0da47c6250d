#include "index/snapshot.h"

#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <type_traits>
#include <utility>

#include "base/folder.h"
#include "index/state.h"

namespace novafeed {
namespace {

constexpr std::uint64_t kMagic = 0x3158444e49564f4eULL;  // "NOVINDX1"
constexpr std::uint64_t kEnd = 0x444e45584449564eULL;
// Raised whenever the layout below changes: an older file is then ignored, never misread.
constexpr std::uint32_t kVersion = 3;
constexpr std::size_t kBuffer = 1 << 20;

// How far the clock may have gone back since the snapshot was made; the windows carry more slack than that.
constexpr TimeMs kClockSlack = 5 * 60 * kMsPerSecond;

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileClose>;

// Fields are written in the byte order of the machine: the file never leaves its data directory.
class Writer {
 public:
  explicit Writer(std::string* out) : out_(out) {}

  void Bytes(const void* data, std::size_t size) {
    if (size > 0) out_->append(static_cast<const char*>(data), size);
  }
  template <class T>
  void Value(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    Bytes(&value, sizeof value);
  }
  template <class T>
  void Vector(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    Value(static_cast<std::uint64_t>(values.size()));
    Bytes(values.data(), values.size() * sizeof(T));
  }
  void Text(std::string_view text) {
    Value(static_cast<std::uint32_t>(text.size()));
    Bytes(text.data(), text.size());
  }

 private:
  std::string* out_;
};

struct BrokenFile {};

class Reader {
 public:
  Reader(std::FILE* file, std::uint64_t size) : file_(file), left_(size) {}

  void Bytes(void* data, std::size_t size) {
    if (size == 0) return;
    if (size > left_ || std::fread(data, 1, size, file_) != size) throw BrokenFile();
    left_ -= size;
    crc_ = crc32_z(crc_, static_cast<const Bytef*>(data), size);
  }
  template <class T>
  T Value() {
    T value;
    Bytes(&value, sizeof value);
    return value;
  }
  // A count of things that take at least `each` bytes in what is left: a broken count cannot ask for all memory.
  std::size_t Count(std::size_t each) {
    const auto count = Value<std::uint64_t>();
    if (count > left_ / each) throw BrokenFile();
    return count;
  }
  template <class T>
  std::vector<T> Vector() {
    std::vector<T> values(Count(sizeof(T)));
    Bytes(values.data(), values.size() * sizeof(T));
    return values;
  }
  bool Flag() {
    const auto byte = Value<std::uint8_t>();
    if (byte > 1) throw BrokenFile();
    return byte == 1;
  }
  std::string Text() {
    const auto size = Value<std::uint32_t>();
    if (size > left_) throw BrokenFile();
    std::string text(size, '\0');
    Bytes(text.data(), size);
    return text;
  }
  std::uint64_t crc() const { return crc_; }

 private:
  std::FILE* file_;
  std::uint64_t left_;
  uLong crc_ = 0;
};

// --- One function writes and one reads each part; they stand in pairs.

void WriteHead(Writer* out, const IndexState& state) {
  out->Value(kMagic);
  out->Value(kVersion);
  out->Text(state.position.generation);
  out->Value(state.position.changes);
  out->Value(state.position.events);
  out->Value(state.anchor);
  out->Value(state.content_from_hour);
}

struct Head {
  std::uint64_t magic = 0;
  std::uint32_t version = 0;
  Position position;
  TimeMs anchor = 0;
  std::int64_t content_from_hour = 0;
};

Head ReadHead(Reader* in) {
  Head head;
  head.magic = in->Value<std::uint64_t>();
  head.version = in->Value<std::uint32_t>();
  if (head.magic != kMagic || head.version != kVersion) return head;
  head.position.generation = in->Text();
  head.position.changes = in->Value<std::int64_t>();
  head.position.events = in->Value<EventPoints>();
  head.anchor = in->Value<TimeMs>();
  head.content_from_hour = in->Value<std::int64_t>();
  return head;
}

void WriteUsers(Writer* out, const IndexState& state) {
  out->Value(static_cast<std::uint64_t>(state.users.size()));
  for (const UserSlot& user : state.users) {
    out->Value(user.id);
    out->Value(user.known);
    out->Vector(user.following);
    out->Vector(user.followed_at);
    out->Vector(user.followers);
    out->Vector(user.posts);
    out->Vector(user.interactions);
  }
}

void ReadUsers(Reader* in, IndexState* state) {
  const std::size_t count = in->Count(sizeof(UserId));
  state->users.resize(count);
  state->user_refs.reserve(count);
  std::vector<std::uint32_t> followers;
  followers.reserve(count);
  for (UserRef ref = 0; ref < count; ++ref) {
    UserSlot& user = state->users[ref];
    user.id = in->Value<UserId>();
    user.known = in->Flag();
    user.following = in->Vector<UserRef>();
    user.followed_at = in->Vector<TimeMs>();
    user.followers = in->Vector<UserRef>();
    user.posts = in->Vector<PostRef>();
    user.interactions = in->Vector<DayInteractions>();
    state->follow_count += user.following.size();
    state->user_refs.emplace(user.id, ref);
    followers.push_back(static_cast<std::uint32_t>(user.followers.size()));
  }
  state->popularity.Assign(followers);
}

void WritePosts(Writer* out, const IndexState& state) {
  out->Value(static_cast<std::uint64_t>(state.posts.size()));
  for (const PostSlot& post : state.posts) {
    out->Value(post.id);
    out->Value(post.created_at);
    out->Value(post.author);
    out->Value(post.known);
    out->Value(post.deleted);
    for (const std::uint32_t total : {post.likes, post.comments, post.shares, post.impressions, post.views}) {
      out->Value(total);
    }
    out->Value(static_cast<bool>(post.content));
    if (post.content) {
      out->Text(post.content.external_id());
      out->Text(post.content.text());
    }
  }
}

void ReadPosts(Reader* in, IndexState* state) {
  const std::size_t count = in->Count(sizeof(PostId));
  state->posts.resize(count);
  state->post_refs.reserve(count);
  for (PostRef ref = 0; ref < count; ++ref) {
    PostSlot& post = state->posts[ref];
    post.id = in->Value<PostId>();
    post.created_at = in->Value<TimeMs>();
    post.author = in->Value<UserRef>();
    post.known = in->Flag();
    post.deleted = in->Flag();
    for (std::uint32_t* total : {&post.likes, &post.comments, &post.shares, &post.impressions, &post.views}) {
      *total = in->Value<std::uint32_t>();
    }
    if (in->Flag()) {
      const std::string external_id = in->Text();
      post.content = PackedContent(external_id, in->Text());
    }
    state->post_refs.emplace(post.id, ref);
  }
}

void WriteWindows(Writer* out, const IndexState& state) {
  out->Value(static_cast<std::uint64_t>(state.posts_by_hour.size()));
  for (const auto& [hour, posts] : state.posts_by_hour) {
    out->Value(hour);
    out->Vector(posts);
  }
  out->Value(static_cast<std::uint64_t>(state.hours.size()));
  for (const auto& [hour, table] : state.hours) {
    out->Value(hour);
    out->Value(static_cast<std::uint64_t>(table.size()));
    for (const auto& [post, counts] : table) {
      out->Value(post);
      out->Value(counts);
    }
  }
}

void ReadWindows(Reader* in, IndexState* state) {
  for (std::size_t left = in->Count(sizeof(std::int64_t)); left > 0; --left) {
    const auto hour = in->Value<std::int64_t>();
    state->posts_by_hour[hour] = in->Vector<PostRef>();
  }
  for (std::size_t left = in->Count(sizeof(std::int64_t)); left > 0; --left) {
    HourTable& table = state->hours[in->Value<std::int64_t>()];
    for (std::size_t entries = in->Count(sizeof(PostRef) + sizeof(HourCounts)); entries > 0; --entries) {
      const auto post = in->Value<PostRef>();
      table[post] = in->Value<HourCounts>();
    }
  }
}

void WriteAll(Writer* out, const IndexState& state) {
  WriteHead(out, state);
  WriteUsers(out, state);
  WritePosts(out, state);
  WriteWindows(out, state);
  out->Value(kEnd);
}

std::uint64_t ChecksumOf(std::string_view bytes) {
  return crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

void ReadBody(Reader* in, IndexState* state) {
  ReadUsers(in, state);
  ReadPosts(in, state);
  ReadWindows(in, state);
  if (in->Value<std::uint64_t>() != kEnd) throw BrokenFile();
  const std::uint64_t crc = in->crc();
  if (in->Value<std::uint64_t>() != crc) throw BrokenFile();
}

tl::unexpected<Error> WriteFailure(const std::string& path, int error) {
  const std::string detail = "The index snapshot " + path + " could not be written: " + std::strerror(error) + ".";
  if (error == ENOSPC || error == EDQUOT) return Fail(Failure::kStorageFull, "disk_full", detail);
  return Fail(Failure::kInternal, "snapshot_failed", detail);
}

}  // namespace

Result<Position> SaveSnapshot(const FeedIndex& index, const std::string& path) {
  // Memory is copied while the index's writer waits; the disk is not.
  std::string bytes;
  const Position position = index.ReadLong([&bytes](const IndexState& state) {
    Writer out(&bytes);
    WriteAll(&out, state);
    return state.position;
  });
  Writer(&bytes).Value(ChecksumOf(bytes));

  const std::string temporary = path + ".new";
  File file(std::fopen(temporary.c_str(), "wbe"));
  if (!file) return WriteFailure(path, errno);
  errno = 0;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size() || std::fflush(file.get()) != 0 ||
      ::fsync(::fileno(file.get())) != 0) {
    const int error = errno;
    std::filesystem::remove(temporary);
    return WriteFailure(path, error);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return WriteFailure(path, errno);
  SyncFolder(std::filesystem::path(path).parent_path());
  return position;
}

Result<std::unique_ptr<FeedIndex>> LoadSnapshot(const std::string& path, const std::string& generation, TimeMs now) {
  const File file(std::fopen(path.c_str(), "rbe"));
  if (!file) return Fail(Failure::kNotFound, "no_snapshot", "There is no index snapshot at " + path + ".");
  std::setvbuf(file.get(), nullptr, _IOFBF, kBuffer);
  try {
    Reader in(file.get(), std::filesystem::file_size(path));
    const Head head = ReadHead(&in);
    if (head.magic != kMagic || head.version != kVersion || head.position.generation != generation ||
        now < head.anchor - kClockSlack) {
      return Fail(Failure::kConflict, "stale_snapshot",
                  "The index snapshot " + path + " is of another data set, version or time.");
    }
    auto index = std::make_unique<FeedIndex>(generation, head.anchor);
    IndexState& state = index->StateForBoot();
    state.position = head.position;
    state.content_from_hour = head.content_from_hour;
    ReadBody(&in, &state);
    return index;
  } catch (const BrokenFile&) {
    return Fail(Failure::kInternal, "broken_snapshot", "The index snapshot " + path + " is cut or changed.");
  } catch (const std::exception& error) {
    return Fail(Failure::kInternal, "broken_snapshot",
                "The index snapshot " + path + " could not be read: " + error.what());
  }
}

}  // namespace novafeed
