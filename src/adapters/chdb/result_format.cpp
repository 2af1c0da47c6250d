#include "adapters/chdb/result_format.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace novafeed {
namespace {

enum class Header { kNotInPieces, kNone, kOneLine, kTwoLines, kNames, kNamesAndTypes };

struct Format {
  std::string_view name;
  Header header;
  const char* content_type;
};

constexpr const char* kTsv = "text/tab-separated-values; charset=UTF-8";
constexpr const char* kJson = "application/json; charset=UTF-8";
constexpr const char* kJsonLines = "application/x-ndjson; charset=UTF-8";
constexpr const char* kBytes = "application/octet-stream";
constexpr const char* kText = "text/plain; charset=UTF-8";

constexpr auto kFormats = std::to_array<Format>({
    {"TabSeparated", Header::kNone, kTsv},
    {"TSV", Header::kNone, kTsv},
    {"TabSeparatedRaw", Header::kNone, kTsv},
    {"TSVRaw", Header::kNone, kTsv},
    {"TabSeparatedWithNames", Header::kOneLine, kTsv},
    {"TSVWithNames", Header::kOneLine, kTsv},
    {"TabSeparatedWithNamesAndTypes", Header::kTwoLines, kTsv},
    {"TSVWithNamesAndTypes", Header::kTwoLines, kTsv},
    {"JSONEachRow", Header::kNone, kJsonLines},
    {"JSONCompactEachRow", Header::kNone, kJsonLines},
    {"RowBinary", Header::kNone, kBytes},
    {"RowBinaryWithNames", Header::kNames, kBytes},
    {"RowBinaryWithNamesAndTypes", Header::kNamesAndTypes, kBytes},
    {"CSV", Header::kNone, "text/csv; charset=UTF-8; header=absent"},
    {"CSVWithNames", Header::kNotInPieces, "text/csv; charset=UTF-8; header=present"},
    {"JSON", Header::kNotInPieces, kJson},
    {"JSONCompact", Header::kNotInPieces, kJson},
    {"Native", Header::kNotInPieces, kBytes},
});

const Format& Find(std::string_view name) {
  static constexpr Format kOther{"", Header::kNotInPieces, kText};
  const auto* found =
      std::find_if(kFormats.begin(), kFormats.end(), [name](const Format& format) { return format.name == name; });
  return found == kFormats.end() ? kOther : *found;
}

std::optional<std::size_t> SizeOfLines(std::string_view piece, int lines) {
  std::size_t size = 0;
  for (int line = 0; line < lines; ++line) {
    const std::size_t end = piece.find('\n', size);
    if (end == piece.npos) return std::nullopt;
    size = end + 1;
  }
  return size;
}

// Reads RowBinary's variable-length numbers.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<std::uint64_t> Number() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 63 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) return number;
    }
    return std::nullopt;
  }
  bool SkipText() {
    const auto size = Number();
    if (!size || *size > bytes_.size() - at_) return false;
    at_ += *size;
    return true;
  }
  std::size_t at() const { return at_; }

 private:
  const std::string_view bytes_;
  std::size_t at_ = 0;
};

// The number of columns, and for each a text, or two.
std::optional<std::size_t> SizeOfTexts(std::string_view piece, std::uint64_t for_each) {
  Reader reader(piece);
  const auto columns = reader.Number();
  if (!columns || *columns > piece.size()) return std::nullopt;
  for (std::uint64_t text = 0; text < *columns * for_each; ++text) {
    if (!reader.SkipText()) return std::nullopt;
  }
  return reader.at();
}

}  // namespace

const char* ContentTypeOf(std::string_view format) {
  return Find(format).content_type;
}

bool ComesInPieces(std::string_view format) {
  return Find(format).header != Header::kNotInPieces;
}

std::optional<std::size_t> HeaderSize(std::string_view format, std::string_view piece) {
  switch (Find(format).header) {
    case Header::kNone:
      return 0;
    case Header::kOneLine:
      return SizeOfLines(piece, 1);
    case Header::kTwoLines:
      return SizeOfLines(piece, 2);
    case Header::kNames:
      return SizeOfTexts(piece, 1);
    case Header::kNamesAndTypes:
      return SizeOfTexts(piece, 2);
    case Header::kNotInPieces:
      break;
  }
  return std::nullopt;
}

}  // namespace novafeed
