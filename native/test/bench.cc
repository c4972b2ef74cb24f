// See bench.h. Only ratios within one run mean anything: the clock moves. Not here: whole training steps (bench/).
#include "bench.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "../kernels/signature.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace anneal::test {
namespace {

// Time this thread has run: a busy machine disturbs it less than a clock on the wall would be.
double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr int kChains = 12;        // enough for two units of latency four to six
constexpr int kProbeSteps = 200000;

// The empty asm pins every accumulator to a register: a spilled probe would measure the stack. Checked by disassembly.
#define ANNEAL_PROBE(name, attribute, vector, set1, fma, pin)               \
  attribute double name() {                                                 \
    vector sum[kChains], a = set1(1.0f), b = set1(1e-9f);                   \
    _Pragma("GCC unroll 12") for (int c = 0; c < kChains; ++c) sum[c] = set1(0.0f); \
    const double start = seconds();                                         \
    for (int i = 0; i < kProbeSteps; ++i) {                                 \
      _Pragma("GCC unroll 12") for (int c = 0; c < kChains; ++c) {          \
        sum[c] = fma(a, b, sum[c]);                                         \
        __asm__ volatile("" : "+" pin(sum[c]));                             \
      }                                                                     \
    }                                                                       \
    return 2.0 * kChains * kProbeSteps * sizeof(vector) / 4 / (seconds() - start) * 1e-9; \
  }

#if defined(__x86_64__)
#define ANNEAL_MUL_ADD(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
ANNEAL_PROBE(peak_sse2, , __m128, _mm_set1_ps, ANNEAL_MUL_ADD, "x")
ANNEAL_PROBE(peak_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps, "x")
ANNEAL_PROBE(peak_avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps, "v")
#elif defined(__aarch64__)
#define ANNEAL_FMA(a, b, c) vfmaq_f32(c, a, b)
ANNEAL_PROBE(peak_neon, , float32x4_t, vdupq_n_f32, ANNEAL_FMA, "w")
#endif

// GFLOP/s of independent multiply-adds; 0 where there is no probe.
double peak(const char* isa) {
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    double now = 0;
#if defined(__x86_64__)
    if (!strcmp(isa, "sse2")) now = peak_sse2();
    if (!strcmp(isa, "avx2")) now = peak_avx2();
    if (!strcmp(isa, "avx512")) now = peak_avx512();
#elif defined(__aarch64__)
    if (!strcmp(isa, "neon")) now = peak_neon();
#endif
    best = std::max(best, now);
  }
  return best;
}

// The time of one call in seconds, over batches of about a millisecond: the shortest, which nobody disturbed.
double time_of(KernelFn kernel, const Call& call) {
  int64_t repeats = 1;
  std::vector<double> times;
  while (times.size() < 40) {
    const double start = seconds();
    for (int64_t i = 0; i < repeats; ++i) kernel(call);
    const double spent = seconds() - start;
    if (spent < 1e-3 && times.empty()) repeats *= 2;
    else times.push_back(spent / static_cast<double>(repeats));
  }
  return *std::min_element(times.begin(), times.end());
}

std::vector<float> ramp(int64_t n) {
  std::vector<float> v(static_cast<size_t>(n));
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i % 17) * 0.1f - 0.8f;
  return v;
}

}  // namespace

// The plan's products, m rows: forward with bias and ReLU, input gradient with the mask, weight gradient with the update.
void bench(const char* isa, const KernelFn* kernels) {
  const int64_t shapes[][3] = {{32, 2, 8},      {32, 8, 3},        {64, 64, 32},      {64, 32, 10},     {128, 784, 128},
                               {128, 784, 256}, {128, 256, 128},   {128, 128, 10},    {256, 784, 1024}, {256, 1024, 1024},
                               {256, 1024, 10}, {256, 1536, 512},  {256, 512, 10},    {32, 1024, 1024}};
  const char* names[] = {"panel_fwd", "panel_bwd_input", "panel_bwd_weight_sgd"};
  printf("%s: peak %.1f GFLOP/s\n%18s%34s%34s%34s\n", isa, peak(isa), "m,k,n", names[0], names[1], names[2]);
  for (const auto& [m, k, n] : shapes) {
    const int64_t kp = (k + 15) / 16 * 16, np = (n + 15) / 16 * 16;
    std::vector<float> x = ramp(m * kp), w = ramp(np * k), b = ramp(np), y = ramp(m * np), dx = x;
    double row[] = {0, 0, 0, 0, 0, 0, 1};  // a rate of 0, so that repeated updates stay finite
    const Call calls[] = {{{x.data(), w.data(), b.data(), y.data()}, {m, k, n}, {1}},
                          {{y.data(), w.data(), x.data(), dx.data()}, {m, k, n}, {}},
                          {{y.data(), x.data(), w.data(), nullptr, b.data(), nullptr, row, row}, {m, k, n}, {}}};
    const double top = peak(isa);
    printf("%6d,%5d,%5d", static_cast<int>(m), static_cast<int>(k), static_cast<int>(n));
    for (int i = 0; i < 3; ++i) {
      const double time = time_of(kernels[kernel_id(names[i])], calls[i]);
      const double rate = 2.0 * static_cast<double>(m * k * n) / time * 1e-9;
      printf("  %9.2f us %7.1f GF/s %5.1f %%", time * 1e6, rate, top > 0 ? 100 * rate / top : 0);
    }
    printf("\n");
  }
}

}  // namespace anneal::test
