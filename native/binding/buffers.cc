// See buffers.h.
#include "buffers.h"

#include <map>
#include <mutex>
#include <new>

#include "args.h"
#include "class.h"

namespace anneal {
namespace {

constexpr double kMostBytes = 1099511627776.0;  // 2^40

#if defined(__wasm__)
// There is one thread.
struct Mutex {
  void lock() {}
  void unlock() {}
};
#else
using Mutex = std::mutex;
#endif

// The memory of all ArrayBuffers that are alive, by where it begins, in every environment of the process.
struct Arenas {
  Mutex lock;
  std::map<const char*, std::shared_ptr<Arena>> by_start;
};

Arenas& arenas() {
  static Arenas& all = *new Arenas;  // never destroyed: environments end when they like
  return all;
}

[[maybe_unused]] void forget(const void* start) {
  const std::lock_guard<Mutex> guard(arenas().lock);
  arenas().by_start.erase(static_cast<const char*>(start));
}

#if defined(__wasm__)

// A module's memory is no memory of JavaScript's.
napi_value buffer_over(napi_env, const std::shared_ptr<Arena>&) { return nullptr; }

#else

// Null where the engine takes no memory but its own, as in Electron, or not so much.
napi_value buffer_over(napi_env env, const std::shared_ptr<Arena>& arena) {
  {
    const std::lock_guard<Mutex> guard(arenas().lock);
    arenas().by_start[arena->data()] = arena;
  }
  const auto release = [](napi_env, void* data, void*) { forget(data); };
  napi_value buffer = nullptr, ignored = nullptr;
  const auto bytes = static_cast<size_t>(arena->bytes());
  if (napi_create_external_arraybuffer(env, arena->data(), bytes, release, nullptr, &buffer) == napi_ok) return buffer;
  forget(arena->data());
  napi_get_and_clear_last_exception(env, &ignored);
  return nullptr;
}

#endif

napi_value buffer_of(napi_env env, int64_t bytes) {
  try {
    return buffer_over(env, std::make_shared<Arena>(bytes));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// allocate(bytes): an ArrayBuffer of zeros, null where there can be none.
napi_value allocate(napi_env env, napi_callback_info info) {
  return guarded<1>(env, info, [env](const napi_value* values, size_t count, void*) -> napi_value {
    const int64_t bytes = Args(env, values, count, "allocate").integer(0, "bytes", 1, kMostBytes);
    napi_value buffer = buffer_of(env, bytes);
    return buffer ? buffer : Napi::Env(env).Null();
  });
}

}  // namespace

std::shared_ptr<Arena> arena_around(const void* data, size_t bytes) {
  const std::lock_guard<Mutex> guard(arenas().lock);
  const auto& by_start = arenas().by_start;
  const char* start = static_cast<const char*>(data);
  auto after = by_start.upper_bound(start);
  if (after == by_start.begin()) return nullptr;
  const std::shared_ptr<Arena>& arena = (--after)->second;
  const bool inside = start - arena->data() <= arena->bytes() - static_cast<int64_t>(bytes);
  return inside ? arena : nullptr;
}

void register_buffers(Napi::Env env, Napi::Object exports) {
  napi_value function;
  require(env, napi_create_function(env, "allocate", NAPI_AUTO_LENGTH, allocate, nullptr, &function));
  exports.Set("allocate", Napi::Value(env, function));
}

}  // namespace anneal
