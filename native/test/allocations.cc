// See allocations.h. A file of its own, so that no compiler sees a `new` and a `free` side by side and warns.
#include "allocations.h"

#include <stddef.h>
#include <stdlib.h>

#include <atomic>
#include <new>

namespace {

std::atomic<int64_t> allocations{0};

void* allocate(size_t size, size_t alignment) {
  ++allocations;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, size ? size : 1)) throw std::bad_alloc();
  return memory;
}

}  // namespace

int64_t anneal::test::allocation_count() { return allocations; }

void* operator new(size_t size) { return allocate(size, alignof(max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) { return allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { free(memory); }
