// From the one call form to a kernel's own parameters: adapt<f> reads the buffers, dims and scalars that f's parameter
// list asks for, and matches() lets the compiler refuse a body whose parameters are not those of its line in
// kernels.def. Instantiated inside ISA units, hence anonymous and without the standard library.
#pragma once

#include "call.h"
#include "parse.h"

namespace anneal {
namespace {

// The part of its outputs that a splitting kernel computes: the last parameter of its body.
struct Share {
  int64_t part, parts;
  const NextBatch* next;  // of kernels marked `prefetch`
};

struct Arguments {
  const Call& call;
  int buffers = 0, dims = 0, scalars = 0;

  void next(const float*& p) { p = static_cast<const float*>(call.buffer[buffers++]); }
  void next(const int32_t*& p) { p = static_cast<const int32_t*>(call.buffer[buffers++]); }
  void next(const double*& p) { p = static_cast<const double*>(call.buffer[buffers++]); }
  void next(float*& p) { p = static_cast<float*>(call.buffer[buffers++]); }
  void next(int32_t*& p) { p = static_cast<int32_t*>(call.buffer[buffers++]); }
  void next(double*& p) { p = static_cast<double*>(call.buffer[buffers++]); }
  void next(Share& share) { share = {call.part, call.parts, call.next}; }
  void next(int64_t& dim) { dim = call.dim[dims++]; }
  void next(double& scalar) { scalar = call.scalar[scalars++]; }

  template <class T>
  T take() {
    T value;
    next(value);
    return value;
  }
};

// A constructor with braces, because only there are the arguments evaluated from left to right.
template <class... P>
struct Invoke {
  Invoke(void (*f)(P...), P... p) { f(p...); }
};

template <class... P>
void invoke(void (*f)(P...), const Call& call) {
  Arguments arguments{call};
  Invoke<P...>{f, arguments.take<P>()...};
}

template <auto f>
void adapt(const Call& call) {
  invoke(f, call);
}

// One character per parameter: f i d for inputs, F I D for outputs, n for a dim, s for a scalar, p for the share.
template <class T>
constexpr char kCode = '?';
template <>
constexpr char kCode<const float*> = 'f';
template <>
constexpr char kCode<const int32_t*> = 'i';
template <>
constexpr char kCode<const double*> = 'd';
template <>
constexpr char kCode<float*> = 'F';
template <>
constexpr char kCode<int32_t*> = 'I';
template <>
constexpr char kCode<double*> = 'D';
template <>
constexpr char kCode<Share> = 'p';
template <>
constexpr char kCode<int64_t> = 'n';
template <>
constexpr char kCode<double> = 's';

constexpr char code_of(const BufferSpec& buffer) {
  const bool input = buffer.role == Role::in;
  if (buffer.dtype == Dtype::f32) return input ? 'f' : 'F';
  if (buffer.dtype == Dtype::i32) return input ? 'i' : 'I';
  return input ? 'd' : 'D';
}

template <class... P>
constexpr bool matches(const KernelInfo& info, void (*)(P...)) {
  const char codes[] = {kCode<P>..., 0};
  const char* code = codes;
  for (int i = 0; i < info.buffer_count; ++i) {
    if (*code++ != code_of(info.buffers[i])) return false;
  }
  for (int i = 0; i < info.dim_count; ++i) {
    if (*code++ != 'n') return false;
  }
  for (int i = 0; i < info.scalar_count; ++i) {
    if (*code++ != 's') return false;
  }
  if (info.splits && *code++ != 'p') return false;
  return *code == 0;
}

}  // namespace
}  // namespace anneal
