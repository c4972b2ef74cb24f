// Compiled plans and resident data as JavaScript classes.
#pragma once

#include <napi.h>

namespace anneal {

// Sets exports.Store and exports.Plan.
void register_plan(Napi::Env env, Napi::Object exports);

}  // namespace anneal
