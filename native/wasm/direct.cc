// A kernel call by plain numbers, without Node-API, whose handles cost twenty times as much in WebAssembly: whoever
// calls (src/native/wasm.ts) has put buffers into this memory and proven that they are long enough. What is left to
// check here are row numbers, which are in the buffers.
#include "../kernels/dispatch.h"
#include "../kernels/signature.h"

namespace anneal {
namespace {

// Addresses (0 for an absent buffer), dims and scalars, in the order of the kernel's line.
double frame[kMaxBuffers + kMaxDims + kMaxScalars];

bool rows_exist(const KernelInfo& kernel, const Call& call) {
  for (int b = 0; b < kernel.buffer_count; b++) {
    const BufferSpec& spec = kernel.buffers[b];
    const int limit = row_limit(kernel, spec);
    if (limit < 0 || !call.buffer[b]) continue;
    const int64_t size = extent(spec, call.dim);
    if (first_outside(static_cast<const int32_t*>(call.buffer[b]), size, call.dim[limit]) != size) return false;
  }
  return true;
}

}  // namespace
}  // namespace anneal

extern "C" double* anneal_frame() { return anneal::frame; }

// Runs a kernel on the frame; false, and nothing done, where a row number is out of range.
extern "C" bool anneal_call(int id) {
  const anneal::KernelInfo& kernel = anneal::kernel_info(id);
  anneal::Call call;
  const double* next = anneal::frame;
  for (int b = 0; b < kernel.buffer_count; b++)
    call.buffer[b] = reinterpret_cast<void*>(static_cast<uintptr_t>(*next++));
  for (int d = 0; d < kernel.dim_count; d++) call.dim[d] = static_cast<int64_t>(*next++);
  for (int s = 0; s < kernel.scalar_count; s++) call.scalar[s] = *next++;
  if (!anneal::rows_exist(kernel, call)) return false;
  anneal::active_kernels()[id](call);
  return true;
}
