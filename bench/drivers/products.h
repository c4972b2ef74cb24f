// What the product contenders share: command line, operands, timing and the answer. A contender defines `product` and
// `version` and is a program of its own; nothing of anneal is in it.
//
//   forward  y[m,n]  = x[m,k] * w[n,k]^T
//   dw       dw[n,k] = dy[m,n]^T * x[m,k]
//   dx       dx[m,k] = dy[m,n] * w[n,k]
//
// All row-major, m rows of the batch, k inputs, n outputs, as in the trials. No bias, no mask, no update: the peers get
// the bare product, which favours them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

// C[rows, cols] = op(A) * op(B) over `inner`, row-major, with the leading dimensions of the stored matrices.
struct Gemm {
  bool transpose_a, transpose_b;
  int rows, cols, inner, lda, ldb, ldc;
};

void product(const Gemm& g, const float* a, const float* b, float* c);
std::string version();

inline double now_us() {
  using clock = std::chrono::steady_clock;
  return std::chrono::duration<double, std::micro>(clock::now().time_since_epoch()).count();
}

// A cache line. Operands begin with one, as a plan's do.
struct alignas(64) Line {
  float values[16];
};

class Operand {
 public:
  explicit Operand(size_t count) : lines_(count / 16 + 1) {}
  float* data() { return lines_[0].values; }

 private:
  std::vector<Line> lines_;
};

// The uniform stream of the other contenders (data.ts), shifted to [-0.5, 0.5).
inline Operand operand(size_t count, uint32_t offset) {
  Operand operand(count);
  float* const out = operand.data();
  for (size_t i = 0; i < count; ++i) {
    uint32_t h = static_cast<uint32_t>(i) + offset;
    h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
    h = (h ^ (h >> 13)) * 0xC2B2AE35u;
    h ^= h >> 16;
    out[i] = static_cast<float>(h >> 8) * 5.9604644775390625e-8f - 0.5f;
  }
  return operand;
}

inline Gemm gemm_of(const std::string& name, int m, int n, int k) {
  if (name == "forward") return {false, true, m, n, k, k, k, n};
  if (name == "dw") return {true, false, n, k, m, n, k, k};
  if (name == "dx") return {false, false, m, k, n, n, k, k};
  fprintf(stderr, "products: expected forward, dw or dx but received %s\n", name.c_str());
  exit(2);
}

// Microseconds per call over blocks of calls that fill `seconds` together.
inline std::vector<double> time_product(const Gemm& g, const float* a, const float* b, float* c, double seconds) {
  for (int i = 0; i < 3; ++i) product(g, a, b, c);
  const double start = now_us();
  product(g, a, b, c);
  const int calls = std::max(3, static_cast<int>(seconds * 1e6 / 5 / (now_us() - start)));
  std::vector<double> samples;
  for (int block = 0; block < 5; ++block) {
    const double begin = now_us();
    for (int i = 0; i < calls; ++i) product(g, a, b, c);
    samples.push_back((now_us() - begin) / calls);
  }
  return samples;
}

// <driver> product m n k seconds
int main(int argc, char** argv) {
  if (argc != 6) return fprintf(stderr, "products: expected product m n k seconds\n"), 2;
  const Gemm g = gemm_of(argv[1], atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
  Operand a = operand(static_cast<size_t>(g.rows) * g.inner, 0);
  Operand b = operand(static_cast<size_t>(g.inner) * g.cols, 0x40000000u);
  const size_t results = static_cast<size_t>(g.rows) * g.cols;
  Operand c(results);
  const double cpu = static_cast<double>(clock()), wall = now_us();
  const std::vector<double> samples = time_product(g, a.data(), b.data(), c.data(), atof(argv[5]));
  const double busy = (static_cast<double>(clock()) - cpu) * 1e6 / CLOCKS_PER_SEC / (now_us() - wall);
  double check = 0;
  for (size_t i = 0; i < results; ++i) check += static_cast<double>(c.data()[i]) * c.data()[i];
  printf("{\"version\":\"%s\",\"unit\":\"us\",\"check\":%.9g,\"busy\":%.3f,\"samples\":[", version().c_str(),
         check / results, busy);
  for (size_t i = 0; i < samples.size(); ++i) printf("%s%.4f", i ? "," : "", samples[i]);
  printf("]}\n");
  return 0;
}
