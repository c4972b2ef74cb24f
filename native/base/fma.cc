// The fused multiply-add of processors that have none; see fma.h.
#include "fma.h"

#include <cmath>
#include <cstring>

#include "wide.h"

namespace anneal {
namespace {

constexpr int kTop = 125;  // where leading bits are put: two bits are left for a sum's carry

uint64_t bits_of(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

double from_bits(uint64_t bits) {
  double x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// A finite |x| is significand * 2^exponent.
struct Parts {
  uint64_t significand;
  int exponent;
};

Parts parts(double x) {
  const uint64_t bits = bits_of(x), fraction = bits & 0xfffffffffffffu;
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  return biased ? Parts{fraction | uint64_t{1} << 52, biased - 1075} : Parts{fraction, -1074};
}

// An exact magnitude, with its leading bit at kTop.
struct Magnitude {
  Wide value;
  int exponent;
};

Magnitude normalized(Wide value, int exponent) {
  const int shift = kTop + 1 - bit_length(value);
  return {shifted_left(value, shift), exponent - shift};
}

// 2^exponent as far as float64 has it: -1074 ... 1023.
double power_of_two(int exponent) {
  return from_bits(exponent >= -1022 ? static_cast<uint64_t>(exponent + 1023) << 52 : uint64_t{1} << (exponent + 1074));
}

// value * 2^exponent to the nearest float64, ties to even.
double rounded(Wide value, int exponent) {
  const int leading = exponent + bit_length(value) - 1;
  if (leading > 1023) return HUGE_VAL;
  const int last = leading - 52 < -1074 ? -1074 : leading - 52;  // the weight of the result's last bit
  // Two bits below the last decide: one half, and anything beneath it.
  const int drop = last - 2 - exponent;
  const uint64_t kept = drop >= 0 ? jammed_right(value, drop).low : shifted_left(value, -drop).low;
  const uint64_t up = (kept & 3) == 3 || (kept & 7) == 6;
  return static_cast<double>((kept >> 2) + up) * power_of_two(last);
}

// Any finite arguments but zeros, exactly.
double fma_by_integers(double a, double b, double c) {
  const Parts pa = parts(a), pb = parts(b), pc = parts(c);
  Magnitude large = normalized(product(pa.significand, pb.significand), pa.exponent + pb.exponent);
  Magnitude small = normalized({0, pc.significand}, pc.exponent);
  bool negative = std::signbit(a) != std::signbit(b);
  const bool opposite = negative != std::signbit(c);
  if (large.exponent < small.exponent || (large.exponent == small.exponent && less(large.value, small.value))) {
    const Magnitude swapped = large;
    large = small, small = swapped;
    negative = std::signbit(c);
  }
  // The lowest bits of both are zero, so that a shift by one, where a difference may cancel, loses nothing.
  const Wide aligned = jammed_right(small.value, large.exponent - small.exponent);
  const Wide sum = opposite ? minus(large.value, aligned) : plus(large.value, aligned);
  if (is_zero(sum)) return 0.0;
  const double magnitude = rounded(sum, large.exponent);
  return negative ? -magnitude : magnitude;
}

// sum + error, |error| below the sum's last bit, rounded to odd: a second rounding, to fewer digits, is then the only
// one. Without a branch, which would be mispredicted every other time.
double rounded_to_odd(double sum, double error) {
  const uint64_t bits = bits_of(sum);
  const uint64_t even_and_inexact = (error != 0) & ~bits & 1;
  return from_bits(bits + ((error > 0) == (sum > 0) ? even_and_inexact : -even_and_inexact));
}

struct Sum {
  double value, error;
};

// a + b = value + error (Knuth).
Sum exact_sum(double a, double b) {
  const double sum = a + b, of_b = sum - a;
  return {sum, (a - (sum - of_b)) + (b - of_b)};
}

// a * b = value + error (Dekker), both of 53 bits.
Sum exact_product(double a, double b) {
  constexpr double kSplit = 0x1p27 + 1;
  const double ca = kSplit * a, cb = kSplit * b;
  const double ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh, value = a * b;
  return {value, ((ah * bh - value) + ah * bl + al * bh) + al * bl};
}

// 2^-300 <= |x| < 2^300: no step of the exact operations leaves the range of float64.
bool is_moderate(double x) { return (bits_of(x) >> 52 & 0x7ff) - 723 < 600; }

}  // namespace

// Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008.
double fma_in_software(double a, double b, double c) {
  if (is_moderate(a) && is_moderate(b) && is_moderate(c)) {
    const Sum product = exact_product(a, b), low = exact_sum(c, product.error),
              high = exact_sum(product.value, low.value);
    const Sum rest = exact_sum(low.error, high.error);
    return high.value + rounded_to_odd(rest.value, rest.error);
  }
  if (!std::isfinite(a) || !std::isfinite(b)) return a * b + c;
  if (!std::isfinite(c)) return c + c;
  if (a == 0 || b == 0) return a * b + c;
  return c == 0 ? a * b : fma_by_integers(a, b, c);
}

// The product is exact in float64; the sum is rounded to odd there.
float fma_in_software(float a, float b, float c) {
  const Sum sum = exact_sum(static_cast<double>(a) * b, c);
  return static_cast<float>(std::isfinite(sum.value) ? rounded_to_odd(sum.value, sum.error) : sum.value);
}

}  // namespace anneal
