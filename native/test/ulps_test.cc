// The error bounds that native/base/vec_math.h states, in units in the last place of the correctly rounded result, over
// the floats of each function's domain and at its special values. A stride of 1 is every float (a quarter of an hour).
// Not here: the kernels made of these functions (kernels_test.cc).
#include "ulps_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "../base/cpu.h"
#include "check.h"

namespace anneal {
using WordFunction = void (*)(const float* x, float* y);
#if defined(__x86_64__)
extern const WordFunction vec_math_unfused[];
#endif
#if defined(__x86_64__) || defined(__aarch64__)
extern const WordFunction vec_math_fused[];
#endif
}  // namespace anneal

namespace anneal::test {
namespace {

struct Stated {
  const char* name;
  double (*exact)(double);
  float low, high;  // the domain, NaN and infinities apart
  double ulps;
  double least = 0;  // smaller results are held to the ulp of this
};

constexpr float kMost = 3.4028234663852886e38f;

double normal_cdf(double x) { return ::erfc(x * -0.70710678118654752) / 2; }

double gelu_slope(double x) { return normal_cdf(x) + x * ::exp(x * x / -2) / 2.5066282746310002; }

// In the order of vec_math_table.inc.
constexpr Stated kStated[] = {
    {"exp", ::exp, -kMost, kMost, 1.1},
    {"expm1_of_negative", ::expm1, -kMost, 0, 1.1},
    {"log", ::log, 0, kMost, 1.1},
    {"log1p", ::log1p, -1, kMost, 1.5},
    {"tanh", ::tanh, -kMost, kMost, 2.6},
    {"normal_cdf", normal_cdf, -kMost, kMost, 3.3, 0.5},
    {"gelu_slope", gelu_slope, -kMost, kMost, 3.6, 0.5},
};

constexpr int kWord = 16;

float float_of(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

// |got - want| in units of the last place that float32 has at `want`, or at `least` where that is larger.
double ulps(float got, double want, double least) {
  if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : INFINITY;
  const float rounded = static_cast<float>(want);
  if (isinf(rounded) || isinf(got)) return got == rounded ? 0 : INFINITY;
  int exponent;
  frexp(std::max(fabs(want), least), &exponent);
  return fabs(got - want) / ldexp(1, std::max(exponent - 24, -149));
}

// The words of every stride-th float and of the special ones, each function's domain filled up with 0.
template <class F>
void each_word(int64_t stride, F f) {
  const float special[kWord] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, -1.0f, 1.0f, kMost, -kMost, -18.0f};
  f(special);
  float word[kWord];
  for (uint64_t bits = 0; bits < uint64_t{1} << 32;) {
    for (int i = 0; i < kWord; ++i, bits += static_cast<uint64_t>(stride))
      word[i] = float_of(static_cast<uint32_t>(bits));
    f(word);
  }
}

struct Worst {
  double ulps = 0;
  float at = 0;
};

Worst worst_of(const Stated& stated, WordFunction function, int64_t stride) {
  Worst worst;
  each_word(stride, [&](const float* word) {
    float x[kWord], y[kWord];
    for (int i = 0; i < kWord; ++i) x[i] = word[i] < stated.low || word[i] > stated.high ? 0 : word[i];
    function(x, y);
    for (int i = 0; i < kWord; ++i) {
      const double error = ulps(y[i], stated.exact(x[i]), stated.least);
      if (error > worst.ulps) worst = {error, x[i]};
    }
  });
  return worst;
}

void check_table(const char* words, const WordFunction* table, int64_t stride, int64_t& passed, int64_t& failed) {
  for (const Stated& stated : kStated) {
    const Worst worst = worst_of(stated, *table++, stride);
    const bool right = worst.ulps <= stated.ulps;
    ++(right ? passed : failed);
    if (!right) printf("FAILED %s, %s: %.3f ulps at %.9g\n", stated.name, words, worst.ulps, worst.at);
  }
}

}  // namespace

void check_ulps(int64_t stride, int64_t& passed, int64_t& failed) {
#if defined(__x86_64__)
  check_table("unfused", vec_math_unfused, stride, passed, failed);
  if (isa_supported(Isa::avx2)) check_table("fused", vec_math_fused, stride, passed, failed);
#elif defined(__aarch64__)
  check_table("fused", vec_math_fused, stride, passed, failed);
#endif
}

}  // namespace anneal::test
