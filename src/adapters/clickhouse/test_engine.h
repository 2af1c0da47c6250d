// For tests: a real `novafeed olap` in a temporary directory. NOVAFEED_BINARY names the program (./test does); else the
// one of this build.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "adapters/clickhouse/open.h"
#include "base/json.h"
#include "base/test_support.h"

namespace novafeed::testing {

class TestEngine {
 public:
  // With these arguments behind those of every one.
  explicit TestEngine(std::vector<std::string> more = {}) : more_(std::move(more)) { Start(); }
  ~TestEngine() { Kill(); }
  TestEngine(const TestEngine&) = delete;
  TestEngine& operator=(const TestEngine&) = delete;

  // With its address, once it is ready. Throws std::runtime_error.
  void Start() {
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) throw std::runtime_error("no pipe");
    const std::string program = Program();
    const std::string data = directory_.path().string();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(pipe_ends[1], STDOUT_FILENO);
      std::vector<std::string> arguments = {program, "olap", "--data", data, "--listen", "127.0.0.1:0"};
      arguments.insert(arguments.end(), more_.begin(), more_.end());
      std::vector<char*> pointers;
      for (std::string& argument : arguments) pointers.push_back(argument.data());
      pointers.push_back(nullptr);
      execv(program.c_str(), pointers.data());
      _exit(127);
    }
    close(pipe_ends[1]);
    const std::string line = ReadLine(pipe_ends[0]);
    close(pipe_ends[0]);
    if (!line.starts_with("ready ")) throw std::runtime_error(program + " olap does not start: " + line);
    const std::scoped_lock lock(mutex_);
    endpoint_ = {line.substr(6), "novafeed", Password()};
  }
  // kill -9; nothing if it does not run.
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  // For any thread, also while it starts anew.
  ClickHouseEndpoint endpoint() const {
    const std::scoped_lock lock(mutex_);
    return endpoint_;
  }

 private:
  static std::string Program() {
    const char* named = std::getenv("NOVAFEED_BINARY");
    return named != nullptr ? named : NOVAFEED_BUILT_PROGRAM;
  }
  static std::string ReadLine(int descriptor) {
    std::string line;
    for (char c = 0; read(descriptor, &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }
  std::string Password() const {
    std::ifstream file(directory_.path() / "olap.json");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const Result<boost::json::value> document = ParseJson(text);
    if (!document) throw std::runtime_error("olap.json cannot be read");
    return JsonFields(*document).RequireString("novafeed").value();
  }

  const std::vector<std::string> more_;
  TempDirectory directory_;
  pid_t pid_ = -1;
  mutable std::mutex mutex_;  // guards the next one
  ClickHouseEndpoint endpoint_;
};

}  // namespace novafeed::testing
