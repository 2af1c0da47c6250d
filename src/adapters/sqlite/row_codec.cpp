#include "adapters/sqlite/row_codec.h"

#include <cstring>

namespace novafeed::sqlite {
namespace {

constexpr char kVersion = 1;

// The one list of fields, for both directions: `Coder` is a Writer or a Reader.
template <class Coder, class RowType>
void CodeUser(Coder& coder, RowType& row) {
  coder.Code(row.id, row.external_id, row.handle, row.name, row.created_at);
}
template <class Coder, class RowType>
void CodePost(Coder& coder, RowType& row) {
  coder.Code(row.id, row.external_id, row.author, row.text, row.created_at, row.deleted_at);
}
template <class Coder, class RowType>
void CodeComment(Coder& coder, RowType& row) {
  coder.Code(row.id, row.external_id, row.post, row.user, row.post_author, row.post_created_at, row.text,
             row.created_at, row.incarnation);
}
template <class Coder, class RowType>
void CodeLike(Coder& coder, RowType& row) {
  coder.Code(row.user, row.post, row.post_author, row.post_created_at, row.created_at, row.incarnation);
}
template <class Coder, class RowType>
void CodeFollow(Coder& coder, RowType& row) {
  coder.Code(row.follower, row.followee, row.created_at, row.incarnation);
}

class Writer {
 public:
  explicit Writer(std::string* bytes) : bytes_(bytes) { bytes_->assign(1, kVersion); }

  template <class... Fields>
  void Code(const Fields&... fields) {
    (Put(fields), ...);
  }

 private:
  void PutVarint(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_->push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    bytes_->push_back(static_cast<char>(value));
  }
  void Put(std::int64_t value) {
    PutVarint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void Put(const std::string& text) {
    PutVarint(text.size());
    bytes_->append(text);
  }
  template <class Tag>
  void Put(const StrongId<Tag>& id) {
    bytes_->append(reinterpret_cast<const char*>(id.value.bytes.data()), id.value.bytes.size());
  }
  template <class T>
  void Put(const std::optional<T>& value) {
    bytes_->push_back(value ? 1 : 0);
    if (value) {
      Put(*value);
    }
  }

  std::string* bytes_;
};

// Reads until something does not fit; then every further read does nothing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) { ok_ = TakeByte() == kVersion && ok_; }

  template <class... Fields>
  void Code(Fields&... fields) {
    (Get(fields), ...);
  }

  bool ReadAll() const { return ok_ && rest_.empty(); }

 private:
  std::string_view Take(std::size_t count) {
    ok_ = ok_ && count <= rest_.size();
    if (!ok_) {
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  char TakeByte() {
    const std::string_view byte = Take(1);
    return ok_ ? byte[0] : '\0';
  }
  std::uint64_t TakeVarint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && ok_; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(TakeByte());
      if (shift == 63 && byte > 1) {
        break;
      }
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    ok_ = false;
    return 0;
  }
  void Get(std::int64_t& value) {
    const std::uint64_t zigzag = TakeVarint();
    value = static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
  }
  void Get(std::string& text) { text = Take(TakeVarint()); }
  template <class Tag>
  void Get(StrongId<Tag>& id) {
    const std::string_view taken = Take(id.value.bytes.size());
    if (ok_) {
      std::memcpy(id.value.bytes.data(), taken.data(), taken.size());
    }
  }
  template <class T>
  void Get(std::optional<T>& value) {
    const char present = TakeByte();
    ok_ = ok_ && (present == 0 || present == 1);
    if (ok_ && present == 1) {
      Get(value.emplace());
    }
  }

  std::string_view rest_;
  bool ok_ = true;
};

template <class RowType, class Fields>
Result<Row> Decode(std::string_view bytes, Fields code_fields) {
  Reader reader(bytes);
  RowType row;
  code_fields(reader, row);
  if (!reader.ReadAll()) {
    return Fail(Failure::kInternal, "bad_row",
                "A row of the change log does not have the form that this version writes: restore graph.db from a "
                "backup, or start the newer version that wrote it.");
  }
  return Row(std::move(row));
}

}  // namespace

void EncodeRow(const User& row, std::string* bytes) {
  Writer writer(bytes);
  CodeUser(writer, row);
}
void EncodeRow(const Post& row, std::string* bytes) {
  Writer writer(bytes);
  CodePost(writer, row);
}
void EncodeRow(const Comment& row, std::string* bytes) {
  Writer writer(bytes);
  CodeComment(writer, row);
}
void EncodeRow(const Like& row, std::string* bytes) {
  Writer writer(bytes);
  CodeLike(writer, row);
}
void EncodeRow(const Follow& row, std::string* bytes) {
  Writer writer(bytes);
  CodeFollow(writer, row);
}

Result<Row> DecodeRow(RowKind kind, std::string_view bytes) {
  switch (kind) {
    case RowKind::kUser:
      return Decode<User>(bytes, CodeUser<Reader, User>);
    case RowKind::kPost:
      return Decode<Post>(bytes, CodePost<Reader, Post>);
    case RowKind::kComment:
      return Decode<Comment>(bytes, CodeComment<Reader, Comment>);
    case RowKind::kLike:
      return Decode<Like>(bytes, CodeLike<Reader, Like>);
    case RowKind::kFollow:
      return Decode<Follow>(bytes, CodeFollow<Reader, Follow>);
  }
  return Fail(Failure::kInternal, "bad_row", "A row of the change log is of a kind that this version does not know.");
}

}  // namespace novafeed::sqlite
