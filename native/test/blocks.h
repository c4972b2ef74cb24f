// Exact-size memory with guards: a block of n bytes at a chosen distance from alignment, NaN patterns before and
// behind. Under AddressSanitizer nothing follows the block, so that a read past its end is caught too. Not here: what
// the blocks hold (random_inputs.h).
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <new>
#include <vector>

namespace anneal::test {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kGuardBehind = 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr size_t kGuardBehind = 0;
#else
constexpr size_t kGuardBehind = 256;
#endif
#else
constexpr size_t kGuardBehind = 256;
#endif
constexpr size_t kGuardBefore = 64;
constexpr unsigned char kGuardByte = 0xff;  // four of them are a NaN, and as an integer -1

class Block {
 public:
  // `offset` floats past a 64-byte boundary.
  Block(const std::vector<char>& contents, int64_t offset) : size_(contents.size()) {
    before_ = kGuardBefore + static_cast<size_t>(offset) * sizeof(float);
    const size_t total = before_ + size_ + kGuardBehind;
    // aligned_alloc wants multiples of the alignment, which would hide the end; posix_memalign does not.
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, total)) throw std::bad_alloc();
    memory_ = static_cast<unsigned char*>(memory);
    memset(memory_, kGuardByte, total);
    if (size_) memcpy(memory_ + before_, contents.data(), size_);
  }
  Block(Block&& other) noexcept : memory_(other.memory_), before_(other.before_), size_(other.size_) {
    other.memory_ = nullptr;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { free(memory_); }

  void* data() const { return memory_ + before_; }
  std::vector<char> contents() const {
    const char* from = static_cast<const char*>(data());
    return {from, from + size_};
  }
  bool guards_intact() const { return intact(memory_, before_) && intact(memory_ + before_ + size_, kGuardBehind); }

 private:
  static bool intact(const unsigned char* p, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      if (p[i] != kGuardByte) return false;
    }
    return true;
  }

  unsigned char* memory_;
  size_t before_;
  size_t size_;
};

}  // namespace anneal::test
