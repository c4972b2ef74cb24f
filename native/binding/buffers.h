// ArrayBuffers over native memory. JavaScript and whoever finds the memory by its address share it, so that it stays
// whatever becomes of the ArrayBuffer: transferred, detached or collected. That goes for no memory of V8's own.
#pragma once

#include <napi.h>

#include <memory>

#include "../base/arena.h"

namespace anneal {

// The memory of an ArrayBuffer of ours that is alive and in which all these bytes lie; null where there is none.
std::shared_ptr<Arena> arena_around(const void* data, size_t bytes);

// Sets exports.allocate.
void register_buffers(Napi::Env env, Napi::Object exports);

}  // namespace anneal
