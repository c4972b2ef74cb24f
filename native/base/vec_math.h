// exp and log on F16: own polynomials, so that the bits do not depend on a C library. Coefficients: minimax fits in
// relative error over the reduced range, rounded to float32. Included after a vec_<isa>.h.
// Not here: anything faster and less exact.
#pragma once

namespace anneal {
namespace {

// e^x within 1.1 ulp (2 ulp without fused multiply-add, 1 more where the result is denormal). NaN gives NaN, overflow
// infinity, below -104 zero. x = n ln 2 + r with |r| <= ln 2 / 2; 2^n is applied in two halves, so that neither overflows
// before the result does and a denormal result is rounded once.
ANNEAL_INLINE F16 exp(F16 x) {
  constexpr float kRoundToInteger = 0x1.8p23f;
  constexpr int32_t kRoundToIntegerBits = 0x4b400000, kBias = 127;
  x = min(broadcast(89.0f), max(broadcast(-104.5f), x));
  const F16 rounded = fma(x, broadcast(0x1.715476p0f), broadcast(kRoundToInteger));
  const F16 n = rounded - broadcast(kRoundToInteger);
  F16 r = fma(n, broadcast(-0x1.63p-1f), x);            // exact: 9 bits of ln 2 times at most 8 of n
  r = fma(n, broadcast(0x1.bd0106p-13f), r);            // the rest of ln 2, which is negative
  F16 p = broadcast(0x1.6a1a72p-10f);
  p = fma(p, r, broadcast(0x1.123fc6p-7f));
  p = fma(p, r, broadcast(0x1.555916p-5f));
  p = fma(p, r, broadcast(0x1.55548ap-3f));
  p = fma(p, r, broadcast(0x1.fffffcp-2f));
  p = fma(p, r * r, r) + broadcast(1.0f);
  const F16 exponent = add_bits(rounded, broadcast_bits(-kRoundToIntegerBits));
  const F16 low = shift_right_bits<1>(exponent);
  const F16 high = shift_right_bits<1>(add_bits(exponent, broadcast_bits(1)));
  const F16 scale_low = shift_left_bits<23>(add_bits(low, broadcast_bits(kBias)));
  const F16 scale_high = shift_left_bits<23>(add_bits(high, broadcast_bits(kBias)));
  return p * scale_low * scale_high;
}

// log(1 + r) for r in [sqrt(1/2) - 1, sqrt(2) - 1], without the leading r: -r^2/2 + r^3 P(r).
ANNEAL_INLINE F16 log1p_tail(F16 r) {
  F16 p = broadcast(0x1.1457a6p-4f);
  p = fma(p, r, broadcast(-0x1.de3c16p-4f));
  p = fma(p, r, broadcast(0x1.e6f06ap-4f));
  p = fma(p, r, broadcast(-0x1.fc2208p-4f));
  p = fma(p, r, broadcast(0x1.233768p-3f));
  p = fma(p, r, broadcast(-0x1.555c4ep-3f));
  p = fma(p, r, broadcast(0x1.99a4b6p-3f));
  p = fma(p, r, broadcast(-0x1.000006p-2f));
  p = fma(p, r, broadcast(0x1.555548p-2f));
  const F16 square = r * r;
  return fma(square * r, p, square * broadcast(-0.5f));
}

// Natural logarithm within 1.1 ulp (2 ulp without fused multiply-add). log(0) is -infinity, below 0 and NaN give NaN.
// x = 2^e f with f in [sqrt(1/2), sqrt(2)); denormals are scaled up first.
ANNEAL_INLINE F16 log(F16 x) {
  constexpr int32_t kSqrtHalfBits = 0x3f3504f3;
  const F16 infinity = broadcast_bits(0x7f800000);
  const M16 tiny = less(x, broadcast(0x1p-126f));
  const F16 scaled = select(tiny, x * broadcast(0x1p25f), x);
  const F16 offset = add_bits(scaled, broadcast_bits(-kSqrtHalfBits));
  const F16 e = float_of_bits(shift_right_bits<23>(offset)) - select(tiny, broadcast(25.0f), zero());
  const F16 f = add_bits(and_bits(offset, broadcast_bits(0x7fffff)), broadcast_bits(kSqrtHalfBits));
  const F16 r = f - broadcast(1.0f);
  const F16 low = fma(e, broadcast(-0x1.bd0106p-13f), log1p_tail(r));
  F16 y = fma(e, broadcast(0x1.63p-1f), r + low);
  y = select(less(x, infinity), y, x);  // +infinity and NaN are their own logarithms
  const F16 outside = select(less(x, zero()), broadcast_bits(0x7fc00000), flip_sign(infinity));
  return select(less_or_equal(x, zero()), outside, y);
}

}  // namespace
}  // namespace anneal
