// Eager execution: one JavaScript function per line of kernels.def, its arguments checked against that line. Every
// buffer is at least as long as the kernel will touch before the kernel runs. Not here: arithmetic.
#include "exec.h"

#include "../kernels/dispatch.h"
#include "../kernels/signature.h"
#include "args.h"
#include "elements.h"

namespace anneal {
namespace {

constexpr size_t kMaxArgs = kMaxBuffers + kMaxDims + kMaxScalars;

int32_t* integers(const Args& args, size_t i, const KernelInfo& kernel, const BufferSpec& spec, const int64_t* dims,
                  int64_t size) {
  int32_t* data = args.array_of<int32_t>(i, spec.name.text, size);
  const int limit = row_limit(kernel, spec);
  if (limit < 0) return data;
  const int64_t bad = first_outside(data, size, dims[limit]);
  if (bad == size) return data;
  args.refuse_range(spec.name.text, "rows below " + std::to_string(dims[limit]), std::to_string(data[bad]));
}

void* buffer_argument(const Args& args, size_t i, const KernelInfo& kernel, const BufferSpec& spec,
                      const int64_t* dims) {
  if (spec.optional && args.is_nullish(i)) return nullptr;
  int64_t size = extent(spec, dims);
  if (size < 0) args.refuse_range(spec.name.text, "a buffer of at most 2^53 elements", "more");
  if (spec.dtype == Dtype::i32) return integers(args, i, kernel, spec, dims, size);
  return with_element(spec.dtype,
                      [&](auto element) -> void* { return args.array_of<decltype(element)>(i, spec.name.text, size); });
}

Call read_call(const Args& args, const KernelInfo& kernel) {
  Call call;
  size_t first_dim = kernel.buffer_count, first_scalar = first_dim + kernel.dim_count;
  for (int d = 0; d < kernel.dim_count; d++) call.dim[d] = args.dim(first_dim + d, kernel.dims[d].text);
  for (int s = 0; s < kernel.scalar_count; s++) call.scalar[s] = args.number(first_scalar + s, kernel.scalars[s].text);
  for (int b = 0; b < kernel.buffer_count; b++)
    call.buffer[b] = buffer_argument(args, b, kernel, kernel.buffers[b], call.dim);
  return call;
}

napi_value run_kernel(napi_env env, napi_callback_info info) {
  return guarded<kMaxArgs>(env, info, [env](const napi_value* values, size_t count, void* data) -> napi_value {
    const KernelInfo& kernel = *static_cast<const KernelInfo*>(data);
    Call call = read_call(Args(env, values, count, kernel.name), kernel);
    active_kernels()[kernel.id](call);
    return nullptr;
  });
}

Napi::Object describe_buffer(Napi::Env env, const KernelInfo& kernel, const BufferSpec& spec) {
  static const char* const roles[] = {"in", "out", "inout"};
  Napi::Object buffer = Napi::Object::New(env);
  buffer.Set("name", spec.name.text);
  buffer.Set("dtype", dtype_name(spec.dtype));
  buffer.Set("role", roles[static_cast<int>(spec.role)]);
  buffer.Set("optional", spec.optional);
  Napi::Array dims = Napi::Array::New(env, spec.rank);
  Napi::Array padded = Napi::Array::New(env, spec.rank);
  for (int d = 0; d < spec.rank; d++) {
    dims.Set(d, kernel.dims[spec.dim[d]].text);
    padded.Set(d, spec.padded[d]);
  }
  buffer.Set("dims", dims);
  buffer.Set("padded", padded);
  buffer.Set("factor", static_cast<double>(spec.factor));
  if (!spec.fields) return buffer;
  Napi::Array fields = Napi::Array::New(env, static_cast<size_t>(spec.factor));
  for (uint32_t f = 0; f < fields.Length(); f++) fields.Set(f, field_name(spec, f).text);
  buffer.Set("fields", fields);
  return buffer;
}

Napi::Object describe_bound(Napi::Env env, const KernelInfo& kernel) {
  Napi::Object bound = Napi::Object::New(env);
  Napi::Array dims = Napi::Array::New(env);
  for (const int8_t dim : kernel.bound.dim) {
    if (dim >= 0) dims.Set(dims.Length(), kernel.dims[dim].text);
  }
  bound.Set("exact", kernel.bound.exact);
  bound.Set("dims", dims);
  bound.Set("plus", static_cast<double>(kernel.bound.plus));
  return bound;
}

Napi::Array describe_names(Napi::Env env, const Name* names, int count) {
  Napi::Array list = Napi::Array::New(env, count);
  for (int i = 0; i < count; i++) list.Set(i, names[i].text);
  return list;
}

Napi::Object describe_kernel(Napi::Env env, const KernelInfo& kernel) {
  Napi::Array buffers = Napi::Array::New(env, kernel.buffer_count);
  for (int b = 0; b < kernel.buffer_count; b++) buffers.Set(b, describe_buffer(env, kernel, kernel.buffers[b]));
  Napi::Object signature = Napi::Object::New(env);
  signature.Set("id", kernel.id);
  signature.Set("buffers", buffers);
  signature.Set("dims", describe_names(env, kernel.dims, kernel.dim_count));
  signature.Set("scalars", describe_names(env, kernel.scalars, kernel.scalar_count));
  signature.Set("bound", describe_bound(env, kernel));
  signature.Set("prefetches", kernel.prefetches);
  if (kernel.along >= 0) signature.Set("along", kernel.dims[kernel.along].text);
  return signature;
}

}  // namespace

void register_kernels(Napi::Env env, Napi::Object exports) {
  Napi::Object kernels = Napi::Object::New(env), signatures = Napi::Object::New(env);
  for (int id = 0; id < kernel_count(); id++) {
    const KernelInfo& kernel = kernel_info(id);
    napi_value function;
    napi_status status = napi_create_function(env, kernel.name, NAPI_AUTO_LENGTH, run_kernel,
                                              const_cast<KernelInfo*>(&kernel), &function);
    if (status != napi_ok) throw Napi::Error::New(env, "anneal: cannot create a function for a kernel");
    kernels.Set(kernel.name, Napi::Value(env, function));
    signatures.Set(kernel.name, describe_kernel(env, kernel));
  }
  exports.Set("kernels", kernels);
  exports.Set("signatures", signatures);
}

}  // namespace anneal
