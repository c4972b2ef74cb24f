// Resident data as a JavaScript class: new Store('float32' | 'int32' | 'uint8' | 'float16', length), its length,
// write(offset, array) and holds(offset, array), in arrays of that type; the bits of float16 in Uint16Arrays.
#pragma once

#include <napi.h>

#include "../plan/program.h"
#include "class.h"

namespace anneal {

template <>
struct Face<Store> {
  static constexpr const char* name = "Store";
  static constexpr napi_type_tag tag = {0x616e6e65616c5374, 0x5b8a3d1e77c04f21};
};

// A store for the arguments (dtype, length).
std::shared_ptr<Store> store_of_zeros(const Args& args);

// Sets exports.Store.
void register_store(Napi::Env env, Napi::Object exports);

}  // namespace anneal
