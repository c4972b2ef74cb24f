// What libm_test.cc tests, once per way of multiplying and adding.
#pragma once

namespace anneal::test {

struct Libm {
  double (*log)(double);
  double (*log1p)(double);
  double (*sin)(double);
  double (*cos)(double);
  double (*fma)(double, double, double);
  float (*fmaf)(float, float, float);
};

}  // namespace anneal::test
