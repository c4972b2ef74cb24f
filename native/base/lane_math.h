// sin, cos and pow of one float, in float64: exact but for the last rounding, and the same bits on every instruction
// set, since nothing fuses here. Slower than vec_math.h, whose float32 words can neither reduce an angle of 10^30 nor
// keep a logarithm exact enough for a power. The series are Taylor's, up to where float64 ends.
// Included after a vec_<isa>.h. Not here: arrays.
#pragma once

namespace anneal {
namespace {

union DoubleBits {
  double value;
  uint64_t bits;
};

union FloatBits {
  float value;
  uint32_t bits;
};

constexpr float kPlusInfinity = __builtin_huge_valf();  // MSVC has it, too

// The nearest integer, of |x| < 2^51.
ANNEAL_INLINE double nearest(double x) {
  constexpr double kRoundToInteger = 0x1.8p52;
  return (x + kRoundToInteger) - kRoundToInteger;
}

// c[0] + c[1] x + ... + c[N - 1] x^(N - 1)
template <int N>
ANNEAL_INLINE double polynomial(const double (&c)[N], double x) {
  double sum = c[N - 1];
  for (int i = N - 2; i >= 0; --i) sum = sum * x + c[i];
  return sum;
}

// x = quarters pi / 2 + rest with |rest| <= pi / 4, or a little more; of quarters the last two bits count.
struct Angle {
  double rest;
  uint64_t quarters;
};

// 0 <= x < 2^20: pi / 2 in two parts, of which the first has 33 bits, so that its multiples are exact. Rounding leaves
// the integer in the last bits of the sum.
ANNEAL_INLINE Angle reduce_small(double x) {
  constexpr double kRoundToInteger = 0x1.8p52;
  const DoubleBits sum = {x * 0x1.45f306dc9c883p-1 + kRoundToInteger};
  const double n = sum.value - kRoundToInteger;
  return {(x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34, sum.bits};
}

// The bits of 2 / pi, behind a word of zeros.
constexpr uint32_t kTwoOverPi[] = {0,           0xa2f9836eu, 0x4e441529u, 0xfc2757d1u,
                                   0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu};

// 2^20 <= x < infinity: its significand times 96 bits of 2 / pi (Payne and Hanek, 1983). The bits before them give
// multiples of four quarters, those after them less than float64 holds.
ANNEAL_INLINE Angle reduce_large(float x) {
  const FloatBits f = {x};
  const uint64_t significand = (f.bits & 0x7fffff) | 0x800000;
  const int skip = static_cast<int>(f.bits >> 23) - 120, word = skip / 32, shift = skip % 32;
  uint64_t window[3];
  for (int i = 0; i < 3; ++i) {
    const uint64_t two = static_cast<uint64_t>(kTwoOverPi[word + i]) << 32 | kTwoOverPi[word + i + 1];
    window[i] = ((two << shift) >> 32) & 0xffffffffu;
  }
  const uint64_t low = significand * window[2];
  const uint64_t turn = ((significand * window[0]) << 32) + significand * window[1] + (low >> 32);  // in 2^-62 quarters
  const uint64_t quarters = (turn + (uint64_t{1} << 61)) >> 62;
  const double rest = static_cast<double>(static_cast<int64_t>(turn - (quarters << 62)));
  return {rest * 0x1p-62 * 0x1.921fb54442d18p+0, quarters};
}

// The sine of an angle and so many quarters of a turn more.
ANNEAL_INLINE double sine_of(Angle a) {
  constexpr double kSine[] = {1, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800};
  constexpr double kCosine[] = {1, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600};
  const double square = a.rest * a.rest;
  const double sine = a.rest * polynomial(kSine, square), cosine = polynomial(kCosine, square);
  DoubleBits y = {a.quarters & 1 ? cosine : sine};
  y.bits ^= (a.quarters & 2) << 62;
  return y.value;
}

// The sine of a float in [-2^20, 2^20], without a branch, so that the compiler takes several at a time; `more` quarters
// on.
ANNEAL_INLINE float small_sine_of(float x, uint64_t more) {
  const Angle angle = reduce_small(x < 0 ? -x : x);
  const float y = static_cast<float>(sine_of({angle.rest, angle.quarters + more}));
  return more ? y : x < 0 ? -y : x == 0 ? x : y;
}

// The same of any float; NaN at the infinities.
ANNEAL_INLINE float sine_of_any(float x, uint64_t more) {
  const float size = x < 0 ? -x : x;
  if (size <= 0x1p20f) return small_sine_of(x, more);
  if (!(size < kPlusInfinity)) return x - x;
  const Angle angle = reduce_large(size);
  const float y = static_cast<float>(sine_of({angle.rest, angle.quarters + more}));
  return more || x > 0 ? y : -y;
}

// The logarithm to base 2 of a float in (0, infinity): 2 atanh((m - 1) / (m + 1)) / ln 2 of its significand m in
// [sqrt(1/2), sqrt(2)).
ANNEAL_INLINE double log2_of(float x) {
  constexpr double kOdd[] = {1,        1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9, 1.0 / 11,
                             1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  constexpr uint64_t kSqrtHalf = 0x3fe6a09e667f3bcdu;
  const DoubleBits d = {static_cast<double>(x)};  // normal, whatever the float is
  const uint64_t offset = d.bits - kSqrtHalf;
  DoubleBits significand;
  significand.bits = (offset & 0xfffffffffffffu) + kSqrtHalf;
  const double exponent = static_cast<double>(static_cast<int64_t>(offset) >> 52);
  const double s = (significand.value - 1) / (significand.value + 1);
  return exponent + s * polynomial(kOdd, s * s) * 0x1.71547652b82fep+1;
}

// 2^x for |x| <= 1000
ANNEAL_INLINE double exp2_of(double x) {
  constexpr double kInverseFactorials[] = {
      1,          1,           1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,      1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600};
  const double n = nearest(x);
  DoubleBits scale;
  scale.bits = static_cast<uint64_t>(static_cast<int64_t>(n) + 1023) << 52;
  return polynomial(kInverseFactorials, (x - n) * 0x1.62e42fefa39efp-1) * scale.value;
}

// x^y for 0 <= x, neither of them NaN.
ANNEAL_INLINE double power_of_size(float x, float y) {
  if (x == 1 || y == 0) return 1;
  const bool grows = (x > 1) == (y > 0);
  const float size = y < 0 ? -y : y;
  if (x == 0 || x == kPlusInfinity || size == kPlusInfinity) return grows ? kPlusInfinity : 0;
  const double log = static_cast<double>(y) * log2_of(x);
  return exp2_of(log > 1000 ? 1000 : log < -1000 ? -1000 : log);
}

// Floats from 2^24 on are even integers, infinity among them.
ANNEAL_INLINE bool is_small(float y) { return y > -0x1p24f && y < 0x1p24f; }
ANNEAL_INLINE bool is_integer(float y) { return !is_small(y) || static_cast<float>(static_cast<int32_t>(y)) == y; }
ANNEAL_INLINE bool is_odd(float y) { return is_small(y) && is_integer(y) && (static_cast<int32_t>(y) & 1); }

// x^y with the special cases of C's pow.
ANNEAL_INLINE float pow_of(float x, float y) {
  if (y == 2) return x * x;
  if (x == 1 || y == 0) return 1;
  if (x != x || y != y) return x + y;
  const bool negative = FloatBits{x}.bits >> 31;
  const float size = negative ? -x : x;
  if (negative && x != 0 && size != kPlusInfinity && !is_integer(y)) return kPlusInfinity - kPlusInfinity;
  const float power = static_cast<float>(power_of_size(size, y));
  return negative && is_odd(y) ? -power : power;
}

}  // namespace
}  // namespace anneal
