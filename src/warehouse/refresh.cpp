#include "warehouse/refresh.h"

#include <array>
#include <cstdio>

#include "warehouse/sql.h"

namespace novafeed {
namespace {

const OlapCall kCountCall{std::chrono::seconds(30)};
const OlapCall kRefreshCall{std::chrono::seconds(300),
                            {{"max_block_size", "8192"}, {"max_partitions_per_insert_block", "0"}}};

// Groups of sets that one statement merges: a group takes some two KiB of memory while it does.
constexpr std::uint64_t kTouchedAtOnce = 50'000;
// Users whose follows one statement counts and sorts.
constexpr std::uint64_t kTouchedUsersAtOnce = 10'000;
constexpr std::size_t kMaxSlices = 1024;
constexpr const char* kFirstDay = "1970-01-01";
constexpr const char* kLastDay = "2149-06-06";  // of ClickHouse's Date

std::size_t SlicesFor(std::uint64_t touched, std::uint64_t at_once) {
  std::size_t slices = 1;
  while (slices < kMaxSlices && touched / slices > at_once) slices *= 2;
  return slices;
}

std::string WithSecondHalf(const char* first_half, std::uint64_t second_half) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%s-%04llx-%012llx", first_half,
                static_cast<unsigned long long>(second_half >> 48U),
                static_cast<unsigned long long>(second_half & 0xFFFF'FFFF'FFFFULL));
  return text.data();
}

}  // namespace

std::vector<UuidRange> SliceUuids(std::size_t slices) {
  constexpr std::uint64_t kVariant = 0x8000'0000'0000'0000ULL;  // 10 in the two first bits
  const std::uint64_t width = (1ULL << 62U) / slices;
  std::vector<UuidRange> ranges(slices);
  std::uint64_t first = 0;
  for (std::size_t slice = 0; slice < slices; ++slice) {
    const std::uint64_t last = slice + 1 == slices ? ~0ULL : kVariant + width * (slice + 1) - 1;
    ranges[slice] = {WithSecondHalf("00000000-0000-0000", first), WithSecondHalf("ffffffff-ffff-ffff", last)};
    first = last + 1;
  }
  return ranges;
}

namespace {

struct TouchedDay {
  std::string day;
  std::uint64_t hours = 0;
};

Result<std::vector<TouchedDay>> ReadTouchedDays(Olap* olap) {
  Result<OlapRows> rows = olap->Query(WarehouseSql("count_touched_days"), {}, kCountCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  std::vector<TouchedDay> days;
  while (!rows->AtEnd()) {
    TouchedDay& day = days.emplace_back();
    day.day = rows->String();
    day.hours = rows->UInt64();
  }
  return days;
}

// Slice by slice, so that each holds at most some `at_once` groups.
Status Refresh(Olap* olap, std::string_view statement, std::uint64_t touched, const OlapParams& params,
               std::uint64_t at_once = kTouchedAtOnce) {
  for (const UuidRange& range : SliceUuids(SlicesFor(touched, at_once))) {
    OlapParams sliced = params;
    sliced.insert(sliced.end(), {{"first", range.first}, {"last", range.last}});
    if (Status done = olap->Execute(WarehouseSql(statement), sliced, kRefreshCall); !done) return done;
  }
  return {};
}

// Many hours go day by day, as both tables are partitioned.
Status RefreshHours(Olap* olap, std::uint64_t touched, const OlapParams& version) {
  const auto refresh = [&](const std::string& first_day, const std::string& last_day, std::uint64_t hours) {
    OlapParams params = version;
    params.insert(params.end(), {{"first_day", first_day}, {"last_day", last_day}});
    return Refresh(olap, "refresh_post_hour_counters", hours, params);
  };
  if (touched <= kTouchedAtOnce) return refresh(kFirstDay, kLastDay, touched);
  const Result<std::vector<TouchedDay>> days = ReadTouchedDays(olap);
  if (!days) return tl::unexpected<Error>(days.error());
  for (const TouchedDay& day : *days) {
    if (Status done = refresh(day.day, day.day, day.hours); !done) return done;
  }
  return {};
}

}  // namespace

Result<bool> RefreshTouched(Olap* olap, std::uint64_t version) {
  Result<OlapRows> touched = olap->Query(WarehouseSql("count_touched"), {}, kCountCall);
  if (!touched) return tl::unexpected<Error>(std::move(touched.error()));
  const std::uint64_t posts = touched->UInt64();
  const std::uint64_t hours = touched->UInt64();
  const std::uint64_t users = touched->UInt64();
  if (posts + hours + users == 0) return false;
  const OlapParams params{{"version", std::to_string(version)}};
  Status done;
  if (posts > 0) done = Refresh(olap, "refresh_post_counters", posts, params);
  if (done && hours > 0) done = RefreshHours(olap, hours, params);
  if (done && users > 0) done = Refresh(olap, "refresh_user_follows", users, params, kTouchedUsersAtOnce);
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return true;
}

Status SettleTouched(Olap* olap, std::uint64_t version) {
  const Result<bool> refreshed = RefreshTouched(olap, version);
  if (!refreshed) return tl::unexpected<Error>(refreshed.error());
  if (!*refreshed) return {};
  return olap->Execute(WarehouseSql("empty_touched"), {}, kCountCall);
}

}  // namespace novafeed
