// Entry of the addon: what it exports, nothing else. State lives in the exported objects, never in globals, so that
// any number of threads may load it.
#include <napi.h>

#include "../base/cores.h"
#include "../base/cpu.h"
#include "../kernels/dispatch.h"
#include "../kernels/signature.h"
#include "../plan/format.h"
#include "buffers.h"
#include "environment.h"
#include "exec.h"
#include "plan.h"
#include "random.h"
#include "store.h"
#include "world.h"

namespace anneal {
namespace {

// Static, so that it stands in the file as it is.
constexpr BuildMark kMark{ANNEAL_VERSION};

Napi::Array cache_sizes(Napi::Env env) {
  Napi::Array sizes = Napi::Array::New(env);
  for (const int64_t bytes : caches().level) sizes.Set(sizes.Length(), static_cast<double>(bytes));
  return sizes;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  if (isa_request_unknown()) throw Napi::RangeError::New(env, isa_status());
  exports.Set("version", ANNEAL_VERSION);
  exports.Set("build", kMark.build());
  exports.Set("isa", isa_name(chosen_isa()));
  exports.Set("cores", core_count());
  exports.Set("caches", cache_sizes(env));
  register_environment(env);
  register_kernels(env, exports);
  register_random(env, exports);
  register_buffers(env, exports);
  register_store(env, exports);
  register_world(env, exports);
  register_plan(env, exports);
  return exports;
}

}  // namespace
}  // namespace anneal

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return anneal::init(env, exports); }

NODE_API_MODULE(anneal, Init)
