// Random engines as JavaScript objects.
#pragma once

#include <napi.h>

#include "../base/random.h"

namespace anneal {

// exports.random = { create(), seed(engine, n), uniform_f32(engine, out, from, to), ... }
void register_random(Napi::Env env, Napi::Object exports);

// The native state of an engine made by `create`, or null where `value` is anything else. It lives as long as the
// JavaScript object: whoever uses it beyond the call keeps a reference to that object.
RandomStream* random_stream_of(napi_env env, napi_value value);

}  // namespace anneal
