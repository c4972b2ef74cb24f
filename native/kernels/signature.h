// The signatures of kernels.def as plain structs: what every other part of the library knows about a kernel. Parsed by
// the compiler, so that a malformed line does not build. Not here: the kernels themselves (dispatch.h).
#pragma once

#include <stdint.h>

#include "call.h"

namespace anneal {

// The last two are of data sets that stay narrow in memory: inputs only, which kernels widen.
enum class Dtype : int8_t { f32, i32, f64, u8, f16 };

struct DtypeInfo {
  const char* name;
  int64_t size;  // bytes of an element
};

// In the order of Dtype.
constexpr DtypeInfo kDtypes[] = {{"float32", 4}, {"int32", 4}, {"float64", 8}, {"uint8", 1}, {"float16", 2}};

static constexpr int64_t element_size(Dtype dtype) { return kDtypes[static_cast<int>(dtype)].size; }
static constexpr const char* dtype_name(Dtype dtype) { return kDtypes[static_cast<int>(dtype)].name; }

enum class Role : int8_t { in, out, inout };

constexpr int kMaxRank = 5;
constexpr int kPanelWidth = 16;  // floats of a panel's row: one word, one cache line (panel.inc)
constexpr int kMaxName = 24;     // characters, with the closing zero

struct Name {
  char text[kMaxName];
};

struct BufferSpec {
  Name name;
  Dtype dtype;
  Role role;
  bool optional;
  int8_t rank;            // number of named dims, in the order of the brackets
  int8_t dim[kMaxRank];   // their positions in KernelInfo::dims
  bool padded[kMaxRank];  // n^: rounded up to whole panels
  int64_t factor;         // product of the numbers in the brackets, 1 when there are none; the number of fields
  const char* fields;     // "lr momentum }..." where elements have names, else null
};

// EXACT: bit for bit. TERMS: |got - want| <= (terms + 1) * (2^-24 * magnitude * 1.01 + 2^-149), terms = dims + plus.
struct Bound {
  bool exact;
  int8_t dim[2];  // positions in KernelInfo::dims, or -1
  int64_t plus;
};

struct KernelInfo {
  const char* name;
  int id;
  int8_t buffer_count, dim_count, scalar_count;
  BufferSpec buffers[kMaxBuffers];
  Name dims[kMaxDims];
  Name scalars[kMaxScalars];
  Bound bound;
  bool splits;      // honours Call.part and Call.parts
  bool sums;        // and wants a call before and after its parts
  bool prefetches;  // honours Call.next
  int8_t along;     // position in dims, or -1: a range of that dim in the inputs gives that range of the outputs
};

int kernel_count();
const KernelInfo& kernel_info(int id);

// The kernel's position in kernels.def, or -1.
int kernel_id(const char* name);

// The number of elements a buffer has for these dims; -1 when it exceeds 2^53 or a dim is negative.
int64_t extent(const BufferSpec& buffer, const int64_t* dims);

// The name of element i of a buffer with fields.
Name field_name(const BufferSpec& buffer, int64_t i);

// Whether an output may be exactly one of the inputs: both brackets name all the kernel's dims, in the same order
// and layout.
bool may_alias(const KernelInfo& kernel, const BufferSpec& output, const BufferSpec& input);

// Kernels with a dim named `rows` take row numbers: every int32 input that is not itself `rows` long holds numbers in
// [0, rows), which the caller proves. The position of that dim for such a buffer, -1 for any other.
int row_limit(const KernelInfo& kernel, const BufferSpec& buffer);

// The position of the first number outside [0, limit), or `count`.
int64_t first_outside(const int32_t* numbers, int64_t count, int64_t limit);

}  // namespace anneal
