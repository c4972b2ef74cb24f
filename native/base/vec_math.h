// exp, expm1, log, log1p, tanh, the normal distribution and the slope of GELU on F16: own polynomials, so that the bits
// do not depend on a C library. Coefficients: minimax fits in relative error over the reduced range, rounded to
// float32. The bounds in ulps hold with and without fused multiply-adds; they were measured over every float from 2^-30
// to 2^8 and every seventh of the others (native/test/ulps_test.cc, which tries a sample). Included after a
// vec_<isa>.h. Not here: anything faster and less exact.
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

// Powers of a square, for polynomials by pairs of pairs of terms: fewer roundings in a row than term by term.
struct Powers {
  F16 s, s2, s4;
};

ANNEAL_INLINE Powers powers_of_square(F16 x) {
  const F16 s = x * x, s2 = s * s;
  return {s, s2, s2 * s2};
}

ANNEAL_INLINE F16 two_terms(Powers p, float a, float b) { return fma(broadcast(b), p.s, broadcast(a)); }

ANNEAL_INLINE F16 four_terms(Powers p, float a, float b, float c, float d) {
  return fma(two_terms(p, c, d), p.s2, two_terms(p, a, b));
}

// The normal distribution up to x: 1/2 + x P(x^2) / Q(x^2), within 3.3 units of 2^-24, exactly 0 or 1 beyond |x| = 5.5.
// NaN gives NaN. The fits are those of scripts/fit_normal.py.
ANNEAL_INLINE F16 normal_cdf(F16 x) {
  const F16 u = min(broadcast(5.5f), max(broadcast(-5.5f), x));
  const Powers s = powers_of_square(u);
  const F16 p = fma(two_terms(s, 0x1.ab353cp-18f, 0x1.87c53p-26f), s.s4,
                    four_terms(s, 0x1.98845p-2f, 0x1.158504p-5f, 0x1.32b278p-8f, 0x1.62d3ecp-13f));
  const F16 q = fma(two_terms(s, 0x1.35a266p-14f, 0x1.4226dp-20f), s.s4,
                    four_terms(s, 1.0f, 0x1.019ee4p-2f, 0x1.d59b3cp-6f, 0x1.ee8dc2p-10f));
  return max(zero(), fma(u, p / q, broadcast(0.5f)));
}

// The slope of x normal_cdf(x), the distribution plus x times its density: likewise 1/2 + x P(x^2) / Q(x^2), within 3.6
// units of 2^-24 or, above 1, of 2^-23, exactly 0 or 1 beyond |x| = 6. NaN gives NaN, and so does infinity, whose
// density is 0.
ANNEAL_INLINE F16 gelu_slope(F16 x) {
  const F16 u = min(broadcast(6.0f), max(broadcast(-6.0f), x));
  const Powers s = powers_of_square(u);
  const F16 p = fma(fma(broadcast(0x1.2e62p-26f), s.s2, two_terms(s, 0x1.1e32e2p-15f, 0x1.0be86ap-20f)), s.s4,
                    four_terms(s, 0x1.988452p-1f, -0x1.54987ep-6f, 0x1.c411eap-7f, 0x1.e4fe9ep-13f));
  const F16 q = fma(four_terms(s, 0x1.08c328p-12f, 0x1.6691aap-17f, 0x1.820af4p-22f, 0x1.6d92fap-30f), s.s4,
                    four_terms(s, 1.0f, 0x1.3aa73ep-2f, 0x1.6e550cp-5f, 0x1.09a09p-8f));
  // Rounded before the sum, so that it ends at 1/2 exactly.
  return u * (p / q) + fma(x, zero(), broadcast(0.5f));
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
