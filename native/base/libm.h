// log, log1p, sin and cos of float64 with the same bits on every processor and C library: within 0.55 ulp (log1p 0.9).
// The algorithms are those of glibc 2.36, multiplications and additions fused where its build for FMA fuses them,
// because PyTorch's and NumPy's streams of normals carry its bits.
//   log         S. Nagy, ARM Optimized Routines, math/log.c (2018; MIT)
//   log1p       P. Tang, "Table-driven implementation of the logarithm function", 1990; K. C. Ng, fdlibm, s_log1p.c
//               (Copyright 1993 Sun Microsystems; freely usable with this notice)
//   sin, cos    IBM Accurate Mathematical Library (A. Ziv, 1991; in glibc sysdeps/ieee754/dbl-64/s_sin.c, LGPL 2.1)
// The code is this project's own, the figures are theirs. For files of an instruction set: everything inline is static.
#pragma once

#include "fma.h"

namespace anneal {

extern const double kLogTable[128][2];
extern const double kSinCosTable[110][4];

namespace {

union Float64Bits {  // as every compiler that this builds with defines it
  double value;
  uint64_t bits;
};

inline uint64_t to_bits(double x) {
  Float64Bits word;
  word.value = x;
  return word.bits;
}

inline double to_double(uint64_t bits) {
  Float64Bits word;
  word.bits = bits;
  return word.value;
}

constexpr uint64_t kSignBit = uint64_t{1} << 63;

inline double magnitude(double x) { return to_double(to_bits(x) & ~kSignBit); }
inline double with_sign_of(double x, double sign) {
  return to_double((to_bits(x) & ~kSignBit) | (to_bits(sign) & kSignBit));
}

// ---- logarithms
// -------------------------------------------------------------------------------------------------------

// log(1 + r) for |r| < 1/16: a polynomial, its first two terms in two parts.
inline double log_near_one(double r) {
  constexpr double b[] = {-0x1p-1,
                          0x1.5555555555577p-2,
                          -0x1.ffffffffffdcbp-3,
                          0x1.999999995dd0cp-3,
                          -0x1.55555556745a7p-3,
                          0x1.24924a344de3p-3,
                          -0x1.fffffa4423d65p-4,
                          0x1.c7184282ad6cap-4,
                          -0x1.999eb43b068ffp-4,
                          0x1.78182f7afd085p-4,
                          -0x1.5521375d145cdp-4};
  const double r2 = r * r, r3 = r * r2;
  const double low = fma(r2, b[3], fma(b[2], r, b[1])), middle = fma(r2, b[6], fma(b[5], r, b[4]));
  const double high = fma(r3, b[10], fma(r2, b[9], fma(b[8], r, b[7])));
  const double tail = fma(fma(high, r3, middle), r3, low);
  const double head = fma(-0x1p27, r, fma(r, 0x1p27, r)), rest = r - head, square = head * head;  // r to 26 bits
  const double sum = fma(square, b[0], r);
  const double error = fma(b[0] * rest, r + head, fma(square, b[0], r - sum));
  return sum + fma(tail, r3, error);
}

constexpr uint64_t kInfinityBits = uint64_t{0x7ff} << 52;

inline double log_of(double x) {
  constexpr uint64_t kLow = 0x3fee000000000000, kHigh = 0x3ff1090000000000;  // 1 - 2^-4, 1 + 0x1.09p-4
  constexpr uint64_t kFirst = 0x3fe6000000000000;                            // the start of the table's range
  constexpr double a[] = {-0x1.0000000000001p-1, 0x1.555555551305bp-2, -0x1.fffffffeb459p-3, 0x1.999b324f10111p-3,
                          -0x1.55575e506c89fp-3};
  uint64_t bits = to_bits(x);
  if (bits - kLow < kHigh - kLow) return x == 1 ? 0 : log_near_one(x - 1);
  if (x == 0) return to_double(kInfinityBits | kSignBit);
  if (bits >= kInfinityBits) return bits == kInfinityBits ? x : (x - x) / 0.0;  // infinity; negative or NaN
  if (bits < uint64_t{1} << 52) bits = to_bits(x * 0x1p52) - (uint64_t{52} << 52);
  // x = 2^k z, z in part i of the table's range; log(x) = k log(2) + log(c) + log1p(z / c - 1)
  const uint64_t offset = bits - kFirst;
  const double* entry = kLogTable[offset >> 45 & 127];
  const double k = static_cast<double>(static_cast<int64_t>(offset) >> 52);
  const double z = to_double(bits - (offset & (uint64_t{0xfff} << 52)));
  const double r = fma(z, entry[0], -1), r2 = r * r;
  const double whole = fma(k, 0x1.62e42fefa38p-1, entry[1]), head = r + whole;
  const double rest = fma(r2, a[0], fma(k, 0x1.ef35793c7673p-45, whole - head + r));
  return fma(r * r2, fma(fma(r, a[4], a[3]), r2, fma(a[2], r, a[1])), rest) + head;
}

// 1 + x = 2^k (1 + f) (1 + correction), 1 + f near 1. `exact` when f has no bits but its highest: none at all or 2^-20.
struct OnePlus {
  int k;
  double f, correction;
  bool tiny;
};

inline OnePlus split_one_plus(double x) {
  const bool large = x >= 0x1p53;
  const double sum = large ? x : 1 + x;
  const uint64_t bits = to_bits(sum);
  int k = static_cast<int>(bits >> 52) - 1023;
  const double lost = large ? 0 : (k > 0 ? 1 - (sum - x) : x - (sum - 1));
  const uint64_t fraction = bits & 0xfffffffffffffu;
  uint32_t top = static_cast<uint32_t>(fraction >> 32);  // of the fraction: 20 bits
  uint64_t exponent = 1023;
  if (top >= 0x6a09e) {  // above sqrt(2)
    k++;
    exponent = 1022;
    top = (0x100000 - top) >> 2;
  }
  return {k, to_double(exponent << 52 | fraction) - 1, large ? 0 : lost / sum, top == 0};
}

inline double log1p_of(double x) {
  constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double p[] = {0,
                          0x1.5555555555593p-1,
                          0x1.999999997fa04p-2,
                          0x1.2492494229359p-2,
                          0x1.c71c51d8e78afp-3,
                          0x1.7466496cb03dep-3,
                          0x1.39a09d078c69fp-3,
                          0x1.2f112df3e5244p-3};
  if (!(x > -1)) return x == -1 ? -1 / 0.0 : (x - x) / 0.0;
  if (to_bits(x) >= kInfinityBits && x > 0) return x;
  const double size = magnitude(x);
  if (size < 0x1p-54) return x;
  if (size < 0x1p-29) return fma(-(x * x), 0.5, x);
  const bool near = x > -0x1.2bec4p-2 && x < 0x1.a827ap-2;  // sqrt(1/2) - 1, sqrt(2) - 1
  const OnePlus one = near ? OnePlus{0, x, 0, false} : split_one_plus(x);
  const double f = one.f, k = one.k, half = 0.5 * f * f, correction = fma(k, kLn2Low, one.correction);
  if (one.tiny) {
    if (f == 0) return one.k ? fma(k, kLn2High, correction) : 0;
    const double r = fma(-f, p[1], 1.0) * half;  // 2/3, but for its last digits
    return one.k ? fma(k, kLn2High, -((r - correction) - f)) : f - r;
  }
  const double s = f / (2 + f), z = s * s, z2 = z * z, z4 = z2 * z2, z6 = z2 * z4;
  const double low = fma(z, p[1], z2 * fma(p[3], z, p[2]));
  const double r = fma(z6, fma(p[7], z, p[6]), fma(z4, fma(p[5], z, p[4]), low));
  const double tail = (r + half) * s;
  return one.k ? fma(k, kLn2High, -((half - (correction + tail)) - f)) : f - (half - tail);
}

// ---- sine and cosine
// --------------------------------------------------------------------------------------------------

// sin(a + rest) for |a| < 0.126: Taylor's series, its coefficients a little adjusted.
inline double sin_small(double a, double rest) {
  const double z = a * a;
  const double p = fma(fma(fma(fma(-0x1.addffc2fcdf59p-26, z, 0x1.71de27b9a7ed9p-19), z, -0x1.a01a019db08b8p-13), z,
                           0x1.1111111110ecep-7),
                       z, -0x1.5555555555555p-3);
  return a + fma(z, fma(p, a, -(rest * 0.5)), rest);
}

// |a| = nearest k / 128 + x. The polynomials of sin(x) - x and 1 - cos(x) for |x| <= 2^-8.
struct TableStep {
  double sin, sin_rest, cos, cos_rest, x;
};

inline TableStep table_step(double a) {
  constexpr double kShift = 0x1.8p45;  // the sum's last bit is worth 1 / 128
  const double shifted = kShift + magnitude(a);
  const double* entry = kSinCosTable[static_cast<uint32_t>(to_bits(shifted)) & 127];
  return {entry[0], entry[1], entry[2], entry[3], magnitude(a) - (shifted - kShift)};
}

inline double sin_terms(double z) { return fma(0x1.11110e829872fp-7, z, -0x1.5555555555515p-3); }
inline double cos_terms(double z) { return fma(fma(0x1.6c16bedd9e239p-10, z, -0x1.5555555555535p-5), z, 0.5); }

// sin(a + rest), cos(a + rest) for |a| < 0.8555, the rest below a's last bit.
inline double sin_by_table(double a, double rest) {
  if (magnitude(a) < 0.126) return sin_small(a, rest);
  if (a <= 0) rest = -rest;
  const TableStep t = table_step(a);
  const double z = t.x * t.x;
  const double s = t.x + fma(t.x * z, sin_terms(z), rest), c = fma(t.x, rest, z * cos_terms(z));
  return with_sign_of(t.sin + fma(s, t.cos, fma(-c, t.sin, fma(t.cos_rest, s, t.sin_rest))), a);
}

inline double cos_by_table(double a, double rest) {
  if (a < 0) rest = -rest;
  const TableStep t = table_step(a);
  const double x = t.x + rest, z = x * x;
  const double s = fma(x * z, sin_terms(z), x), c = z * cos_terms(z);
  return t.cos + fma(-s, t.sin, fma(-c, t.cos, fma(-t.sin_rest, s, t.cos_rest)));
}

constexpr double kHalfPi = 0x1.921fb54442d18p+0, kHalfPiRest = 0x1.1a62633145c07p-54;
constexpr double kByTable = 0x1.b6p-1, kByComplement = 0x1.368fdp+1;  // up to where sin needs no reduction

// sin(x + quadrant * pi / 2) for kByComplement <= |x| < 105414350: Cody and Waite's reduction with pi / 2 in four
// parts.
inline double sin_reduced(double x, int quadrant) {
  constexpr double kShift = 0x1.8p52, kPart3 = -0x1.cb3b398p-55, kPart4 = -0x1.d747f23e32ed7p-83;
  const double shifted = fma(x, 0x1.45f306dc9c883p-1, kShift), n = shifted - kShift;
  const double y = fma(-n, -0x1.dde973cp-27, fma(-n, 0x1.921fb58p+0, x));
  const double third = fma(-n, kPart3, y), lost3 = fma(-n, kPart3, y - third);
  const double a = fma(-n, kPart4, third), rest = lost3 + fma(-n, kPart4, third - a);
  quadrant += static_cast<int>(to_bits(shifted) & 3);
  const double value = quadrant & 1 ? cos_by_table(a, rest) : sin_by_table(a, rest);
  return quadrant & 2 ? -value : value;
}

// |x| < 105414350; beyond that, where pi would be wanted to hundreds of digits, NaN.
inline double sin_of(double x) {
  const double size = magnitude(x);
  if (size < 0x1p-26) return x;
  if (size < kByTable) return sin_by_table(x, 0);
  if (size < kByComplement) return with_sign_of(cos_by_table(kHalfPi - size, kHalfPiRest), x);
  return size < 105414350 ? sin_reduced(x, 0) : (x - x) / 0.0;
}

inline double cos_of(double x) {
  const double size = magnitude(x);
  if (size < 0x1p-27) return 1;
  if (size < kByTable) return cos_by_table(x, 0);
  if (size < kByComplement) {
    const double y = kHalfPi - size, a = y + kHalfPiRest;
    return sin_by_table(a, (y - a) + kHalfPiRest);
  }
  return size < 105414350 ? sin_reduced(x, 1) : (x - x) / 0.0;
}

}  // namespace
}  // namespace anneal
