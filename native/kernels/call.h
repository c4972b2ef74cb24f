// One kernel call, the same for eager execution, the compiled plan and every test: buffers, sizes and scalars in the
// order in which the kernel's line in kernels.def names them. Not here: what the numbers mean (kernels.def) or whether
// they are in bounds (binding/exec.cc for eager calls, plan/program.cc for plans; kernels trust their caller).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace anneal {

constexpr int kMaxBuffers = 12;
constexpr int kMaxDims = 6;
constexpr int kMaxScalars = 6;

// The batch that the next step gathers, for the last kernel that reads this step's: it may put the one in the place of
// the other while it computes, where a gather of its own would wait for memory.
struct NextBatch {
  const float* data;    // [.., k]
  const int32_t* rows;  // [m] of row numbers
  float* x;             // [m, k^] this step's batch, an input of the call
};

struct Call {
  void* buffer[kMaxBuffers];  // null for an absent optional
  int64_t dim[kMaxDims];      // each in [0, 2^31 - 1]
  double scalar[kMaxScalars];
  // The share of the outputs to compute, for kernels marked `split` in kernels.def. Those marked `sum` want a call with
  // part -1 before all parts and one with part = parts after them.
  int32_t part = 0, parts = 1;
  const NextBatch* next = nullptr;  // for kernels marked `prefetch`, which then replace the batch; null: it stays
};

using KernelFn = void (*)(const Call&);

}  // namespace anneal
