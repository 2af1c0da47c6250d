// An HTTP load generator for ./bench: open loop (a request is due at its time, whatever the answers do; its latency
// counts from there), or closed loop with --rate 0. One thread, non-blocking sockets, one request at a time on each.
//
//   load --url http://127.0.0.1:8080 --kind feed|viewer|visits|like|events|get --token JWT --rate 1000 --seconds 10
//        [--connections 64] [--scale 1] [--pid PID] [--path /file] [--query engine=warehouse] [--batch 100] [--warmup
//        1]
//
// visits: viewers come by Zipf's law, and each reads three pages, with five seconds for each.
//
// Prints one JSON object. With --pid also the CPU time of that process for each answer. SIGTERM ends it before its
// time, once the warm-up is over, with the same JSON: `worst_queue` is how many requests were due and not sent, at
// worst.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dataset.h"
#include "zipf.h"

namespace novafeed::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::microseconds;

struct Options {
  std::string host = "127.0.0.1";
  int port = 8080;
  std::string kind = "feed";
  std::string path = "/";
  std::string query;  // more of a feed's parameters
  std::string token;
  double rate = 0;
  double seconds = 5;
  double warmup = 1;
  int connections = 64;
  double scale = 1;
  int batch = 100;
  int pid = 0;
};

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--url") {
      const std::size_t start = value.find("//") + 2;
      const std::size_t colon = value.find(':', start);
      options.host = value.substr(start, colon - start);
      options.port = std::atoi(value.c_str() + colon + 1);
    } else if (name == "--kind") {
      options.kind = value;
    } else if (name == "--path") {
      options.path = value;
    } else if (name == "--query") {
      options.query = "&" + value;
    } else if (name == "--token") {
      options.token = value;
    } else if (name == "--rate") {
      options.rate = std::stod(value);
    } else if (name == "--seconds") {
      options.seconds = std::stod(value);
    } else if (name == "--warmup") {
      options.warmup = std::stod(value);
    } else if (name == "--connections") {
      options.connections = std::stoi(value);
    } else if (name == "--scale") {
      options.scale = std::stod(value);
    } else if (name == "--batch") {
      options.batch = std::stoi(value);
    } else if (name == "--pid") {
      options.pid = std::stoi(value);
    } else {
      throw std::runtime_error("unknown option " + name);
    }
  }
  return options;
}

// User and system time of a process, in microseconds.
double CpuMicroseconds(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// A viewer who reads some pages.
struct Visit {
  std::string viewer;
  std::string cursor;
  int pages = 0;
  Clock::time_point due;  // for the next page
};
constexpr int kPagesPerVisit = 3;
constexpr std::chrono::seconds kReading{5};

// What a page says of itself.
struct PageFacts {
  bool cached = false;
  double counters_age_ms = 0;
  std::string next_cursor;  // empty: the last page

  static PageFacts Read(std::string_view body) {
    const auto value_of = [body](std::string_view name) {
      const std::size_t at = body.find(name);
      return at == std::string_view::npos ? std::string_view() : body.substr(at + name.size());
    };
    PageFacts facts;
    facts.cached = value_of("\"cached\":").starts_with("true");
    const auto now = duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    facts.counters_age_ms = static_cast<double>(now.count()) - std::atof(value_of("\"counters_as_of\":").data());
    const std::string_view cursor = value_of("\"next_cursor\":\"");
    facts.next_cursor = cursor.substr(0, cursor.find('"'));
    return facts;
  }
};

// Makes the requests of one kind, one after the other.
class Requests {
 public:
  explicit Requests(const Options& options)
      : options_(options), sizes_(Sizes::Scaled(options.scale)), zipf_(sizes_.users), random_(std::random_device{}()) {
    common_ = "\r\nHost: " + options.host + "\r\nAuthorization: Bearer " + options.token + "\r\n";
    first_ = static_cast<std::uint32_t>(random_());
  }

  // `visit` becomes that of a request for a page.
  std::string Next(Visit* visit) {
    if (options_.kind == "feed") {
      // Every request another viewer: a step that is coprime with the number of users visits all of them.
      const auto viewer = static_cast<std::uint32_t>((first_ + made_++ * 48'271ULL) % sizes_.users);
      return Feed(NumberedId('u', viewer));
    }
    if (options_.kind == "visits") return NextOf(visit);
    if (options_.kind == "viewer") {  // always the same one, named by --path
      return Feed(options_.path);
    }
    if (options_.kind == "like") {
      return "PUT /api/v1/posts/" + NumberedId('p', Any(sizes_.posts)) + "/like HTTP/1.1" + common_ +
             "Novafeed-User: " + NumberedId('u', Any(sizes_.users)) + "\r\nContent-Length: 0\r\n\r\n";
    }
    if (options_.kind == "events") return EventBatch();
    return "GET " + options_.path + " HTTP/1.1" + common_ + "\r\n";
  }

  // The viewer has got a page, and reads it.
  void GoOn(Visit visit, std::string next_cursor) {
    if (++visit.pages == kPagesPerVisit || next_cursor.empty()) return;
    visit.cursor = std::move(next_cursor);
    visit.due = Clock::now() + kReading;
    reading_.push_back(std::move(visit));
  }

 private:
  std::string NextOf(Visit* visit) {
    if (!reading_.empty() && reading_.front().due <= Clock::now()) {
      *visit = std::move(reading_.front());
      reading_.pop_front();
    } else {
      const auto viewer = static_cast<std::uint32_t>(zipf_.Draw(random_) * 48'271ULL % sizes_.users);
      *visit = Visit{NumberedId('u', viewer), "", 0, {}};
    }
    return Feed(visit->viewer, visit->cursor.empty() ? "" : "&cursor=" + visit->cursor);
  }

  std::string Feed(const std::string& viewer, const std::string& place = "") const {
    return "GET /api/v1/feed?limit=20" + place + options_.query + " HTTP/1.1" + common_ + "Novafeed-User: " + viewer +
           "\r\n\r\n";
  }

  std::uint32_t Any(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }

  std::string EventBatch() {
    static constexpr const char* kTypes[] = {"impression", "impression", "impression", "view", "share"};
    const auto now = duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    std::string body = "{\"events\":[";
    for (int i = 0; i < options_.batch; ++i) {
      if (i > 0) body += ',';
      body += std::string("{\"type\":\"") + kTypes[random_() % 5] + "\",\"event_id\":\"" +
              NumberedId('e', static_cast<std::uint32_t>(random_())) + "\",\"post_id\":\"" +
              NumberedId('p', Any(sizes_.posts)) + "\",\"user_id\":\"" + NumberedId('u', Any(sizes_.users)) +
              "\",\"at\":" + std::to_string(now.count()) + "}";
    }
    body += "]}";
    return "POST /api/v1/events HTTP/1.1" + common_ +
           "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  Options options_;
  Sizes sizes_;
  Zipf zipf_;
  std::mt19937_64 random_;
  std::string common_;
  std::deque<Visit> reading_;
  std::uint32_t first_ = 0;
  std::uint64_t made_ = 0;
};

struct Connection {
  int socket = -1;
  bool busy = false;
  Clock::time_point due;
  std::string out;
  std::size_t sent = 0;
  std::string in;
  Visit visit;
};

struct Tally {
  std::vector<double> latencies;  // microseconds
  std::vector<double> hits;       // of the latencies, those of pages from the cache
  std::vector<double> misses;     // and the others, of visits
  double oldest_counters_ms = 0;  // in any answer of a visit
  std::map<int, std::uint64_t> statuses;
  std::uint64_t bytes = 0;
  std::uint64_t broken = 0;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options), requests_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    ListenForTerm();
    connections_.resize(static_cast<std::size_t>(options.connections));
    for (Connection& connection : connections_) Open(&connection);
  }

  void Run() {
    const auto begin = Clock::now();
    const auto measured_from = begin + ToDuration(options_.warmup);
    const auto end = measured_from + ToDuration(options_.seconds);
    double cpu_before = 0;
    bool measuring = false;
    std::uint64_t scheduled = 0;
    while (true) {
      const auto now = Clock::now();
      if (!measuring && now >= measured_from) {
        measuring = true;
        worst_queue_ = 0;
        cpu_before = options_.pid > 0 ? CpuMicroseconds(options_.pid) : 0;
        tally_ = Tally();
      }
      if (now >= end || (measuring && terminated_)) break;
      if (options_.rate > 0) {
        while (begin + ToDuration(static_cast<double>(scheduled) / options_.rate) <= now) {
          due_.push_back(begin + ToDuration(static_cast<double>(scheduled++) / options_.rate));
        }
        worst_queue_ = std::max(worst_queue_, due_.size());
      }
      StartRequests();
      Poll();
    }
    const double elapsed = std::chrono::duration<double>(Clock::now() - measured_from).count();
    const double cpu = options_.pid > 0 ? CpuMicroseconds(options_.pid) - cpu_before : 0;
    Print(elapsed, cpu);
  }

 private:
  static Clock::duration ToDuration(double seconds) {
    return duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  // SIGTERM becomes an event of the loop, known by its null pointer.
  void ListenForTerm() {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, nullptr);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, signalfd(-1, &term, SFD_CLOEXEC), &event);
  }

  void Open(Connection* connection) {
    if (connection->socket >= 0) close(connection->socket);
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr);
    if (connect(connection->socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
    }
    const int on = 1;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->socket, &event);
    connection->in.clear();
    connection->busy = false;
    idle_.push_back(connection);
  }

  void StartRequests() {
    while (!idle_.empty() && (options_.rate <= 0 || !due_.empty())) {
      Connection* connection = idle_.back();
      idle_.pop_back();
      connection->busy = true;
      connection->due = Clock::now();
      if (options_.rate > 0) {
        connection->due = due_.front();
        due_.pop_front();
      }
      connection->out = requests_.Next(&connection->visit);
      connection->sent = 0;
      Send(connection);
    }
  }

  void Send(Connection* connection) {
    while (connection->sent < connection->out.size()) {
      const ssize_t count = send(connection->socket, connection->out.data() + connection->sent,
                                 connection->out.size() - connection->sent, MSG_NOSIGNAL);
      if (count <= 0) {  // a full buffer: loopback empties it soon
        pollfd wait{connection->socket, POLLOUT, 0};
        if (errno != EAGAIN || poll(&wait, 1, 1000) <= 0) return;
        continue;
      }
      connection->sent += static_cast<std::size_t>(count);
    }
  }

  void Poll() {
    epoll_event events[256];
    const int timeout_ms = options_.rate > 0 && !idle_.empty() ? 0 : 1;
    const int count = epoll_wait(epoll_, events, 256, timeout_ms);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr == nullptr) {
        terminated_ = true;
      } else {
        Receive(static_cast<Connection*>(events[i].data.ptr));
      }
    }
  }

  void Receive(Connection* connection) {
    char buffer[64 * 1024];
    const ssize_t count = recv(connection->socket, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      ++tally_.broken;
      Open(connection);
      return;
    }
    connection->in.append(buffer, static_cast<std::size_t>(count));
    const std::size_t head_end = connection->in.find("\r\n\r\n");
    if (head_end == std::string::npos) return;
    const std::size_t total = head_end + 4 + BodySize(std::string_view(connection->in).substr(0, head_end));
    if (connection->in.size() < total) return;
    ++tally_.statuses[std::atoi(connection->in.c_str() + 9)];
    tally_.bytes += total;
    tally_.latencies.push_back(
        static_cast<double>(duration_cast<microseconds>(Clock::now() - connection->due).count()));
    const bool is_page = options_.kind == "visits" && connection->in.compare(9, 3, "200") == 0;
    if (is_page) NotePage(connection, std::string_view(connection->in).substr(head_end + 4));
    connection->in.clear();
    connection->busy = false;
    idle_.push_back(connection);
  }

  void NotePage(Connection* connection, std::string_view body) {
    PageFacts page = PageFacts::Read(body);
    (page.cached ? tally_.hits : tally_.misses).push_back(tally_.latencies.back());
    tally_.oldest_counters_ms = std::max(tally_.oldest_counters_ms, page.counters_age_ms);
    requests_.GoOn(std::move(connection->visit), std::move(page.next_cursor));
  }

  static std::size_t BodySize(std::string_view head) {
    for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
      const std::size_t at = head.find(name);
      if (at != std::string_view::npos) return static_cast<std::size_t>(std::atoll(head.data() + at + name.size()));
    }
    return 0;
  }

  // Of values in order.
  static double Percentile(const std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size()));
    return values[std::min(at, values.size() - 1)];
  }

  void Print(double elapsed, double cpu) {
    for (std::vector<double>* values : {&tally_.latencies, &tally_.hits, &tally_.misses}) {
      std::sort(values->begin(), values->end());
    }
    const auto count = static_cast<double>(tally_.latencies.size());
    std::printf(
        "{\"kind\":\"%s\",\"rate_wanted\":%.0f,\"rate\":%.1f,\"answers\":%.0f,\"p50_us\":%.0f,\"p95_us\":%.0f,"
        "\"p99_us\":%.0f,\"max_us\":%.0f,\"bytes_per_answer\":%.0f,\"cpu_us_per_answer\":%.1f,\"broken\":%llu,"
        "\"worst_queue\":%zu,\"statuses\":{",
        options_.kind.c_str(), options_.rate, count / elapsed, count, Percentile(tally_.latencies, 0.50),
        Percentile(tally_.latencies, 0.95), Percentile(tally_.latencies, 0.99), Percentile(tally_.latencies, 1.0),
        count > 0 ? static_cast<double>(tally_.bytes) / count : 0, count > 0 ? cpu / count : 0,
        static_cast<unsigned long long>(tally_.broken), worst_queue_);
    const char* separator = "";
    for (const auto& [status, number] : tally_.statuses) {
      std::printf("%s\"%d\":%llu", separator, status, static_cast<unsigned long long>(number));
      separator = ",";
    }
    std::printf("}");
    if (options_.kind == "visits") PrintVisits();
    std::printf("}\n");
  }

  void PrintVisits() const {
    std::printf(",\"oldest_counters_ms\":%.0f", tally_.oldest_counters_ms);
    for (const auto& [name, values] : {std::pair("hits", &tally_.hits), std::pair("misses", &tally_.misses)}) {
      std::printf(",\"%s\":{\"answers\":%zu,\"p50_us\":%.0f,\"p95_us\":%.0f}", name, values->size(),
                  Percentile(*values, 0.50), Percentile(*values, 0.95));
    }
  }

  Options options_;
  Requests requests_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<Connection*> idle_;
  std::deque<Clock::time_point> due_;
  std::size_t worst_queue_ = 0;
  bool terminated_ = false;
  Tally tally_;
};

}  // namespace
}  // namespace novafeed::bench

int main(int argc, char** argv) {
  try {
    novafeed::bench::Load(novafeed::bench::ParseOptions(argc, argv)).Run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    return 1;
  }
  return 0;
}
