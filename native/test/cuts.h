// Ranges of a dim, cut out of buffers and put back, as machines that share a call's work do. Not here: which dim of a
// kernel may be cut (`along` in kernels.def).
#pragma once

#include <string.h>

#include <vector>

#include "../kernels/signature.h"

namespace anneal::test {

// What a dim is cut in: whole panels where some buffer pads it.
inline int64_t granule(const KernelInfo& info, int dim) {
  for (int b = 0; b < info.buffer_count; ++b) {
    for (int i = 0; i < info.buffers[b].rank; ++i) {
      if (info.buffers[b].dim[i] == dim && info.buffers[b].padded[i]) return kPanelWidth;
    }
  }
  return 1;
}

// A buffer in memory as [before][dim][after], in elements, of which a range of the dim is meant.
struct Cut {
  int64_t before = 1, size = 1, after = 1, from = 0, to = 1;

  int64_t length() const { return before * (to - from) * after; }
};

// Elements from..to of dim `dim`; all of a buffer that does not have it.
inline Cut cut_of(const BufferSpec& buffer, const int64_t* dims, int dim, int64_t from, int64_t to) {
  const auto panels = [](int64_t n) { return (n + kPanelWidth - 1) / kPanelWidth; };
  int at = -1;
  for (int i = 0; i < buffer.rank; ++i) {
    if (buffer.dim[i] == dim) at = i;
  }
  const int64_t all = extent(buffer, dims);
  if (at < 0 || all == 0) return {1, all, 1, 0, all};
  const int64_t size = dims[dim];
  if (buffer.padded[at]) return {1, panels(size), all / panels(size), panels(from), panels(to)};
  if (!buffer.padded[buffer.rank - 1]) return {1, size, all / size, from, to};
  return {panels(dims[buffer.dim[buffer.rank - 1]]), size, kPanelWidth, from, to};
}

// Copies the meant part out of the whole, or back into it.
inline void copy_cut(const Cut& cut, size_t element, char* whole, char* part, bool back) {
  const size_t run = static_cast<size_t>((cut.to - cut.from) * cut.after) * element;
  for (int64_t i = 0; run && i < cut.before; ++i) {
    char* place = whole + static_cast<size_t>((i * cut.size + cut.from) * cut.after) * element;
    memcpy(back ? place : part + i * run, back ? part + i * run : place, run);
  }
}

}  // namespace anneal::test
