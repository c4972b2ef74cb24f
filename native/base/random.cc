// The MT19937 engine and PyTorch's ways of drawing from it; see random.h. Every rounding here is part of the contract.
// Not here: the transcendental steps (stream_math.h), NumPy's ways (random_numpy.cc).
#include "random.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "stream_math.h"

// Loops that the compiler turns into words, built for AVX2 and AVX-512 as well where the loader can choose; the bits do
// not depend on it.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ANNEAL_CLONED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ANNEAL_CLONED
#endif

namespace anneal {
namespace {

// Word j of a seeded engine, from the one before it.
inline uint32_t seeded_word(uint32_t before, uint32_t j) { return 1812433253u * (before ^ (before >> 30)) + j; }

}  // namespace

void Mt19937::seed(uint32_t value) {
  word[0] = value;
  for (uint32_t j = 1; j < kWords; j++) word[j] = seeded_word(word[j - 1], j);
  position = kWords;
}

void Mt19937::seed_each(Mt19937 (&engines)[kTogether], const uint32_t (&values)[kTogether]) {
  for (int i = 0; i < kTogether; i++) {
    engines[i].word[0] = values[i];
    engines[i].position = kWords;
  }
  for (uint32_t j = 1; j < kWords; j++) {
    for (Mt19937& e : engines) e.word[j] = seeded_word(e.word[j - 1], j);
  }
}

void Mt19937::seed(const uint32_t* key, size_t length) {
  seed(19650218u);
  size_t i = 1, j = 0;
  auto advance = [&] {
    if (++i >= kWords) {
      word[0] = word[kWords - 1];
      i = 1;
    }
  };
  for (size_t k = std::max<size_t>(kWords, length); k; k--) {
    word[i] = (word[i] ^ ((word[i - 1] ^ (word[i - 1] >> 30)) * 1664525u)) + key[j] + static_cast<uint32_t>(j);
    advance();
    if (++j >= length) j = 0;
  }
  for (size_t k = kWords - 1; k; k--) {
    word[i] = (word[i] ^ ((word[i - 1] ^ (word[i - 1] >> 30)) * 1566083941u)) - static_cast<uint32_t>(i);
    advance();
  }
  word[0] = 0x80000000u;
}

ANNEAL_CLONED void Mt19937::twist() {
  constexpr int kShift = 397;
  auto mixed = [this](int low, int high, int far) {
    uint32_t y = (word[low] & 0x80000000u) | (word[high] & 0x7fffffffu);
    word[low] = word[far] ^ (y >> 1) ^ (-(y & 1u) & 0x9908b0dfu);
  };
  int k = 0;
  for (; k < kWords - kShift; k++) mixed(k, k + 1, k + kShift);
  for (; k < kWords - 1; k++) mixed(k, k + 1, k + kShift - kWords);
  mixed(kWords - 1, 0, kShift - 1);
  position = 0;
}

ANNEAL_CLONED void Mt19937::fill32(uint32_t* out, int64_t n) {
  while (n > 0) {
    if (position >= kWords) twist();
    const int count = static_cast<int>(std::min<int64_t>(n, kWords - position));
    const uint32_t* from = word + position;
    for (int i = 0; i < count; i++) out[i] = tempered(from[i]);
    position += count;
    out += count;
    n -= count;
  }
}

Mt19937& ForeseenEngines::next(Mt19937& engine) {
  const uint32_t value = static_cast<uint32_t>(engine.next64());
  if (at_ < Mt19937::kTogether && value_[at_] == value) return engine_[at_++];
  value_[0] = value;
  for (int i = 1; i < Mt19937::kTogether; i++) {
    const int low_half = engine.position + 4 * i - 1;  // of the second 64 bits from the previous seed on
    value_[i] = low_half < Mt19937::kWords ? Mt19937::tempered(engine.word[low_half]) : 0;
  }
  Mt19937::seed_each(engine_, value_);
  at_ = 1;
  return engine_[0];
}

void RandomStream::reseed(uint64_t value) {
  engine.seed(static_cast<uint32_t>(value));
  seed = value;
  has_kept = false;
  kept = 0;
}

void RandomStream::reseed(const uint32_t* key, size_t length) {
  reseed(uint64_t{0});
  engine.seed(key, length);
}

namespace torch_rng {
namespace {

template <typename T>
T unit(Mt19937& engine);
template <>
float unit<float>(Mt19937& engine) {
  return (engine.next32() & 0xffffffu) * 0x1p-24f;
}
template <>
double unit<double>(Mt19937& engine) {
  return static_cast<double>(engine.next64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
}

double one_normal(RandomStream& stream) {
  if (stream.has_kept) {
    stream.has_kept = false;
    return stream.kept;
  }
  const double u1 = unit<double>(stream.engine), u2 = unit<double>(stream.engine);
  double pair[2];
  stream_math().normal_pair(u1, u2, pair);
  stream.kept = pair[1];
  stream.has_kept = true;
  return pair[0];
}

void scale(float* x, int64_t n, float width, float low) { stream_math().scale_f32(x, n, width, low); }
void scale(double* x, int64_t n, double width, double low) { stream_math().scale_f64(x, n, width, low); }
void box_muller(float* x, int64_t blocks, float mean, float std) { stream_math().box_muller_f32(x, blocks, mean, std); }
void box_muller(double* x, int64_t blocks, double mean, double std) {
  stream_math().box_muller_f64(x, blocks, mean, std);
}

uint64_t full_range(Mt19937& engine, int32_t) { return engine.next32() & 0x7fffffffu; }
uint64_t full_range(Mt19937& engine, float) { return engine.next32() % ((uint32_t{1} << 24) + 1); }
uint64_t full_range(Mt19937& engine, double) { return engine.next64() % ((uint64_t{1} << 53) + 1); }

}  // namespace

template <typename T>
void uniform(Mt19937& engine, T* out, int64_t n, double from, double to) {
  constexpr int64_t kPart = 1024;  // stays in the cache until it is scaled
  const T low = static_cast<T>(from), width = static_cast<T>(to) - low;
  for (int64_t i = 0; i < n; i += kPart) {
    const int64_t count = std::min(kPart, n - i);
    for (int64_t k = i; k < i + count; k++) out[k] = unit<T>(engine);
    scale(out + i, count, width, low);
  }
}

template <typename T>
void normal(RandomStream& stream, T* out, int64_t n, double mean, double std) {
  constexpr int64_t kBlock = 16;
  if (n < kBlock) {
    double few[kBlock];
    for (int64_t i = 0; i < n; i++) few[i] = one_normal(stream);
    scale(few, n, std, mean);
    std::copy(few, few + n, out);
    return;
  }
  for (int64_t i = 0; i < n; i++) out[i] = unit<T>(stream.engine);
  const T center = static_cast<T>(mean), deviation = static_cast<T>(std);
  box_muller(out, n / kBlock, center, deviation);
  if (n % kBlock == 0) return;
  T* last = out + n - kBlock;  // the last 16 are drawn anew, overwriting part of the last full block
  for (int64_t i = 0; i < kBlock; i++) last[i] = unit<T>(stream.engine);
  box_muller(last, 1, center, deviation);
}

namespace {

// flag[i] is 1 where unit<double> of the words 2 i and 2 i + 1 is below bound / 2^53, else 0.
ANNEAL_CLONED void flag_below(const uint32_t* word, int32_t* flag, int64_t n, uint64_t bound) {
  for (int64_t i = 0; i < n; i++) {
    const uint64_t bits = uint64_t{word[2 * i] & ((1u << 21) - 1)} << 32 | word[2 * i + 1];
    flag[i] = bits < bound;
  }
}

}  // namespace

template <typename T>
void bernoulli(Mt19937& engine, T* out, int64_t n, double p) {
  constexpr int64_t kPart = 512;
  uint32_t word[2 * kPart];
  int32_t flag[kPart];
  const uint64_t bound = static_cast<uint64_t>(std::ceil(p * 0x1p53));
  for (int64_t i = 0; i < n; i += kPart) {
    const int64_t count = std::min(kPart, n - i);
    engine.fill32(word, 2 * count);
    flag_below(word, flag, count, bound);
    std::copy(flag, flag + count, out + i);
  }
}

template <typename T>
void integers(Mt19937& engine, T* out, int64_t n, int64_t low, uint64_t span) {
  bool wide = span >= (uint64_t{1} << 28);
  for (int64_t i = 0; i < n; i++) {
    uint64_t bits = wide ? engine.next64() : engine.next32();
    out[i] = static_cast<T>(static_cast<int64_t>(bits % span) + low);
  }
}

template <typename T>
void integers_full(Mt19937& engine, T* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<T>(full_range(engine, T{}));
}

namespace {

// 1 / d for d up to kMax, a little too large.
struct Reciprocals {
  static constexpr int32_t kMax = 1024;
  double of[kMax + 1] = {};  // of[kMax - d], as d falls where they are needed

  constexpr Reciprocals() {
    for (int32_t d = 1; d <= kMax; d++) of[kMax - d] = (1 + 0x1p-50) / d;
  }
};

constexpr Reciprocals kReciprocals;

// x[i] = x[i] mod (d - i) for i < count, d - i > 1. Quotients in float64, rounded down, are exact: x < 2^32, and so x /
// d is never as close to the next integer as a rounding, or the reciprocal, is to x / d.
ANNEAL_CLONED void remainders(uint32_t* x, int32_t d, int32_t count) {
  const auto take = [&](int32_t i, double quotient) {
    x[i] -= static_cast<uint32_t>(static_cast<int32_t>(quotient)) * static_cast<uint32_t>(d - i);
  };
  if (d <= Reciprocals::kMax) {
    const double* reciprocal = kReciprocals.of + (Reciprocals::kMax - d);
    for (int32_t i = 0; i < count; i++) take(i, static_cast<double>(x[i]) * reciprocal[i]);
  } else {
    for (int32_t i = 0; i < count; i++) take(i, static_cast<double>(x[i]) / static_cast<double>(d - i));
  }
}

}  // namespace

void randperm(Mt19937& engine, int32_t* out, int64_t n) {
  if (n < std::numeric_limits<uint32_t>::max() / 20) {
    for (int64_t i = 0; i < n; i++) out[i] = static_cast<int32_t>(i);
    uint32_t drawn[256];
    for (int64_t i = 0; i < n - 1;) {
      const int64_t count = std::min<int64_t>(n - 1 - i, std::size(drawn));
      engine.fill32(drawn, count);
      remainders(drawn, static_cast<int32_t>(n - i), static_cast<int32_t>(count));
      for (int64_t k = 0; k < count; k++, i++) std::swap(out[i], out[i + drawn[k]]);
    }
    return;
  }
  for (int64_t i = 0; i < n; i++) {  // the inside-out shuffle on 64 bits, where 32 would show their bias
    int64_t j = static_cast<int64_t>(engine.next64() % static_cast<uint64_t>(i + 1));
    out[i] = static_cast<int32_t>(i);
    out[i] = out[j];
    out[j] = static_cast<int32_t>(i);
  }
}

void seeded_randperm(RandomStream& stream, int32_t* out, int64_t n) {
  if (!stream.foreseen) stream.foreseen = std::make_unique<ForeseenEngines>();
  randperm(stream.foreseen->next(stream.engine), out, n);
}

template void uniform<float>(Mt19937&, float*, int64_t, double, double);
template void uniform<double>(Mt19937&, double*, int64_t, double, double);
template void normal<float>(RandomStream&, float*, int64_t, double, double);
template void normal<double>(RandomStream&, double*, int64_t, double, double);
template void bernoulli<float>(Mt19937&, float*, int64_t, double);
template void bernoulli<double>(Mt19937&, double*, int64_t, double);
template void bernoulli<int32_t>(Mt19937&, int32_t*, int64_t, double);
template void bernoulli<uint8_t>(Mt19937&, uint8_t*, int64_t, double);
template void integers<float>(Mt19937&, float*, int64_t, int64_t, uint64_t);
template void integers<double>(Mt19937&, double*, int64_t, int64_t, uint64_t);
template void integers<int32_t>(Mt19937&, int32_t*, int64_t, int64_t, uint64_t);
template void integers_full<float>(Mt19937&, float*, int64_t);
template void integers_full<double>(Mt19937&, double*, int64_t);
template void integers_full<int32_t>(Mt19937&, int32_t*, int64_t);

}  // namespace torch_rng

}  // namespace anneal
