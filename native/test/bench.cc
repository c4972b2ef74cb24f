// See bench.h. Only ratios within one run mean anything: the clock moves. Not here: whole training steps (bench/).
#include "bench.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "../base/arena.h"
#include "../base/cpu.h"
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

constexpr int kChains = 12;          // enough for two units of latency four to six
constexpr int kProbeSteps = 100000;  // a third of a millisecond

// The empty asm pins every accumulator to a register: a spilled probe would measure the stack. Checked by disassembly.
#define ANNEAL_PROBE(name, attribute, vector, set1, fma, pin)                             \
  attribute double name() {                                                               \
    vector sum[kChains], a = set1(1.0f), b = set1(1e-9f);                                 \
    _Pragma("GCC unroll 12") for (int c = 0; c < kChains; ++c) sum[c] = set1(0.0f);       \
    const double start = seconds();                                                       \
    for (int i = 0; i < kProbeSteps; ++i) {                                               \
      _Pragma("GCC unroll 12") for (int c = 0; c < kChains; ++c) {                        \
        sum[c] = fma(a, b, sum[c]);                                                       \
        __asm__ volatile("" : "+" pin(sum[c]));                                           \
      }                                                                                   \
    }                                                                                     \
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
#if defined(__x86_64__)
  if (!strcmp(isa, "sse2")) return peak_sse2();
  if (!strcmp(isa, "avx2")) return peak_avx2();
  if (!strcmp(isa, "avx512")) return peak_avx512();
#elif defined(__aarch64__)
  if (!strcmp(isa, "neon")) return peak_neon();
#endif
  return 0;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

struct Figures {
  double seconds, gflops, of_peak;  // per call; of_peak is 0 where there is no probe
};

// Medians over batches of about a millisecond. The peak is probed before and after each, as the clock moves within
// tenths of a second.
Figures figures_of(const char* isa, KernelFn kernel, const Call& call, double flops) {
  int64_t repeats = 1;
  const auto batch = [&] {
    const double start = seconds();
    for (int64_t i = 0; i < repeats; ++i) kernel(call);
    return (seconds() - start) / static_cast<double>(repeats);
  };
  while (batch() * static_cast<double>(repeats) < 1e-3) repeats *= 2;
  std::vector<double> times, shares;
  for (int i = 0; i < 40; ++i) {
    const double before = peak(isa), time = batch(), top = (before + peak(isa)) / 2;
    times.push_back(time);
    shares.push_back(top > 0 ? flops / time * 1e-9 / top : 0);
  }
  const double time = median(times);
  return {time, flops / time * 1e-9, median(shares)};
}

// Floats that begin with a cache line, as in a plan; otherwise every second load of a word takes two lines.
class Ramp {
 public:
  explicit Ramp(int64_t n) : memory_(n * static_cast<int64_t>(sizeof(float))) {
    for (int64_t i = 0; i < n; ++i) data()[i] = static_cast<float>(i % 17) * 0.1f - 0.8f;
  }
  float* data() const { return reinterpret_cast<float*>(memory_.data()); }

 private:
  Arena memory_;
};

}  // namespace

// The plan's products, m rows: forward with bias and ReLU, input gradient with the mask, weight gradient with the
// update.
void bench(const char* isa, const KernelFn* kernels) {
  const int64_t shapes[][3] = {{32, 2, 8},      {32, 8, 3},       {64, 64, 32},   {64, 32, 10},     {128, 784, 128},
                               {128, 784, 256}, {128, 256, 128},  {128, 128, 10}, {256, 784, 1024}, {256, 1024, 1024},
                               {256, 1024, 10}, {256, 1536, 512}, {256, 512, 10}, {32, 1024, 1024}};
  const char* names[] = {"linear_panel_fwd", "linear_panel_input_bwd", "linear_panel_weight_bwd_sgd_update"};
  const int64_t* cache = caches().level;
  printf("%s, caches of %d, %d and %d KB: peak %.1f GFLOP/s\n%18s%34s%34s%34s\n", isa, static_cast<int>(cache[0] >> 10),
         static_cast<int>(cache[1] >> 10), static_cast<int>(cache[2] >> 10), peak(isa), "m,k,n", names[0], names[1],
         names[2]);
  for (const auto& [m, k, n] : shapes) {
    const int64_t kp = (k + 15) / 16 * 16, np = (n + 15) / 16 * 16;
    const Ramp x(m * kp), w(np * k), b(np), y(m * np), dx(m * kp);
    double row[] = {0, 0, 0, 0, 0, 0, 1};  // a rate of 0, so that repeated updates stay finite
    const Call calls[] = {{{x.data(), w.data(), b.data(), y.data()}, {m, k, n}, {1}},
                          {{y.data(), w.data(), x.data(), dx.data()}, {m, k, n}, {}},
                          {{y.data(), x.data(), w.data(), nullptr, b.data(), nullptr, row, row}, {m, k, n}, {}}};
    printf("%6d,%5d,%5d", static_cast<int>(m), static_cast<int>(k), static_cast<int>(n));
    for (int i = 0; i < 3; ++i) {
      const double flops = 2.0 * static_cast<double>(m * k * n);
      const Figures f = figures_of(isa, kernels[kernel_id(names[i])], calls[i], flops);
      printf("  %9.2f us %7.1f GF/s %5.1f %%", f.seconds * 1e6, f.gflops, 100 * f.of_peak);
    }
    printf("\n");
  }
}

}  // namespace anneal::test
