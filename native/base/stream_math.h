// The arithmetic of the random streams, one table per kind of processor: with an instruction for the fused multiply-add
// and without, bits alike. Not here: what is drawn, and in which order (random.h).
#pragma once

#include <stdint.h>

namespace anneal {

struct StreamMath {
  // x[i] = fma(x[i], width, low)
  void (*scale_f32)(float* x, int64_t n, float width, float low);
  void (*scale_f64)(double* x, int64_t n, double width, double low);

  // Blocks of 16 uniforms in [0, 1) become 16 normals each, as in PyTorch's kernel for AVX2: x[j] gives the radius and
  // x[j + 8] the angle of the normals that take their places, j < 8.
  void (*box_muller_f32)(float* x, int64_t blocks, float mean, float std);
  void (*box_muller_f64)(double* x, int64_t blocks, double mean, double std);

  // Two standard normals of two uniforms in [0, 1), as PyTorch makes a few.
  void (*normal_pair)(double u1, double u2, double* pair);

  double (*log)(double x);
};

// The table for chosen_isa().
const StreamMath& stream_math();

}  // namespace anneal
