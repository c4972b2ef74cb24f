// exp, expm1, log, log1p, tanh and erf on F16: own polynomials, so that the bits do not depend on a C library.
// Coefficients: minimax fits in relative error over the reduced range, rounded to float32. The bounds in ulps hold with
// and without fused multiply-adds; they were measured over every float from 2^-30 to 2^8 and every seventh of the
// others (native/test/ulps_test.cc, which tries a sample). Included after a vec_<isa>.h. Not here: anything faster and
// less exact.
#pragma once

namespace anneal {
namespace {

ANNEAL_INLINE F16 absolute(F16 a) { return and_bits(a, broadcast_bits(0x7fffffff)); }

// |a| with the sign of `sign`.
ANNEAL_INLINE F16 with_sign(F16 a, F16 sign) {
  return add_bits(absolute(a), and_bits(sign, broadcast_bits(static_cast<int32_t>(0x80000000u))));
}

// x = n ln 2 + r with |r| <= ln 2 / 2, for |x| < 2^15: n, also as an integer in the bits, and e^r - 1.
struct ReducedExp {
  F16 n, exponent, tail;
};

ANNEAL_INLINE ReducedExp reduce_exp(F16 x) {
  constexpr float kRoundToInteger = 0x1.8p23f;
  constexpr int32_t kRoundToIntegerBits = 0x4b400000;
  const F16 rounded = fma(x, broadcast(0x1.715476p0f), broadcast(kRoundToInteger));
  const F16 n = rounded - broadcast(kRoundToInteger);
  F16 r = fma(n, broadcast(-0x1.63p-1f), x);  // exact: 9 bits of ln 2 times at most 8 of n
  r = fma(n, broadcast(0x1.bd0106p-13f), r);  // the rest of ln 2, which is negative
  F16 p = broadcast(0x1.6a1a72p-10f);
  p = fma(p, r, broadcast(0x1.123fc6p-7f));
  p = fma(p, r, broadcast(0x1.555916p-5f));
  p = fma(p, r, broadcast(0x1.55548ap-3f));
  p = fma(p, r, broadcast(0x1.fffffcp-2f));
  return {n, add_bits(rounded, broadcast_bits(-kRoundToIntegerBits)), fma(p, r * r, r)};
}

// 2^n for an integer n in the bits, in [-126, 127].
ANNEAL_INLINE F16 power_of_two(F16 n) {
  constexpr int32_t kBias = 127;
  return shift_left_bits<23>(add_bits(n, broadcast_bits(kBias)));
}

// e^x within 1.1 ulp. NaN gives NaN, overflow infinity, below -104 zero. A denormal result is rounded once: without an
// instruction for it, 2^n is applied in two halves, so that neither overflows before the result does.
ANNEAL_INLINE F16 exp(F16 x) {
  const ReducedExp e = reduce_exp(min(broadcast(89.0f), max(broadcast(-104.5f), x)));
#ifdef ANNEAL_HAS_SCALE
  return scale(e.tail + broadcast(1.0f), e.n);
#else
  const F16 low = shift_right_bits<1>(e.exponent);
  const F16 high = shift_right_bits<1>(add_bits(e.exponent, broadcast_bits(1)));
  return (e.tail + broadcast(1.0f)) * power_of_two(low) * power_of_two(high);
#endif
}

// e^x - 1 for x <= 0 within 1.1 ulp. NaN gives NaN.
ANNEAL_INLINE F16 expm1_of_negative(F16 x) {
  const ReducedExp e = reduce_exp(max(broadcast(-18.0f), x));  // -1 below
  const F16 scale = power_of_two(e.exponent);
  return fma(e.tail, scale, scale - broadcast(1.0f));
}

// Hyperbolic tangent within 2.6 ulp, odd; NaN gives NaN. (1 - q) / (1 + q) with q = e^(-2|x|).
ANNEAL_INLINE F16 tanh(F16 x) {
  const F16 q_less_1 = expm1_of_negative(absolute(x) * broadcast(-2.0f));
  return with_sign(q_less_1 / (q_less_1 + broadcast(2.0f)), x);
}

// Error function within 1.2 ulp, odd; NaN gives NaN. x + x P(x^2) below 0.9, 1 - e^(-x - x Q(x)) above.
ANNEAL_INLINE F16 erf(F16 x) {
  const F16 t = min(broadcast(4.0f), absolute(x)), square = t * t;  // 1 above
  F16 p = broadcast(-0x1.3d52c4p-11f);
  p = fma(p, square, broadcast(0x1.47f3e0p-8f));
  p = fma(p, square, broadcast(-0x1.b6a74cp-6f));
  p = fma(p, square, broadcast(0x1.ce1c18p-4f));
  p = fma(p, square, broadcast(-0x1.8126eep-2f));
  p = fma(p, square, broadcast(0x1.06eba6p-3f));
  F16 q = broadcast(-0x1.c20796p-13f);
  q = fma(q, t, broadcast(0x1.a60b8ap-9f));
  q = fma(q, t, broadcast(-0x1.774a98p-6f));
  q = fma(q, t, broadcast(0x1.af4134p-4f));
  q = fma(q, t, broadcast(0x1.457a64p-1f));
  q = fma(q, t, broadcast(0x1.073578p-3f));
  const F16 minus_t = flip_sign(t);
  const F16 far = broadcast(1.0f) - exp(fma(q, minus_t, minus_t));
  return with_sign(select(less(t, broadcast(0.9f)), fma(p, t, t), far), x);
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

// ln(x / 2^shift) of a normal x > 0; infinity and NaN give anything. x = 2^e f with f in [sqrt(1/2), sqrt(2)).
ANNEAL_INLINE F16 shifted_log(F16 x, F16 shift) {
  constexpr int32_t kSqrtHalfBits = 0x3f3504f3;
  const F16 offset = add_bits(x, broadcast_bits(-kSqrtHalfBits));
  const F16 e = float_of_bits(shift_right_bits<23>(offset)) - shift;
  const F16 f = add_bits(and_bits(offset, broadcast_bits(0x7fffff)), broadcast_bits(kSqrtHalfBits));
  const F16 r = f - broadcast(1.0f);
  const F16 low = fma(e, broadcast(-0x1.bd0106p-13f), log1p_tail(r));
  return fma(e, broadcast(0x1.63p-1f), r + low);
}

// log of a normal x > 0 or NaN, with the same bits in fewer steps.
ANNEAL_INLINE F16 log_of_normal(F16 x) { return select(unordered(x, x), x, shifted_log(x, zero())); }

// Natural logarithm within 1.1 ulp. log(0) is -infinity, below 0 and NaN give NaN. Denormals are scaled up first.
ANNEAL_INLINE F16 log(F16 x) {
  const F16 infinity = broadcast_bits(0x7f800000);
  const M16 tiny = less(x, broadcast(0x1p-126f));
  F16 y = shifted_log(select(tiny, x * broadcast(0x1p25f), x), select(tiny, broadcast(25.0f), zero()));
  y = select(less(x, infinity), y, x);  // +infinity and NaN are their own logarithms
  const F16 outside = select(less(x, zero()), broadcast_bits(0x7fc00000), flip_sign(infinity));
  return select(less_or_equal(x, zero()), outside, y);
}

// log(1 + x) within 1.5 ulp. log1p(-1) is -infinity, below -1 and NaN give NaN. What 1 + x loses in
// rounding is made up for to first order.
ANNEAL_INLINE F16 log1p(F16 x) {
  const F16 one = broadcast(1.0f), u = one + x;
  const F16 lost = x - (u - one);
  const M16 ordinary = less(absolute(lost), one);  // false at the infinities, where it is NaN
  const F16 y = log(u);
  return select(ordinary, select(less(zero(), u), y + lost / u, y), y);
}

}  // namespace
}  // namespace anneal
