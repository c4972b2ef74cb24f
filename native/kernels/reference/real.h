// A float64 value with its magnitude: what the same expression gives on absolute values, each function weighted by its
// condition. Rounding errors are proportional to it, so it is what the error bounds of kernels.def are stated in.
// Writing a twin in Real yields both at once. Not here: float32 anywhere.
#pragma once

#include <math.h>

namespace anneal {

struct Real {
  double value;
  double magnitude;

  Real(double v = 0) : value(v), magnitude(fabs(v)) {}
  Real(double v, double m) : value(v), magnitude(m) {}

  Real& operator+=(const Real& other) {
    value += other.value;
    magnitude += other.magnitude;
    return *this;
  }
};

inline Real operator+(Real a, const Real& b) { return a += b; }
inline Real operator-(const Real& a) { return {-a.value, a.magnitude}; }
inline Real operator-(const Real& a, const Real& b) { return a + -b; }
inline Real operator*(const Real& a, const Real& b) { return {a.value * b.value, a.magnitude * b.magnitude}; }

// A relative error of the divisor is one of the quotient.
inline Real operator/(const Real& a, const Real& b) {
  const double condition = b.magnitude / fabs(b.value);
  return {a.value / b.value, a.magnitude / fabs(b.value) * condition};
}

// A relative error of the argument is half of one of the result.
inline Real sqrt(const Real& a) {
  const double root = ::sqrt(a.value);
  return {root, root == 0 ? 0 : root * (a.magnitude / fabs(a.value))};
}

// An absolute error of the argument is a relative one of the result. e^-infinity is an exact zero.
inline Real exp(const Real& a) {
  const double e = ::exp(a.value);
  return {e, e == 0 ? 0 : e * (1 + a.magnitude)};
}

// A relative error of the argument is an absolute one of the result.
inline Real log(const Real& a) {
  const double l = ::log(a.value);
  return {l, fabs(l) + a.magnitude / fabs(a.value)};
}

// An absolute error of the argument is one of the result times the slope.
inline Real log1p(const Real& a) {
  const double l = ::log1p(a.value);
  return {l, fabs(l) + a.magnitude / fabs(1 + a.value)};
}

// A value and what float32 loses of it at the ends of its range: what rounds to zero, and all above the largest. For
// intermediate results that are divided by something small, or multiplied by zero.
inline Real in_float32(const Real& a) {
  const double lost = a.magnitude > 3.4e38 ? INFINITY : 0x1p-124;
  return {fabs(a.value) <= 0x1p-150 ? 0 : a.value, a.magnitude + lost};
}

}  // namespace anneal
