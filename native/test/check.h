// Judgement: is an output within its kernel's stated bound, and are two outputs the same bits (any NaN equals any NaN)?
// Not here: the bounds themselves (kernels.def).
#pragma once

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <string>
#include <vector>

#include "../kernels/reference/real.h"
#include "../kernels/signature.h"

namespace anneal::test {

inline uint32_t bits_of(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  return bits;
}

// The same for every NaN.
inline uint32_t canonical(uint32_t bits) { return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits; }

inline bool same_bits(float a, float b) { return canonical(bits_of(a)) == canonical(bits_of(b)); }

inline double bound_terms(const KernelInfo& info, const int64_t* dims) {
  int64_t terms = info.bound.plus;
  for (const int8_t dim : info.bound.dim) terms += dim < 0 ? 0 : dims[dim];
  return static_cast<double>(terms);
}

// Beyond float32's range the kernel may rightly give an infinity or a NaN; with `huge` inputs, which reach its end, an
// intermediate result may leave it even where the final one does not.
inline bool within(double got, const Real& want, double terms, bool huge) {
  if (isfinite(want.value) && !(want.magnitude <= 0.99 * FLT_MAX)) return true;
  if (huge && !isfinite(got)) return true;
  if (isnan(want.value)) return isnan(got);
  if (isinf(want.value)) return got == want.value;
  return fabs(got - want.value) <= (terms + 1) * (0x1p-24 * want.magnitude * 1.01 + 0x1p-149);
}

// Element i of an output, exactly.
inline double element(const std::vector<char>& bytes, Dtype dtype, size_t i) {
  float f;
  int32_t n;
  double d;
  if (dtype == Dtype::f64) return memcpy(&d, bytes.data() + 8 * i, 8), d;
  if (dtype == Dtype::i32) return memcpy(&n, bytes.data() + 4 * i, 4), n;
  return memcpy(&f, bytes.data() + 4 * i, 4), f;
}

// Empty when output `buffer` is right, else what is wrong with its first wrong element.
inline std::string judge(const KernelInfo& info, const BufferSpec& buffer, const int64_t* dims,
                         const std::vector<char>& got, const std::vector<Real>& want, bool huge) {
  for (size_t i = 0; i < want.size(); ++i) {
    const double value = element(got, buffer.dtype, i);
    const bool right = buffer.dtype == Dtype::i32 ? value == want[i].value
                       : info.bound.exact ? same_bits(static_cast<float>(value), static_cast<float>(want[i].value))
                                          : within(value, want[i], bound_terms(info, dims), huge);
    if (right) continue;
    char text[200];
    snprintf(text, sizeof text, "%s[%zu]: expected %.9g (magnitude %.3g) but received %.9g", buffer.name.text, i,
             want[i].value, want[i].magnitude, value);
    return text;
  }
  return {};
}

// Whether two outputs are equal bit for bit; any NaN equals any NaN.
inline bool equal_outputs(const std::vector<char>& a, const std::vector<char>& b, Dtype dtype) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0, n = a.size() / (dtype == Dtype::f64 ? 8 : 4); i < n; ++i) {
    const double x = element(a, dtype, i), y = element(b, dtype, i);
    if (x == y ? signbit(x) != signbit(y) : !isnan(x) || !isnan(y)) return false;
  }
  return true;
}

// FNV-1a over the canonical words.
inline void hash_output(uint64_t& hash, const std::vector<char>& output, Dtype dtype) {
  for (size_t i = 0; i < output.size(); i += 4) {
    uint32_t word;
    memcpy(&word, output.data() + i, 4);
    if (dtype == Dtype::f32) word = canonical(word);
    for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ ((word >> shift) & 255)) * 0x100000001b3u;
  }
}

}  // namespace anneal::test
