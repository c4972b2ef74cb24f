// From the one call form to a kernel's own parameters: adapt<f> reads the buffers, dims and scalars that f's parameter
// list asks for, and matches() lets the compiler refuse a body whose parameters are not those of its line in
// kernels.def. Instantiated inside ISA units, hence anonymous and without the standard library.
#pragma once

#include "invoke.h"
#include "parse.h"

namespace anneal {
namespace {

// The part of its outputs that a splitting kernel computes: the last parameter of its body.
struct Share {
  int64_t part, parts;
  const NextBatch* next;  // of kernels marked `prefetch`

  // Of kernels marked `sum`: the calls before and after all parts; a whole call is all in one.
  bool opens() const { return part < 0; }
  bool closes() const { return part == parts || parts == 1; }
  bool computes() const { return part >= 0 && part < parts; }
};

struct Span {
  int64_t begin, end;
};

// The share's part of [0, n).
ANNEAL_INLINE Span span_of(int64_t n, Share share) {
  if (share.parts == 1) return {0, n};
  return {n * share.part / share.parts, n * (share.part + 1) / share.parts};
}

// The same in whole words of 16, but for the last.
ANNEAL_INLINE Span words_of(int64_t n, Share share) {
  const Span words = span_of((n + kLanes - 1) / kLanes, share);
  const int64_t begin = words.begin * kLanes, end = words.end * kLanes;
  return {begin < n ? begin : n, end < n ? end : n};
}

struct KernelArguments : Arguments {
  using Arguments::next;
  void next(Share& share) { share = {call.part, call.parts, call.next}; }
};

template <auto f>
void adapt(const Call& call) {
  invoke(f, KernelArguments{{call}});
}

// One character per parameter: f i d b h for inputs, F I D for outputs, n for a dim, s for a scalar, p for the share.
template <class T>
constexpr char kCode = '?';
template <>
constexpr char kCode<const float*> = 'f';
template <>
constexpr char kCode<const int32_t*> = 'i';
template <>
constexpr char kCode<const double*> = 'd';
template <>
constexpr char kCode<const uint8_t*> = 'b';
template <>
constexpr char kCode<const uint16_t*> = 'h';
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
  return (buffer.role == Role::in ? "fidbh" : "FID")[static_cast<int>(buffer.dtype)];
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
