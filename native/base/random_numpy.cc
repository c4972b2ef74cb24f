// NumPy's legacy ways of drawing; see random.h. Every rounding here is part of the contract, as in random.cc.
#include "random.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "fma.h"
#include "stream_math.h"

namespace anneal {
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
  double f = std::sqrt(-2.0 * stream_math().log(r2) / r2);
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
  double positive = largest_is == 1   ? sign(csr) * sign(csl) * sign(f)
                    : largest_is == 2 ? sign(snr) * sign(csl) * sign(g)
                                      : sign(snr) * sign(snl) * sign(h);
  return {std::copysign(large, positive), std::copysign(small, positive * sign(f) * sign(h)), csr, snr};
}

// sqrt(x^2 + y^2), rounded once but for rare cases: the squares' sum and the root carry what their roundings lost. Not
// std::hypot: its last bit depends on the C library's version.
double length_2(double x, double y) {
  x = std::fabs(x), y = std::fabs(y);
  if (x < y) std::swap(x, y);
  if (y == 0) return x;
  const int exponent = std::ilogb(x);
  x = std::scalbn(x, -exponent), y = std::scalbn(y, -exponent);
  const double xx = x * x, yy = y * y, sum = xx + yy;
  const double lost = (xx - sum) + yy + (fma(x, x, -xx) + fma(y, y, -yy));
  const double root = std::sqrt(sum);
  return std::scalbn(root + (fma(-root, root, sum) + lost) / (2 * root), exponent);
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

bool multivariate_normal(RandomStream& stream, double* out, int64_t n, const double* mean, const double* cov,
                         int64_t d) {
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
