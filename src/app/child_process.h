// A child process that cannot outlive this one.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace novafeed {

// An end of a pipe, closed with this.
class PipeEnd {
 public:
  explicit PipeEnd(int descriptor = -1) : descriptor_(descriptor) {}
  PipeEnd(PipeEnd&& other) noexcept;
  PipeEnd& operator=(PipeEnd&& other) noexcept;
  ~PipeEnd();

  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// Owned by the thread that started it: the kernel kills the child with SIGKILL when that thread ends. It has a process
// group of its own, so Ctrl-C reaches this process alone, no file descriptors but the standard ones, and its standard
// input is empty.
class ChildProcess {
 public:
  // Runs `program` with `arguments`. Throws std::runtime_error where no process can be made; a program that cannot be
  // run ends with status 127.
  ChildProcess(const std::string& program, const std::vector<std::string>& arguments);
  // Kills and reaps what still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  // What it writes; both end with it.
  int output() const { return output_.get(); }
  int errors() const { return errors_.get(); }

  void Signal(int number) const;
  // Waits for its end, once: "exit status 1", "signal 9".
  std::string Reap();

 private:
  PipeEnd output_;
  PipeEnd errors_;
  pid_t pid_ = -1;
};

}  // namespace novafeed
