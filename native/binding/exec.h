// Eager execution: one JavaScript function per line of kernels.def.
#pragma once

#include <napi.h>

namespace anneal {

// exports.kernels = { linear_fwd(x, w, b, y, m, k, n), ... } and exports.signatures = the same lines as data.
void register_kernels(Napi::Env env, Napi::Object exports);

}  // namespace anneal
