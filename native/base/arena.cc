// Small blocks from the heap, large ones as pages of the system. See arena.h.
#include "arena.h"

#include <string.h>

#include <new>

#include "sizes.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#elif defined(__wasm__)
#include <stdlib.h>
#else
#include <sys/mman.h>
#endif

namespace anneal {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kMaxBytes = PTRDIFF_MAX < kMaxSize ? PTRDIFF_MAX - kHugePage : kMaxSize;  // 2 GiB of 32 bits

// Zeroed pages, or null.
void* map_pages(int64_t bytes) {
#if defined(_WIN32)
  return VirtualAlloc(nullptr, static_cast<size_t>(bytes), MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
#elif defined(__wasm__)
  return calloc(1, static_cast<size_t>(bytes));
#else
  void* pages = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
#endif
}

void unmap_pages(void* pages, [[maybe_unused]] int64_t bytes) {
#if defined(_WIN32)
  VirtualFree(pages, 0, MEM_RELEASE);
#elif defined(__wasm__)
  free(pages);
#else
  munmap(pages, static_cast<size_t>(bytes));
#endif
}

char* align_up(void* pages) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(pages), mask = static_cast<uintptr_t>(kHugePage) - 1;
  return reinterpret_cast<char*>((at + mask) & ~mask);
}

}  // namespace

Arena::Arena(int64_t bytes) : bytes_(bytes) {
  if (bytes < 0 || bytes > kMaxBytes) throw std::bad_alloc();
  if (bytes < kHugePage) {
    const size_t size = bytes ? static_cast<size_t>(bytes) : 1;
    data_ = static_cast<char*>(::operator new(size, kAlignment));
    memset(data_, 0, size);
    return;
  }
  mapped_ = bytes + kHugePage;
  mapping_ = map_pages(mapped_);
  if (!mapping_) throw std::bad_alloc();
  data_ = align_up(mapping_);
#if defined(MADV_HUGEPAGE)
  madvise(data_, static_cast<size_t>(bytes), MADV_HUGEPAGE);
#endif
}

Arena::~Arena() {
  if (mapping_) {
    unmap_pages(mapping_, mapped_);
  } else {
    ::operator delete(data_, kAlignment);
  }
}

}  // namespace anneal
