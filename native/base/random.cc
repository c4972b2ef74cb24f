// The MT19937 engine and PyTorch's and NumPy's ways of drawing from it; see random.h. Every rounding here is part of
// the contract: std::fma where the original is fused, separate operations (-ffp-contract=off) where it is not.
#include "random.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace anneal {

void Mt19937::seed(uint32_t value) {
  word[0] = value;
  for (uint32_t j = 1; j < kWords; j++) word[j] = 1812433253u * (word[j - 1] ^ (word[j - 1] >> 30)) + j;
  position = kWords;
}

void Mt19937::seed(const uint32_t* key, size_t length) {
  seed(19650218u);
  size_t i = 1, j = 0;
  auto advance = [&] {
    if (++i >= kWords) {
      word[0] = word[kWords - 1];
      i = 1;
    }
  };
  for (size_t k = std::max<size_t>(kWords, length); k; k--) {
    word[i] = (word[i] ^ ((word[i - 1] ^ (word[i - 1] >> 30)) * 1664525u)) + key[j] + static_cast<uint32_t>(j);
    advance();
    if (++j >= length) j = 0;
  }
  for (size_t k = kWords - 1; k; k--) {
    word[i] = (word[i] ^ ((word[i - 1] ^ (word[i - 1] >> 30)) * 1566083941u)) - static_cast<uint32_t>(i);
    advance();
  }
  word[0] = 0x80000000u;
}

void Mt19937::twist() {
  constexpr int kShift = 397;
  auto mixed = [this](int low, int high, int far) {
    uint32_t y = (word[low] & 0x80000000u) | (word[high] & 0x7fffffffu);
    word[low] = word[far] ^ (y >> 1) ^ (-(y & 1u) & 0x9908b0dfu);
  };
  int k = 0;
  for (; k < kWords - kShift; k++) mixed(k, k + 1, k + kShift);
  for (; k < kWords - 1; k++) mixed(k, k + 1, k + kShift - kWords);
  mixed(kWords - 1, 0, kShift - 1);
  position = 0;
}

void RandomStream::reseed(uint64_t value) {
  engine.seed(static_cast<uint32_t>(value));
  seed = value;
  has_kept = false;
  kept = 0;
}

void RandomStream::reseed(const uint32_t* key, size_t length) {
  reseed(uint64_t{0});
  engine.seed(key, length);
}

namespace torch_rng {
namespace {

constexpr double kPi = 3.14159265358979323846;

template <typename T> T unit(Mt19937& engine);
template <> float unit<float>(Mt19937& engine) { return (engine.next32() & 0xffffffu) * 0x1p-24f; }
template <> double unit<double>(Mt19937& engine) {
  return static_cast<double>(engine.next64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
}

// Natural logarithm of a normal x > 0 and sine/cosine of x >= 0, the single-precision polynomials of Cephes with every
// multiply-add fused, as PyTorch's vector kernel evaluates them.
float cephes_log(float x) {
  static const float kCoefficients[] = {-1.1514610310e-1f, 1.1676998740e-1f,  -1.2420140846e-1f, 1.4249322787e-1f,
                                        -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f};
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  float e = static_cast<float>(static_cast<int32_t>(bits >> 23) - 126);
  bits = (bits & 0x007fffffu) | 0x3f000000u;
  float m;
  std::memcpy(&m, &bits, sizeof m);
  bool low = m < 0.707106781186547524f;
  if (low) e -= 1.0f;
  m = (m - 1.0f) + (low ? m : 0.0f);
  float z = m * m;
  float y = 7.0376836292e-2f;
  for (float c : kCoefficients) y = std::fma(y, m, c);
  y = std::fma(y * m, z, e * -2.12194440e-4f);
  y = std::fma(-z, 0.5f, y);
  return std::fma(e, 0.693359375f, m + y);
}

struct SinCos {
  float sin, cos;
};

SinCos cephes_sincos(float x) {
  int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  float y = static_cast<float>(octant);
  x = std::fma(y, -0.78515625f, x);
  x = std::fma(y, -2.4187564849853515625e-4f, x);
  x = std::fma(y, -3.77489497744594108e-8f, x);
  float z = x * x;
  float c = std::fma(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = std::fma(c, z, 4.166664568298827e-2f);
  c = std::fma(c * z, z, -(z * 0.5f)) + 1.0f;
  float s = std::fma(-1.9515295891e-4f, z, 8.3321608736e-3f);
  s = std::fma(s, z, -1.6666654611e-1f);
  s = std::fma(s * z, x, x);
  bool swapped = octant & 2;
  float sine = swapped ? c : s, cosine = swapped ? s : c;
  return {(octant & 4) ? -sine : sine, ((octant - 2) & 4) ? cosine : -cosine};
}

// One block of 16 uniforms becomes 16 normals.
void box_muller(float* block, float mean, float std) {
  for (int j = 0; j < 8; j++) {
    float radius = std::sqrt(-2.0f * cephes_log(1.0f - block[j]));
    SinCos angle = cephes_sincos(static_cast<float>(2.0 * kPi) * block[j + 8]);
    block[j] = std::fma(radius * angle.cos, std, mean);
    block[j + 8] = std::fma(radius * angle.sin, std, mean);
  }
}

void box_muller(double* block, double mean, double std) {
  for (int j = 0; j < 8; j++) {
    double radius = std::sqrt(-2.0 * std::log(1.0 - block[j]));
    double theta = 2.0 * kPi * block[j + 8];
    block[j] = std::fma(radius * std::cos(theta), std, mean);
    block[j + 8] = std::fma(radius * std::sin(theta), std, mean);
  }
}

double one_normal(RandomStream& stream) {
  if (stream.has_kept) {
    stream.has_kept = false;
    return stream.kept;
  }
  double u1 = unit<double>(stream.engine), u2 = unit<double>(stream.engine);
  double radius = std::sqrt(-2.0 * std::log1p(-u2));
  double theta = 2.0 * kPi * u1;
  stream.kept = radius * std::sin(theta);
  stream.has_kept = true;
  return radius * std::cos(theta);
}

uint64_t full_range(Mt19937& engine, int32_t) { return engine.next32() & 0x7fffffffu; }
uint64_t full_range(Mt19937& engine, float) { return engine.next32() % ((uint32_t{1} << 24) + 1); }
uint64_t full_range(Mt19937& engine, double) { return engine.next64() % ((uint64_t{1} << 53) + 1); }

}  // namespace

template <typename T> void uniform(Mt19937& engine, T* out, int64_t n, double from, double to) {
  T low = static_cast<T>(from), width = static_cast<T>(to) - low;
  for (int64_t i = 0; i < n; i++) out[i] = std::fma(unit<T>(engine), width, low);
}

template <typename T> void normal(RandomStream& stream, T* out, int64_t n, double mean, double std) {
  constexpr int64_t kBlock = 16;
  if (n < kBlock) {
    for (int64_t i = 0; i < n; i++) out[i] = static_cast<T>(std::fma(one_normal(stream), std, mean));
    return;
  }
  for (int64_t i = 0; i < n; i++) out[i] = unit<T>(stream.engine);
  T center = static_cast<T>(mean), scale = static_cast<T>(std);
  for (int64_t i = 0; i + kBlock <= n; i += kBlock) box_muller(out + i, center, scale);
  if (n % kBlock == 0) return;
  T* last = out + n - kBlock;  // the last 16 are drawn anew, overwriting part of the last full block
  for (int64_t i = 0; i < kBlock; i++) last[i] = unit<T>(stream.engine);
  box_muller(last, center, scale);
}

template <typename T> void bernoulli(Mt19937& engine, T* out, int64_t n, double p) {
  const T outcome[2] = {0, 1};  // a branch would be mispredicted every other time
  for (int64_t i = 0; i < n; i++) out[i] = outcome[unit<double>(engine) < p];
}

template <typename T> void integers(Mt19937& engine, T* out, int64_t n, int64_t low, uint64_t span) {
  bool wide = span >= (uint64_t{1} << 28);
  for (int64_t i = 0; i < n; i++) {
    uint64_t bits = wide ? engine.next64() : engine.next32();
    out[i] = static_cast<T>(static_cast<int64_t>(bits % span) + low);
  }
}

template <typename T> void integers_full(Mt19937& engine, T* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<T>(full_range(engine, T{}));
}

void randperm(Mt19937& engine, int32_t* out, int64_t n) {
  if (n < std::numeric_limits<uint32_t>::max() / 20) {
    for (int64_t i = 0; i < n; i++) out[i] = static_cast<int32_t>(i);
    for (int64_t i = 0; i < n - 1; i++) std::swap(out[i], out[i + engine.next32() % static_cast<uint32_t>(n - i)]);
    return;
  }
  for (int64_t i = 0; i < n; i++) {  // the inside-out shuffle on 64 bits, where 32 would show their bias
    int64_t j = static_cast<int64_t>(engine.next64() % static_cast<uint64_t>(i + 1));
    out[i] = static_cast<int32_t>(i);
    out[i] = out[j];
    out[j] = static_cast<int32_t>(i);
  }
}

void seeded_randperm(Mt19937& engine, int32_t* out, int64_t n) {
  Mt19937 own;
  own.seed(static_cast<uint32_t>(engine.next64()));
  randperm(own, out, n);
}

template void uniform<float>(Mt19937&, float*, int64_t, double, double);
template void uniform<double>(Mt19937&, double*, int64_t, double, double);
template void normal<float>(RandomStream&, float*, int64_t, double, double);
template void normal<double>(RandomStream&, double*, int64_t, double, double);
template void bernoulli<float>(Mt19937&, float*, int64_t, double);
template void bernoulli<double>(Mt19937&, double*, int64_t, double);
template void bernoulli<int32_t>(Mt19937&, int32_t*, int64_t, double);
template void bernoulli<uint8_t>(Mt19937&, uint8_t*, int64_t, double);
template void integers<float>(Mt19937&, float*, int64_t, int64_t, uint64_t);
template void integers<double>(Mt19937&, double*, int64_t, int64_t, uint64_t);
template void integers<int32_t>(Mt19937&, int32_t*, int64_t, int64_t, uint64_t);
template void integers_full<float>(Mt19937&, float*, int64_t);
template void integers_full<double>(Mt19937&, double*, int64_t);
template void integers_full<int32_t>(Mt19937&, int32_t*, int64_t);

}  // namespace torch_rng

namespace numpy_rng {
namespace {

double gauss(RandomStream& stream) {
  if (stream.has_kept) {
    stream.has_kept = false;
    return stream.kept;
  }
  double x1, x2, r2;
  do {
    x1 = 2.0 * uniform01(stream.engine) - 1.0;
    x2 = 2.0 * uniform01(stream.engine) - 1.0;
    r2 = x1 * x1 + x2 * x2;
  } while (r2 >= 1.0 || r2 == 0.0);
  double f = std::sqrt(-2.0 * std::log(r2) / r2);
  stream.kept = f * x1;
  stream.has_kept = true;
  return f * x2;
}

// Singular values and right rotation of the upper triangle [[f, g], [0, h]]: [[cosine, sine], [-sine, cosine]] has the
// right singular vectors as rows. LAPACK's dlasv2, whose signs NumPy's samples inherit.
struct TriangleSvd {
  double largest, smallest, cosine, sine;
};

TriangleSvd triangle_svd(double f, double g, double h) {
  double ft = f, fa = std::fabs(f), ht = h, ha = std::fabs(h);
  bool swapped = ha > fa;
  if (swapped) std::swap(ft, ht), std::swap(fa, ha);
  double ga = std::fabs(g);
  double large = fa, small = ha, clt = 1, crt = 1, slt = 0, srt = 0;
  int largest_is = swapped ? 3 : 1;  // of f, g, h
  if (ga != 0) {
    if (ga > fa && fa / ga < 0x1p-53) {
      largest_is = 2;
      large = ga;
      small = ha > 1 ? fa / (ga / ha) : (fa / ga) * ha;
      slt = ht / g;
      srt = 1;
      crt = ft / g;
    } else {
      double d = fa - ha, l = d == fa ? 1 : d / fa, m = g / ft, t = 2 - l;
      double mm = m * m, s = std::sqrt(t * t + mm), r = l == 0 ? std::fabs(m) : std::sqrt(l * l + mm);
      double a = 0.5 * (s + r);
      small = ha / a;
      large = fa * a;
      if (mm != 0) t = (m / (s + t) + m / (r + l)) * (1 + a);
      else if (l == 0) t = std::copysign(2.0, ft) * std::copysign(1.0, g);
      else t = g / std::copysign(d, ft) + m / t;
      l = std::sqrt(t * t + 4);
      crt = 2 / l;
      srt = t / l;
      clt = (crt + srt * m) / a;
      slt = (ht / ft) * srt / a;
    }
  }
  double csl = swapped ? srt : clt, snl = swapped ? crt : slt, csr = swapped ? slt : crt, snr = swapped ? clt : srt;
  auto sign = [](double x) { return std::copysign(1.0, x); };
  double positive = largest_is == 1 ? sign(csr) * sign(csl) * sign(f)
                    : largest_is == 2 ? sign(snr) * sign(csl) * sign(g) : sign(snr) * sign(snl) * sign(h);
  return {std::copysign(large, positive), std::copysign(small, positive * sign(f) * sign(h)), csr, snr};
}

// sqrt(x^2 + y^2), rounded once but for rare cases. Not std::hypot: its last bit depends on the C library's version.
double length_2(double x, double y) {
  long double a = x, b = y;
  return static_cast<double>(std::sqrt(a * a + b * b));
}

// factor = sqrt(s)[:,None] * vt for a 2x2 covariance with c10 != 0: one Householder reflection, then the triangle.
void factor_2x2(const double* cov, double* factor) {
  double beta = -std::copysign(length_2(cov[0], cov[2]), cov[0]);
  double tau = (beta - cov[0]) / beta, v = cov[2] / (cov[0] - beta);
  double w = cov[1] + v * cov[3];
  TriangleSvd svd = triangle_svd(beta, cov[1] - tau * w, cov[3] - tau * v * w);
  double rows[2][3] = {{svd.largest, svd.cosine, svd.sine}, {svd.smallest, -svd.sine, svd.cosine}};
  if (std::fabs(rows[0][0]) < std::fabs(rows[1][0])) std::swap(rows[0], rows[1]);
  for (int i = 0; i < 2; i++) {
    double root = std::sqrt(std::fabs(rows[i][0])), flip = rows[i][0] < 0 ? -1 : 1;
    for (int j = 0; j < 2; j++) factor[2 * i + j] = root * (flip * rows[i][1 + j]);
  }
}

bool is_diagonal(const double* cov, int64_t d) {
  for (int64_t i = 0; i < d * d; i++) {
    if (i / d != i % d && cov[i] != 0) return false;
  }
  return true;
}

// Variances from the largest to the smallest; equal ones in the order that LAPACK's three selection sorts in a row
// (dbdsqr, dlasdq, dbdsdc) leave them in.
std::vector<int64_t> variance_order(const double* cov, int64_t d) {
  std::vector<int64_t> order(d);
  for (int64_t i = 0; i < d; i++) order[i] = i;
  auto variance = [&](int64_t i) { return cov[order[i] * (d + 1)]; };
  for (int64_t last = d - 1; last > 0; last--) {
    int64_t pick = 0;
    for (int64_t j = 1; j <= last; j++) pick = variance(j) <= variance(pick) ? j : pick;
    std::swap(order[pick], order[last]);
  }
  for (int direction : {-1, 1}) {
    for (int64_t i = 0; i < d; i++) {
      int64_t pick = i;
      for (int64_t j = i + 1; j < d; j++) pick = direction * variance(j) > direction * variance(pick) ? j : pick;
      std::swap(order[i], order[pick]);
    }
  }
  return order;
}

// Row k of the factor has the k-th largest deviation in its own column.
void factor_diagonal(const double* cov, int64_t d, double* factor) {
  std::vector<int64_t> order = variance_order(cov, d);
  for (int64_t k = 0; k < d; k++) factor[k * d + order[k]] = std::sqrt(cov[order[k] * (d + 1)]);
}

}  // namespace

double uniform01(Mt19937& engine) {
  uint32_t a = engine.next32() >> 5, b = engine.next32() >> 6;
  return (a * 67108864.0 + b) / 9007199254740992.0;
}

void uniform(Mt19937& engine, double* out, int64_t n, double low, double high) {
  double width = high - low;
  for (int64_t i = 0; i < n; i++) out[i] = low + width * uniform01(engine);
}

void normal(RandomStream& stream, double* out, int64_t n, double mean, double std) {
  for (int64_t i = 0; i < n; i++) out[i] = mean + std * gauss(stream);
}

uint64_t interval(Mt19937& engine, uint64_t max) {
  if (max == 0) return 0;
  uint64_t mask = max, value;
  for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
  do value = (max > 0xffffffffu ? engine.next64() : engine.next32()) & mask;
  while (value > max);
  return value;
}

void integers(Mt19937& engine, int32_t* out, int64_t n, int64_t low, int64_t high) {
  uint64_t max = static_cast<uint64_t>(high - 1 - low);
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<int32_t>(low + static_cast<int64_t>(interval(engine, max)));
}

void shuffle(Mt19937& engine, int32_t* values, int64_t n) {
  for (int64_t i = n - 1; i > 0; i--) std::swap(values[i], values[interval(engine, static_cast<uint64_t>(i))]);
}

bool multivariate_normal(RandomStream& stream, double* out, int64_t n, const double* mean, const double* cov, int64_t d) {
  bool diagonal = is_diagonal(cov, d);
  if (!diagonal && d > 2) return false;
  std::vector<double> factor(d * d), z(d);
  if (diagonal) factor_diagonal(cov, d, factor.data());
  else factor_2x2(cov, factor.data());
  for (int64_t row = 0; row < n; row++, out += d) {
    for (double& value : z) value = gauss(stream);
    for (int64_t j = 0; j < d; j++) {
      double sum = 0;
      for (int64_t k = 0; k < d; k++) sum += z[k] * factor[k * d + j];
      out[j] = sum + mean[j];
    }
  }
  return true;
}

}  // namespace numpy_rng
}  // namespace anneal
