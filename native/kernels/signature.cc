// The parsed table of kernels.def and the questions about it. See signature.h.
#include "signature.h"

#include "../base/sizes.h"
#include "parse.h"

namespace anneal {
namespace {

enum Id {
#define KERNEL(name, signature, bound) id_##name,
#include "kernels.def"
#undef KERNEL
  kCount
};

constexpr KernelInfo kInfos[] = {
#define KERNEL(name, signature, bound) parse_kernel(id_##name, #name, signature, #bound),
#include "kernels.def"
#undef KERNEL
};

// dim rounded up to a multiple of a panel's width; -1 when it is negative or too large.
int64_t whole_panels(int64_t dim) {
  const int64_t up = checked_add(dim, kPanelWidth - 1);
  return up < 0 ? -1 : up / kPanelWidth * kPanelWidth;
}

}  // namespace

int kernel_count() { return kCount; }

const KernelInfo& kernel_info(int id) { return kInfos[id]; }

int kernel_id(const char* name) {
  for (const KernelInfo& info : kInfos) {
    if (same_name(info.name, name)) return info.id;
  }
  return -1;
}

int64_t extent(const BufferSpec& buffer, const int64_t* dims) {
  int64_t count = buffer.factor;
  for (int i = 0; i < buffer.rank; ++i) {
    const int64_t dim = dims[buffer.dim[i]];
    count = checked_mul(count, buffer.padded[i] ? whole_panels(dim) : dim);
  }
  return count;
}

Name field_name(const BufferSpec& buffer, int64_t i) {
  Cursor cursor{buffer.fields};
  for (;; --i) {
    cursor.skip_spaces();
    const Name name = parse_name(cursor);
    if (i == 0) return name;
  }
}

bool may_alias(const KernelInfo& kernel, const BufferSpec& output, const BufferSpec& input) {
  if (input.role != Role::in || output.role != Role::out || input.dtype != output.dtype) return false;
  if (output.rank != kernel.dim_count || input.rank != output.rank || input.factor != output.factor) return false;
  for (int i = 0; i < output.rank; ++i) {
    if (output.dim[i] != input.dim[i] || output.padded[i] != input.padded[i]) return false;
  }
  return true;
}

int row_limit(const KernelInfo& kernel, const BufferSpec& buffer) {
  if (buffer.dtype != Dtype::i32 || buffer.role != Role::in) return -1;
  int8_t rows = -1;
  for (int8_t d = 0; d < kernel.dim_count; ++d) {
    if (same_name(kernel.dims[d].text, "rows")) rows = d;
  }
  for (int i = 0; i < buffer.rank; ++i) {
    if (buffer.dim[i] == rows) return -1;
  }
  return rows;
}

int64_t first_outside(const int32_t* numbers, int64_t count, int64_t limit) {
  constexpr int64_t kNoLimit = int64_t{1} << 31;  // every number that is not negative
  const uint32_t end = static_cast<uint32_t>(limit < kNoLimit ? limit : kNoLimit);
  constexpr int64_t kBlock = 64;  // looked at without a branch, which the compiler turns into words
  int64_t i = 0;
  for (uint32_t bad = 0; i + kBlock <= count; i += kBlock) {
    for (int64_t j = i; j < i + kBlock; ++j) bad |= static_cast<uint32_t>(static_cast<uint32_t>(numbers[j]) >= end);
    if (bad) break;
  }
  while (i < count && static_cast<uint32_t>(numbers[i]) < end) ++i;
  return i;
}

}  // namespace anneal
