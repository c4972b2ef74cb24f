// The MT19937 engine and PyTorch's ways of drawing from it; see random.h. Every rounding here is part of the contract:
// std::fma where the original is fused, separate operations (-ffp-contract=off) where it is not. Not here: NumPy's ways
// (random_numpy.cc).
#include "random.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

// Loops that the compiler turns into words, built for AVX2 and AVX-512 as well where the loader can choose; the bits do not
// depend on it.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
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

constexpr double kPi = 3.14159265358979323846;

template <typename T> T unit(Mt19937& engine);
template <> float unit<float>(Mt19937& engine) { return (engine.next32() & 0xffffffu) * 0x1p-24f; }
template <> double unit<double>(Mt19937& engine) {
  return static_cast<double>(engine.next64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
}

// Natural logarithm of a normal x > 0 and sine/cosine of x >= 0, the single-precision polynomials of Cephes with every
// multiply-add fused, as PyTorch's vector kernel evaluates them.
float cephes_log(float x) {
  static const float kCoefficients[] = {-1.1514610310e-1f, 1.1676998740e-1f,  -1.2420140846e-1f, 1.4249322787e-1f,
                                        -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f};
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  float e = static_cast<float>(static_cast<int32_t>(bits >> 23) - 126);
  bits = (bits & 0x007fffffu) | 0x3f000000u;
  float m;
  std::memcpy(&m, &bits, sizeof m);
  bool low = m < 0.707106781186547524f;
  if (low) e -= 1.0f;
  m = (m - 1.0f) + (low ? m : 0.0f);
  float z = m * m;
  float y = 7.0376836292e-2f;
  for (float c : kCoefficients) y = std::fma(y, m, c);
  y = std::fma(y * m, z, e * -2.12194440e-4f);
  y = std::fma(-z, 0.5f, y);
  return std::fma(e, 0.693359375f, m + y);
}

struct SinCos {
  float sin, cos;
};

SinCos cephes_sincos(float x) {
  int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  float y = static_cast<float>(octant);
  x = std::fma(y, -0.78515625f, x);
  x = std::fma(y, -2.4187564849853515625e-4f, x);
  x = std::fma(y, -3.77489497744594108e-8f, x);
  float z = x * x;
  float c = std::fma(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = std::fma(c, z, 4.166664568298827e-2f);
  c = std::fma(c * z, z, -(z * 0.5f)) + 1.0f;
  float s = std::fma(-1.9515295891e-4f, z, 8.3321608736e-3f);
  s = std::fma(s, z, -1.6666654611e-1f);
  s = std::fma(s * z, x, x);
  bool swapped = octant & 2;
  float sine = swapped ? c : s, cosine = swapped ? s : c;
  return {(octant & 4) ? -sine : sine, ((octant - 2) & 4) ? cosine : -cosine};
}

// One block of 16 uniforms becomes 16 normals.
void box_muller(float* block, float mean, float std) {
  for (int j = 0; j < 8; j++) {
    float radius = std::sqrt(-2.0f * cephes_log(1.0f - block[j]));
    SinCos angle = cephes_sincos(static_cast<float>(2.0 * kPi) * block[j + 8]);
    block[j] = std::fma(radius * angle.cos, std, mean);
    block[j + 8] = std::fma(radius * angle.sin, std, mean);
  }
}

void box_muller(double* block, double mean, double std) {
  for (int j = 0; j < 8; j++) {
    double radius = std::sqrt(-2.0 * std::log(1.0 - block[j]));
    double theta = 2.0 * kPi * block[j + 8];
    block[j] = std::fma(radius * std::cos(theta), std, mean);
    block[j + 8] = std::fma(radius * std::sin(theta), std, mean);
  }
}

double one_normal(RandomStream& stream) {
  if (stream.has_kept) {
    stream.has_kept = false;
    return stream.kept;
  }
  double u1 = unit<double>(stream.engine), u2 = unit<double>(stream.engine);
  double radius = std::sqrt(-2.0 * std::log1p(-u2));
  double theta = 2.0 * kPi * u1;
  stream.kept = radius * std::sin(theta);
  stream.has_kept = true;
  return radius * std::cos(theta);
}

uint64_t full_range(Mt19937& engine, int32_t) { return engine.next32() & 0x7fffffffu; }
uint64_t full_range(Mt19937& engine, float) { return engine.next32() % ((uint32_t{1} << 24) + 1); }
uint64_t full_range(Mt19937& engine, double) { return engine.next64() % ((uint64_t{1} << 53) + 1); }

}  // namespace

template <typename T> void uniform(Mt19937& engine, T* out, int64_t n, double from, double to) {
  T low = static_cast<T>(from), width = static_cast<T>(to) - low;
  for (int64_t i = 0; i < n; i++) out[i] = std::fma(unit<T>(engine), width, low);
}

template <typename T> void normal(RandomStream& stream, T* out, int64_t n, double mean, double std) {
  constexpr int64_t kBlock = 16;
  if (n < kBlock) {
    for (int64_t i = 0; i < n; i++) out[i] = static_cast<T>(std::fma(one_normal(stream), std, mean));
    return;
  }
  for (int64_t i = 0; i < n; i++) out[i] = unit<T>(stream.engine);
  T center = static_cast<T>(mean), scale = static_cast<T>(std);
  for (int64_t i = 0; i + kBlock <= n; i += kBlock) box_muller(out + i, center, scale);
  if (n % kBlock == 0) return;
  T* last = out + n - kBlock;  // the last 16 are drawn anew, overwriting part of the last full block
  for (int64_t i = 0; i < kBlock; i++) last[i] = unit<T>(stream.engine);
  box_muller(last, center, scale);
}

template <typename T> void bernoulli(Mt19937& engine, T* out, int64_t n, double p) {
  const T outcome[2] = {0, 1};  // a branch would be mispredicted every other time
  for (int64_t i = 0; i < n; i++) out[i] = outcome[unit<double>(engine) < p];
}

template <typename T> void integers(Mt19937& engine, T* out, int64_t n, int64_t low, uint64_t span) {
  bool wide = span >= (uint64_t{1} << 28);
  for (int64_t i = 0; i < n; i++) {
    uint64_t bits = wide ? engine.next64() : engine.next32();
    out[i] = static_cast<T>(static_cast<int64_t>(bits % span) + low);
  }
}

template <typename T> void integers_full(Mt19937& engine, T* out, int64_t n) {
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

// x[i] = x[i] mod (d - i) for i < count, d - i > 1. Quotients in float64, rounded down, are exact: x < 2^32, and so x / d is
// never as close to the next integer as a rounding, or the reciprocal, is to x / d.
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
