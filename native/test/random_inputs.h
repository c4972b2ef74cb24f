// Random calls for a kernel: sizes, which optionals are present, and what the buffers hold, all from one seed and with
// arithmetic that is exact on every machine (outputs are hashed and compared across them).
// Not here: memory (blocks.h) and judgement (check.h).
#pragma once

#include <stdint.h>
#include <string.h>

#include <limits>
#include <vector>

#include "../kernels/signature.h"

namespace anneal::test {

// SplitMix64.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  int64_t below(int64_t n) { return static_cast<int64_t>(next() % static_cast<uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  // Mean 0, variance 1, bell-shaped; a sum of uniforms because libm's functions differ between machines.
  double bell() { return (uniform() + uniform() + uniform() - 1.5) * 2; }

 private:
  uint64_t state_;
};

// What a case's float inputs look like. The largest finite values are apart from the infinities, and so are the
// smallest: where a product of them overflows or vanishes in float32 but not in float64, an infinity would make the two
// differ in kind.
enum class Texture { bell, ties, wide, tiny, huge, small, special };

inline Texture random_texture(Rng& rng) {
  constexpr Texture textures[] = {Texture::bell, Texture::bell, Texture::bell, Texture::bell,  Texture::ties,
                                  Texture::wide, Texture::tiny, Texture::huge, Texture::small, Texture::special};
  return textures[rng.below(10)];
}

inline float special_value(Rng& rng) {
  using limits = std::numeric_limits<float>;
  const float values[] = {limits::quiet_NaN(), limits::infinity(), -limits::infinity(), 0.0f, -0.0f, 1.0f};
  return values[rng.below(static_cast<int64_t>(sizeof values / sizeof *values))];
}

inline float small_value(Rng& rng) {
  using limits = std::numeric_limits<float>;
  const float values[] = {
      limits::denorm_min(), -limits::denorm_min(), limits::min(), -limits::min(), 0.0f, -0.0f, 1.0f};
  return values[rng.below(static_cast<int64_t>(sizeof values / sizeof *values))];
}

inline float random_float(Rng& rng, Texture texture) {
  const double bell = rng.bell();
  switch (texture) {
    case Texture::bell: return static_cast<float>(bell);
    case Texture::ties: return static_cast<float>(rng.below(5) - 2);
    case Texture::wide: return static_cast<float>(bell * static_cast<double>(int64_t{1} << rng.below(40)) * 0x1p-20);
    case Texture::tiny: return static_cast<float>(bell * 0x1p-130);
    case Texture::huge: return bell < -1 ? -std::numeric_limits<float>::max() : static_cast<float>(bell * 1e38);
    case Texture::small: return rng.chance(10) ? small_value(rng) : static_cast<float>(bell);
    case Texture::special: return rng.chance(10) ? special_value(rng) : static_cast<float>(bell);
  }
  return 0;
}

// Mostly valid labels; now and then one that a caller should have refused, which must not touch foreign memory.
inline int32_t random_label(Rng& rng, int64_t classes) {
  const int32_t strange[] = {-1, -100, static_cast<int32_t>(classes), std::numeric_limits<int32_t>::min(),
                             std::numeric_limits<int32_t>::max()};
  if (classes == 0 || rng.chance(3)) return strange[rng.below(5)];
  return static_cast<int32_t>(rng.below(classes));
}

// A scalar of an update: switches and coefficients alike are zero now and then, and one, but not eps: without it a
// square that float32 loses is divided by. A float64 buffer without fields holds the like.
inline double random_coefficient(Rng& rng, const BufferSpec& buffer, int64_t i) {
  if (buffer.fields && !strcmp(field_name(buffer, i).text, "eps")) return 0.01 + rng.uniform();
  return rng.chance(33) ? 0.0 : rng.chance(10) ? 1.0 : rng.uniform();
}

inline double random_scalar(Rng& rng, const char* name, const int64_t* dims) {
  if (!strcmp(name, "reduction")) return static_cast<double>(rng.below(3));
  if (!strcmp(name, "ignore_index")) return rng.chance(50) ? -100.0 : static_cast<double>(rng.below(dims[1] + 1));
  if (!strcmp(name, "eps")) return 0.01 + rng.uniform();
  if (!strcmp(name, "padding")) return static_cast<double>(rng.below(dims[2] + 1) - 1);
  if (!strcmp(name, "label_smoothing")) return rng.chance(50) ? 0.0 : rng.chance(20) ? 1.0 : rng.uniform();
  if (!strcmp(name, "momentum")) return rng.chance(20) ? -1.0 : rng.uniform();
  if (!strcmp(name, "start")) return static_cast<double>(rng.below(2 * dims[1] + 2) - dims[1]);
  if (!strcmp(name, "step")) return rng.chance(50) ? 1.0 : static_cast<double>(rng.below(5) - 2);
  if (!strcmp(name, "reverse")) return static_cast<double>(rng.below(2));
  if (!strcmp(name, "unbias") || !strcmp(name, "ratio")) return 1 + rng.uniform();
  for (const char* option : {"slope", "alpha", "beta", "delta", "threshold"}) {
    if (!strcmp(name, option)) return rng.chance(20) ? static_cast<double>(rng.below(2)) : 3 * rng.uniform();
  }
  return random_float(rng, random_texture(rng));
}

// Rows of an empty set cannot be asked for.
inline void make_possible(const KernelInfo& info, int64_t* dims) {
  if (!strcmp(info.dims[0].text, "rows") && dims[0] == 0) dims[info.dim_count - 1] = 0;
}

// Means of squares, variances and what else is not negative, by name; weights and scales, which are ordinary numbers
// too.
inline bool is_square(const char* name) {
  for (const char* part : {"sq", "var", "sum", "acc_delta", "exp_inf"}) {
    if (strstr(name, part)) return true;
  }
  return false;
}

inline float random_element(Rng& rng, const char* name, Texture texture) {
  const bool weight = !strcmp(name, "weight") || !strcmp(name, "rstd");
  const float f = random_float(rng, weight ? Texture::bell : texture);
  return (weight || is_square(name)) && f < 0 ? -f : f;
}

// The contents of one buffer, as bytes. Labels lie in the last dim, row numbers in the first.
inline std::vector<char> random_contents(Rng& rng, const KernelInfo& info, const BufferSpec& buffer,
                                         const int64_t* dims, Texture texture) {
  const int64_t count = extent(buffer, dims);
  const auto width = static_cast<size_t>(element_size(buffer.dtype));
  std::vector<char> bytes(static_cast<size_t>(count) * width);
  const bool order = !strcmp(buffer.name.text, "order");
  for (int64_t i = 0; i < count; ++i) {
    char* at = bytes.data() + static_cast<size_t>(i) * width;
    const float value = random_element(rng, buffer.name.text, texture);
    const int32_t label =
        order ? static_cast<int32_t>(rng.below(dims[0])) : random_label(rng, dims[info.dim_count - 1]);
    const double coefficient = random_coefficient(rng, buffer, i);
    const uint64_t bits = width < sizeof value ? rng.next() : 0;
    memcpy(at,
           buffer.dtype == Dtype::f64   ? static_cast<const void*>(&coefficient)
           : buffer.dtype == Dtype::i32 ? static_cast<const void*>(&label)
           : buffer.dtype == Dtype::f32 ? static_cast<const void*>(&value)
                                        : static_cast<const void*>(&bits),
           width);
  }
  return bytes;
}

}  // namespace anneal::test
