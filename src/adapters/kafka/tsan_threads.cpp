// For the thread sanitizer alone: librdkafka makes its threads and locks by C11's <threads.h>, which the sanitizer does
// not know. A thread that it has not seen begin crashes in it. These are the same functions by pthreads, which it does
// know; the layouts are the same in glibc.
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <memory>

namespace {

struct Begin {
  thrd_start_t run;
  void* argument;
};

void* RunThread(void* given) {
  const std::unique_ptr<Begin> begin(static_cast<Begin*>(given));
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(begin->run(begin->argument)));
}

int Outcome(int error) {
  if (error == 0) return thrd_success;
  if (error == ETIMEDOUT) return thrd_timedout;
  if (error == EBUSY) return thrd_busy;
  return error == ENOMEM || error == EAGAIN ? thrd_nomem : thrd_error;
}

pthread_mutex_t* Of(mtx_t* mutex) {
  return reinterpret_cast<pthread_mutex_t*>(mutex);
}

pthread_cond_t* Of(cnd_t* condition) {
  return reinterpret_cast<pthread_cond_t*>(condition);
}

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t run, void* argument) {
  auto begin = std::make_unique<Begin>(Begin{run, argument});
  const int error = pthread_create(thread, nullptr, RunThread, begin.get());
  if (error == 0) static_cast<void>(begin.release());  // the thread's
  return Outcome(error);
}

int thrd_join(thrd_t thread, int* result) {
  void* returned = nullptr;
  const int error = pthread_join(thread, &returned);
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(returned));
  return Outcome(error);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  const bool is_recursive = (type & mtx_recursive) != 0;
  pthread_mutexattr_settype(&attributes, is_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
  const int error = pthread_mutex_init(Of(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return Outcome(error);
}

void mtx_destroy(mtx_t* mutex) {
  pthread_mutex_destroy(Of(mutex));
}
int mtx_lock(mtx_t* mutex) {
  return Outcome(pthread_mutex_lock(Of(mutex)));
}
int mtx_unlock(mtx_t* mutex) {
  return Outcome(pthread_mutex_unlock(Of(mutex)));
}

int cnd_init(cnd_t* condition) {
  return Outcome(pthread_cond_init(Of(condition), nullptr));
}
void cnd_destroy(cnd_t* condition) {
  pthread_cond_destroy(Of(condition));
}
int cnd_signal(cnd_t* condition) {
  return Outcome(pthread_cond_signal(Of(condition)));
}
int cnd_broadcast(cnd_t* condition) {
  return Outcome(pthread_cond_broadcast(Of(condition)));
}
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return Outcome(pthread_cond_wait(Of(condition), Of(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return Outcome(pthread_cond_timedwait(Of(condition), Of(mutex), until));
}
}
