// Tells ThreadSanitizer about synchronization in libstdc++ that it cannot see: exceptions held by several threads are
// reference-counted, and the last holder frees them. Without this, each such free is reported as a race with the other
// holders' reads. Linked into test programs that are compiled with -fsanitize=thread.
#include <exception>

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

namespace {

using exception_ptr_release = void (*)(std::exception_ptr*);
using end_catch = void (*)();

template <class Function>
Function next(const char* symbol) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, symbol));
}

// A release and an acquire at each decrement: this holder's accesses precede the free, and this holder may be the one
// that frees.
void count_down(std::exception_ptr& held) {
  void* const object = *reinterpret_cast<void**>(&held);
  if (object == nullptr) return;
  __tsan_release(object);
  __tsan_acquire(object);
}

}  // namespace

extern "C" {

void release_of_exception_ptr(std::exception_ptr* held) asm("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv");
void release_of_exception_ptr(std::exception_ptr* held) {
  static const auto real = next<exception_ptr_release>("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv");
  count_down(*held);
  real(held);
}

void end_of_catch() asm("__cxa_end_catch");
void end_of_catch() {
  static const auto real = next<end_catch>("__cxa_end_catch");
  {
    std::exception_ptr caught = std::current_exception();
    count_down(caught);
  }
  real();
}

}  // extern "C"
