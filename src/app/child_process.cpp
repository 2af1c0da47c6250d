#include "app/child_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace novafeed {
namespace {

constexpr int kCannotRun = 127;

struct Pipe {
  PipeEnd read;
  PipeEnd write;
};

[[noreturn]] void ThrowErrno(const std::string& what) {
  throw std::runtime_error(what + " cannot be made (" + std::strerror(errno) + ").");
}

Pipe MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) ThrowErrno("A pipe");
  return {PipeEnd(ends[0]), PipeEnd(ends[1])};
}

// In the child, between fork and exec: nothing but system calls.
[[noreturn]] void RunProgram(const char* program, char* const* arguments, pid_t parent, int input, int output,
                             int errors) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(kCannotRun);
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0) {
    _exit(kCannotRun);
  }
  close_range(STDERR_FILENO + 1, UINT_MAX, 0);
  execv(program, arguments);
  _exit(kCannotRun);
}

}  // namespace

PipeEnd::PipeEnd(PipeEnd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

PipeEnd& PipeEnd::operator=(PipeEnd&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

PipeEnd::~PipeEnd() {
  if (descriptor_ >= 0) close(descriptor_);
}

ChildProcess::ChildProcess(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> texts{program};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const PipeEnd input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  Pipe output = MakePipe();
  Pipe errors = MakePipe();

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) ThrowErrno("A process");
  if (pid_ == 0) {
    RunProgram(program.c_str(), pointers.data(), parent, input.get(), output.write.get(), errors.write.get());
  }
  output_ = std::move(output.read);
  errors_ = std::move(errors.read);
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  Reap();
}

void ChildProcess::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

std::string ChildProcess::Reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace novafeed
