// What this core can do at best, measured now: fp32 FMA peak per instruction set and memory bandwidth.
// Prints one line of JSON. Every other figure of a run is read against it. Not a kernel, and nothing of anneal is in it.
//
// A probe whose accumulators are spilled to the stack reads half of the truth, so each loop keeps 12 named-by-index
// accumulators (two FMA units times a latency of at most 5, with room), multiplies by registers and touches no memory.
#include <immintrin.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kChains = 12;
constexpr long kInner = 20000;

double now() {
  using clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

// The bodies differ only in the vector type; a macro, because a target attribute does not reach into templates.
#define ANNEAL_FMA_LOOP(name, isa, Vec, set1, fmadd, store, lanes)                            \
  __attribute__((target(isa), noinline)) float name(float seed) {                             \
    Vec a[kChains];                                                                           \
    for (int i = 0; i < kChains; ++i) a[i] = set1(seed + static_cast<float>(i));              \
    const Vec x = set1(0.999f + seed), y = set1(1e-3f);                                       \
    for (long r = 0; r < kInner; ++r) {                                                       \
      _Pragma("GCC unroll 12") for (int i = 0; i < kChains; ++i) a[i] = fmadd(a[i], x, y);    \
    }                                                                                         \
    float out[lanes], sum = 0;                                                                \
    for (int i = 0; i < kChains; ++i) store(out, a[i]), sum += out[0];                        \
    return sum;                                                                               \
  }

ANNEAL_FMA_LOOP(fma_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps, 8)
ANNEAL_FMA_LOOP(fma_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps, 16)

// Runs `work` on `threads` threads at once until `seconds` are over; returns the median rate of `amount` per call, summed
// over the threads. Calls are short, so that a moment lost to another process spoils only a few of them.
template <class Work>
double median_rate(int threads, double seconds, double amount, Work work) {
  std::vector<std::vector<double>> rates(threads);
  std::vector<std::thread> pool;
  std::atomic<int> waiting{threads};
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      for (--waiting; waiting.load() > 0;) {
      }
      for (const double end = now() + seconds; now() < end;) {
        const double start = now();
        work(t);
        rates[t].push_back(amount / (now() - start));
      }
    });
  }
  for (std::thread& thread : pool) thread.join();
  double sum = 0;
  for (std::vector<double>& of : rates) {
    std::nth_element(of.begin(), of.begin() + of.size() / 2, of.end());
    sum += of[of.size() / 2];
  }
  return sum;
}

double fma_gflops(float (*loop)(float), int lanes, int threads, double seconds) {
  static volatile float sink;
  const double flops = 2.0 * lanes * kChains * kInner;
  return median_rate(threads, seconds, flops, [&](int) { sink = loop(0); }) / 1e9;
}

// Bytes read per second from a set far beyond any cache: what a gather of rows can reach at best.
double read_gbytes(int threads, double seconds) {
  constexpr size_t kWords = size_t{64} << 20 >> 3;
  static volatile uint64_t sink;
  std::vector<std::vector<uint64_t>> sets(threads, std::vector<uint64_t>(kWords, 1));
  return median_rate(threads, seconds, 8.0 * kWords, [&](int t) {
           uint64_t s[4] = {0, 0, 0, 0};
           const uint64_t* p = sets[t].data();
           for (size_t i = 0; i < kWords; i += 4)
             for (int j = 0; j < 4; ++j) s[j] += p[i + j];
           sink = s[0] + s[1] + s[2] + s[3];
         }) / 1e9;
}

// y += a * x, 12 bytes of traffic per element (two reads and a write).
double axpy_gbytes(int threads, double seconds) {
  constexpr size_t kFloats = size_t{32} << 20 >> 2;
  std::vector<std::vector<float>> xs(threads, std::vector<float>(kFloats, 1)), ys = xs;
  return median_rate(threads, seconds, 12.0 * kFloats, [&](int t) {
           const float* x = xs[t].data();
           float* y = ys[t].data();
           for (size_t i = 0; i < kFloats; ++i) y[i] += 1e-9f * x[i];
         }) / 1e9;
}

}  // namespace

// machine_probe [threads] [seconds per figure]
int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::max(1, atoi(argv[1])) : 1;
  const double seconds = argc > 2 ? atof(argv[2]) : 0.3;
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f");
  printf("{\"driver\":\"machine-probe\",\"threads\":%d,\"gflops\":{", threads);
  if (avx2) printf("\"avx2\":%.1f", fma_gflops(fma_avx2, 8, threads, seconds));
  if (avx512) printf(",\"avx512\":%.1f", fma_gflops(fma_avx512, 16, threads, seconds));
  printf("},\"readGBs\":%.1f,", read_gbytes(threads, seconds));
  printf("\"axpyGBs\":%.1f}\n", axpy_gbytes(threads, seconds));
  return 0;
}
