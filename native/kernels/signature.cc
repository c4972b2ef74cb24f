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
  for (int i = 0; i < buffer.rank; ++i) count = checked_mul(count, dims[buffer.dim[i]]);
  return count;
}

bool may_alias(const KernelInfo& kernel, const BufferSpec& output, const BufferSpec& input) {
  if (input.role != Role::in || output.role != Role::out || input.dtype != output.dtype) return false;
  if (output.rank != kernel.dim_count || input.rank != output.rank || input.factor != output.factor) return false;
  for (int i = 0; i < output.rank; ++i) {
    if (output.dim[i] != input.dim[i]) return false;
  }
  return true;
}

}  // namespace anneal
