// The float64 twin of every line of kernels.def: the obvious loops, in double, with magnitudes. They are the oracle of
// the kernels' tests and, rounded once, a kernel table of their own. A line without a twin does not compile.
// Not here: anything fast.
#include <stdint.h>

#include <vector>

#include "../dispatch.h"
#include "../invoke.h"
#include "../scalars.h"
#include "../signature.h"
#include "twin.h"

namespace anneal {
namespace {

// A buffer that a kernel updates in place.
template <class T>
struct InPlace {
  const T* before;
  Real* after;
};
using Updated = InPlace<float>;

namespace twin {

// Scalars are rounded to float32 before use: their definition, not an error.
double once_rounded(double s) { return static_cast<float>(s); }

#include "elementwise.inc"
#include "activation.inc"
#include "compare.inc"
#include "loss.inc"
#include "product.inc"
#include "panel.inc"
#include "shape.inc"
#include "softmax.inc"
#include "panel_softmax.inc"
#include "update.inc"
#include "update_adaptive.inc"
#include "update_first_order.inc"
#include "update_schedule_free.inc"
#include "update_muon.inc"
#include "panel_update.inc"
#include "norm.inc"
#include "embedding.inc"
#include "axis.inc"
#include "extreme.inc"

}  // namespace twin

struct TwinArguments : Arguments {
  Real* const* outputs;

  using Arguments::next;
  void next(Real*& p) { p = outputs[buffers++]; }
  template <class T>
  void next(InPlace<T>& u) {
    u = {static_cast<const T*>(call.buffer[buffers]), outputs[buffers]};
    ++buffers;
  }
};

template <auto f>
void adapt(const Call& call, Real* const* outputs) {
  invoke(f, TwinArguments{{call}, outputs});
}

constexpr TwinFn kTwins[] = {
#define KERNEL(name, signature, bound) adapt<twin::name>,
#include "../kernels.def"
#undef KERNEL
};

void round_into(void* to, Dtype dtype, const std::vector<Real>& from) {
  for (size_t i = 0; i < from.size(); ++i) {
    if (dtype == Dtype::i32) static_cast<int32_t*>(to)[i] = static_cast<int32_t>(from[i].value);
    else if (dtype == Dtype::f64) static_cast<double*>(to)[i] = from[i].value;
    else static_cast<float*>(to)[i] = static_cast<float>(from[i].value);
  }
}

// A call for one of several parts is carried out whole by the first.
void run_rounded(int id, const Call& call) {
  if (call.part != 0) return;
  const KernelInfo& info = kernel_info(id);
  std::vector<Real> results[kMaxBuffers];
  Real* outputs[kMaxBuffers] = {};
  for (int i = 0; i < info.buffer_count; ++i) {
    if (info.buffers[i].role == Role::in || !call.buffer[i]) continue;
    results[i].resize(static_cast<size_t>(extent(info.buffers[i], call.dim)));
    outputs[i] = results[i].data();
  }
  kTwins[id](call, outputs);
  for (int i = 0; i < info.buffer_count; ++i) {
    if (outputs[i]) round_into(call.buffer[i], info.buffers[i].dtype, results[i]);
  }
}

template <int id>
void rounded(const Call& call) {
  run_rounded(id, call);
}

enum Id {
#define KERNEL(name, signature, bound) id_##name,
#include "../kernels.def"
#undef KERNEL
};

constexpr KernelFn kRounded[] = {
#define KERNEL(name, signature, bound) rounded<id_##name>,
#include "../kernels.def"
#undef KERNEL
};

}  // namespace

const TwinFn* twins() { return kTwins; }

const KernelFn* reference_kernels() { return kRounded; }

}  // namespace anneal
