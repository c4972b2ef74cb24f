// The world of a process as a JavaScript class.
#pragma once

#include <napi.h>

#include <memory>

#include "../plan/transport.h"
#include "args.h"

namespace anneal {

// Sets exports.World, where there is MPI.
void register_world(Napi::Env env, Napi::Object exports);

// The transport behind `value`, argument i: a World; null where it is undefined or null.
std::shared_ptr<Transport> transport_of(const Args& args, size_t i, napi_value value);

}  // namespace anneal
