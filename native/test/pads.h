// The pads of panels (kernels.def's n^): in inputs they are NaN, so that one that reached a result would show; in
// outputs they may be anything, so that they are blanked before a comparison.
// Not here: the outputs whose pads are zero (panels_test.cc).
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <vector>

#include "../kernels/signature.h"

namespace anneal::test {

// Whether element i is past the end of the dim that its buffer rounds up to panels: [n^/16][other dims][16].
inline bool is_pad(const BufferSpec& buffer, const int64_t* dims, int64_t i) {
  int64_t columns = -1, rows = 1;
  for (int d = 0; d < buffer.rank; ++d) {
    if (buffer.padded[d]) columns = dims[buffer.dim[d]];
    else rows *= dims[buffer.dim[d]];
  }
  return columns >= 0 && i / (rows * kPanelWidth) * kPanelWidth + i % kPanelWidth >= columns;
}

// f(i) for every pad of a buffer.
template <class F>
void each_pad(const BufferSpec& buffer, const int64_t* dims, F f) {
  bool padded = false;
  for (int d = 0; d < buffer.rank; ++d) padded = padded || buffer.padded[d];
  const int64_t count = padded ? extent(buffer, dims) : 0;
  for (int64_t i = 0; i < count; ++i) {
    if (is_pad(buffer, dims, i)) f(i);
  }
}

// Sets the pads of float32 contents.
inline void fill_pads(const BufferSpec& buffer, const int64_t* dims, float value, std::vector<char>& contents) {
  each_pad(buffer, dims, [&](int64_t i) { memcpy(contents.data() + 4 * i, &value, 4); });
}

}  // namespace anneal::test
