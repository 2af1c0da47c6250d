#include "runtime/thread_name.h"

#include <pthread.h>

#include <string>

namespace novafeed {

void NameThisThread(std::string_view name) {
  constexpr std::size_t kLongest = 15;
  pthread_setname_np(pthread_self(), std::string(name.substr(0, kLongest)).c_str());
}

}  // namespace novafeed
