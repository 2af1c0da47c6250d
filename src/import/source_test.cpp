#include "import/source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "import/import_test_support.h"

namespace novafeed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Gives what it holds in pieces of random sizes.
class PiecesSource final : public ByteSource {
 public:
  PiecesSource(std::string content, std::uint64_t seed) : content_(std::move(content)), random_(seed) {}

  Result<std::size_t> Read(std::span<char> out) override {
    const std::size_t left = content_.size() - at_;
    const std::size_t count = std::min({left, out.size(), std::size_t{1} + random_() % 5000});
    std::copy_n(content_.data() + at_, count, out.data());
    at_ += count;
    return count;
  }
  Result<bool> WaitUntil(std::chrono::steady_clock::time_point) override { return true; }
  Status Rewind() override {
    at_ = 0;
    return {};
  }
  std::int64_t packed_bytes() const override { return static_cast<std::int64_t>(at_); }
  std::optional<std::int64_t> packed_size() const override { return std::nullopt; }

 private:
  std::string content_;
  std::mt19937_64 random_;
  std::size_t at_ = 0;
};

std::string Gzip(const std::string& content) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  std::string input = content;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Zstd(const std::string& content) {
  std::string packed(ZSTD_compressBound(content.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 3));
  return packed;
}

// Lines that do not pack well.
std::string ManyLines(int count) {
  std::mt19937_64 random(7);
  std::string content;
  for (int i = 0; i < count; ++i) content += std::to_string(random()) + "\n";
  return content;
}

std::unique_ptr<LineInput> OpenLines(const std::string& path) {
  Result<std::unique_ptr<ByteSource>> source = OpenByteSource(path);
  if (!source) throw std::runtime_error(source.error().detail);
  return std::make_unique<LineInput>(std::move(*source));
}

// All lines; ends with the code of the error, if there is one.
std::vector<std::string> AllLines(LineInput& input) {
  std::vector<std::string> lines;
  InputLine line;
  Result<bool> more = input.Next(&line);
  for (; more && *more; more = input.Next(&line)) lines.emplace_back(line.text);
  if (!more) lines.push_back(more.error().code);
  return lines;
}

std::string ContentOf(const std::string& path) {
  const auto input = OpenLines(path);
  std::string content;
  for (const std::string& line : AllLines(*input)) content += line + "\n";
  return content;
}

TEST(LineInput, SplitsLines) {
  LineInput input(std::make_unique<PiecesSource>("a\n\nb\r\n c ", 1));
  InputLine line;
  ASSERT_TRUE(*input.Next(&line));
  EXPECT_EQ(line.text, "a");
  EXPECT_EQ(line.number, 1);
  EXPECT_TRUE(line.whole);
  ASSERT_TRUE(*input.Next(&line));
  EXPECT_EQ(line.text, "");
  ASSERT_TRUE(*input.Next(&line));
  EXPECT_EQ(line.text, "b");
  EXPECT_EQ(line.number, 3);
  const Mark whole = input.MarkHere();
  ASSERT_TRUE(*input.Next(&line));
  EXPECT_EQ(line.text, " c ");
  EXPECT_EQ(line.number, 4);
  EXPECT_FALSE(line.whole);
  EXPECT_EQ(input.MarkHere(), whole) << "a line without an end is not passed";
  EXPECT_FALSE(*input.Next(&line));
  EXPECT_EQ(whole, (Mark{6, 3, Sha256Hex("a\n\nb\r\n")}));
}

TEST(LineInput, MarksAreThoseOfTheContentHoweverItComes) {
  const std::uint64_t seed = TestSeed();
  const std::string content = ManyLines(20'000);
  LineInput input(std::make_unique<PiecesSource>(content, seed));
  std::mt19937_64 random(seed);
  EXPECT_EQ(input.MarkHere(), StartMark());
  InputLine line;
  while (*input.Next(&line)) {
    if (random() % 500 != 0) continue;
    const Mark mark = input.MarkHere();
    ASSERT_EQ(mark.lines, line.number);
    ASSERT_EQ(mark.sha256, Sha256Hex(content.substr(0, static_cast<std::size_t>(mark.offset))));
  }
  EXPECT_EQ(input.MarkHere(), (Mark{static_cast<std::int64_t>(content.size()), 20'000, Sha256Hex(content)}));
}

TEST(LineInput, KeepsOnlyTheBeginningOfLongLines) {
  const std::string at_limit(kMaxImportLineBytes, 'a');
  const std::string over(kMaxImportLineBytes + 1, 'b');
  const std::string far_over(5 * kMaxImportLineBytes, 'c');
  const std::string content = at_limit + "\n" + over + "\n" + far_over + "\nend\n" + over;
  LineInput input(std::make_unique<PiecesSource>(content, TestSeed()));
  InputLine line;
  ASSERT_TRUE(*input.Next(&line));
  EXPECT_FALSE(line.too_long);
  EXPECT_EQ(line.text, at_limit);
  for (const char c : {'b', 'c'}) {
    ASSERT_TRUE(*input.Next(&line));
    EXPECT_TRUE(line.too_long);
    EXPECT_EQ(line.text, std::string(kKeptOfLongLine, c));
  }
  ASSERT_TRUE(*input.Next(&line));
  EXPECT_FALSE(line.too_long);
  EXPECT_EQ(line.text, "end");
  ASSERT_TRUE(*input.Next(&line));
  EXPECT_TRUE(line.too_long);
  EXPECT_EQ(line.number, 5);
  EXPECT_FALSE(*input.Next(&line));
  EXPECT_EQ(input.MarkHere(), (Mark{static_cast<std::int64_t>(content.size()), 5, Sha256Hex(content)}));
}

TEST(LineInput, RewindsToTheBeginning) {
  const std::string content = ManyLines(1000);
  LineInput input(std::make_unique<PiecesSource>(content, TestSeed()));
  const std::vector<std::string> lines = AllLines(input);
  ASSERT_TRUE(input.Rewind());
  EXPECT_EQ(input.MarkHere(), StartMark());
  EXPECT_EQ(AllLines(input), lines);
}

class Packings : public testing::Test {
 protected:
  std::string Write(const std::string& content) { return WriteFile(directory_, "actions", content); }

  TempDirectory directory_;
  std::string content_ = ManyLines(60'000);
};

TEST_F(Packings, AreKnownByTheirFirstBytes) {
  EXPECT_EQ(ContentOf(Write(content_)), content_);
  EXPECT_EQ(ContentOf(Write(Gzip(content_))), content_);
  EXPECT_EQ(ContentOf(Write(Zstd(content_))), content_);
  EXPECT_EQ(ContentOf(Write("")), "");
  EXPECT_EQ(ContentOf(Write(Gzip(""))), "");
  EXPECT_EQ(ContentOf(Write(Zstd(""))), "");
}

TEST_F(Packings, MayFollowEachOther) {
  EXPECT_EQ(ContentOf(Write(Gzip("a\n") + Gzip("") + Gzip("b\n"))), "a\nb\n");
  EXPECT_EQ(ContentOf(Write(Zstd("a\n") + Zstd("b\n"))), "a\nb\n");
}

TEST_F(Packings, SmallFilesUnpackToMany) {
  std::string bomb;
  for (int i = 0; i < 20'000; ++i) bomb += std::string(1023, 'x') + "\n";
  const auto input = OpenLines(Write(Gzip(bomb)));
  EXPECT_EQ(AllLines(*input).size(), 20'000u);
}

TEST_F(Packings, TruncatedOnesGiveTheLinesBefore) {
  for (const std::string& packed : {Gzip(content_), Zstd(content_)}) {
    const auto input = OpenLines(Write(packed.substr(0, packed.size() - 5)));
    std::vector<std::string> lines = AllLines(*input);
    EXPECT_EQ(lines.back(), "truncated_input");
    EXPECT_GT(lines.size(), 50'000u);
  }
}

TEST_F(Packings, DamagedOnesGiveAnErrorThatSaysSo) {
  for (std::string packed : {Gzip(content_), Zstd(content_)}) {
    packed.replace(packed.size() / 2, 64, 64, 'x');
    const auto input = OpenLines(Write(packed));
    EXPECT_THAT(AllLines(*input).back(), testing::AnyOf("corrupt_input", "truncated_input"));
  }
  const auto garbage_behind = OpenLines(Write(Gzip("a\n") + "garbage"));
  EXPECT_THAT(AllLines(*garbage_behind), ElementsAre("a", "corrupt_input"));
}

TEST_F(Packings, RewindAndTellHowFarTheyAre) {
  const std::string packed = Gzip(content_);
  const auto input = OpenLines(Write(packed));
  const std::size_t lines = AllLines(*input).size();
  EXPECT_EQ(input->source().packed_size(), static_cast<std::int64_t>(packed.size()));
  EXPECT_EQ(input->source().packed_bytes(), static_cast<std::int64_t>(packed.size()));
  ASSERT_TRUE(input->Rewind());
  EXPECT_EQ(input->source().packed_bytes(), 0);
  EXPECT_EQ(AllLines(*input).size(), lines);
}

TEST(OpenByteSource, SaysWhatCannotBeRead) {
  const TempDirectory directory;
  const auto missing = OpenByteSource((directory.path() / "none").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "unreadable_input");
  EXPECT_THAT(missing.error().detail, HasSubstr("No such file"));
  const auto folder = OpenByteSource(directory.path().string());
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().detail, HasSubstr("directory"));
}

// A pipe with a name, into which a thread writes.
class Pipe {
 public:
  explicit Pipe(std::string content) : path_((directory_.path() / "pipe").string()) {
    if (mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("cannot make a pipe");
    writer_ =
        std::thread([path = path_, content = std::move(content)] { std::ofstream(path, std::ios::binary) << content; });
  }
  ~Pipe() { writer_.join(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  const std::string& path() const { return path_; }

 private:
  TempDirectory directory_;
  std::string path_;
  std::thread writer_;
};

TEST(PipeInput, CanBeReadAgainOnce) {
  const std::string content = ManyLines(50'000);
  for (const std::string& packed : {content, Gzip(content)}) {
    const Pipe pipe(packed);
    const auto input = OpenLines(pipe.path());
    EXPECT_FALSE(input->source().packed_size());
    InputLine line;
    for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(*input->Next(&line));
    ASSERT_TRUE(input->Rewind());
    EXPECT_EQ(AllLines(*input).size(), 50'000u);
    EXPECT_EQ(input->MarkHere().sha256, Sha256Hex(content));
    const Status again = input->Rewind();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, "unreadable_input");
  }
}

TEST(PipeInput, TellsWhetherALineIsThere) {
  const TempDirectory directory;
  const std::string path = (directory.path() / "pipe").string();
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int writer = open(path.c_str(), O_RDWR | O_CLOEXEC);  // which waits for no reader
  const auto input = OpenLines(path);
  const auto now = [] { return std::chrono::steady_clock::now(); };
  ASSERT_EQ(write(writer, "aaaa\nb", 6), 6);
  InputLine line;
  EXPECT_EQ(input->WaitUntil(now()), true);
  EXPECT_EQ(input->Next(&line), true);
  EXPECT_EQ(input->WaitUntil(now()), false) << "half a line";
  ASSERT_EQ(write(writer, "\n", 1), 1);
  EXPECT_EQ(input->WaitUntil(now()), true);
  ASSERT_TRUE(input->Rewind());
  for (const char* text : {"aaaa", "b"}) {
    EXPECT_EQ(input->WaitUntil(now()), true);
    EXPECT_EQ(input->Next(&line), true);
    EXPECT_EQ(line.text, text);
  }
  EXPECT_EQ(input->WaitUntil(now()), false);
  close(writer);
  EXPECT_EQ(input->WaitUntil(std::chrono::steady_clock::time_point::max()), true) << "the end";
  EXPECT_EQ(input->Next(&line), false);
}

}  // namespace
}  // namespace novafeed
