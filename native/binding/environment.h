// What the addon keeps per environment (a Node thread that has loaded it): the plans that run off its event loop, so
// that its end does not wait for them. Touched on that thread only.
#pragma once

#include <napi.h>

#include "../plan/executor.h"

namespace anneal {

// Sets up an environment's state, once.
void register_environment(Napi::Env env);

// A run off the event loop begins and ends.
void note_begin(napi_env env, Plan* plan);
void note_end(napi_env env, Plan* plan);

}  // namespace anneal
