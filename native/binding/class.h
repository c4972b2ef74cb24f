// JavaScript classes around native objects with shared ownership: an object lives as long as its JavaScript face or
// whoever else holds it. Methods get the unwrapped object; a receiver of another class is refused. A class T names
// itself by a specialization of Face<T>. Not here: what the classes do.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "args.h"

namespace anneal {

// name: the class's; tag: what tells its objects from all others.
template <class T>
struct Face;

template <class T>
struct Method {
  const char* name;
  napi_value (*run)(const Args& args, const std::shared_ptr<T>& self);
};

// What the JavaScript object holds. `bytes` is the native memory that the garbage collector is told of.
template <class T>
struct Holder {
  std::shared_ptr<T> object;
  int64_t bytes;
};

inline void require(napi_env env, napi_status status) {
  if (status != napi_ok) throw Napi::Error::New(env);
}

// The object behind a JavaScript value; null when it is anything else.
template <class T>
std::shared_ptr<T> unwrap(napi_env env, napi_value value) {
  napi_valuetype type;
  bool tagged = false;
  void* data = nullptr;
  if (!value || napi_typeof(env, value, &type) != napi_ok || type != napi_object) return nullptr;
  if (napi_check_object_type_tag(env, value, &Face<T>::tag, &tagged) != napi_ok || !tagged) return nullptr;
  if (napi_unwrap(env, value, &data) != napi_ok) return nullptr;
  return static_cast<Holder<T>*>(data)->object;
}

template <class T>
void wrap(napi_env env, napi_value self, std::shared_ptr<T> object, int64_t bytes) {
  auto release = [](napi_env env, void* data, void*) {
    std::unique_ptr<Holder<T>> holder(static_cast<Holder<T>*>(data));
    int64_t total;
    napi_adjust_external_memory(env, -holder->bytes, &total);
  };
  auto holder = std::make_unique<Holder<T>>(Holder<T>{std::move(object), bytes});
  require(env, napi_wrap(env, self, holder.get(), release, nullptr, nullptr));
  holder.release();
  int64_t total;
  napi_adjust_external_memory(env, bytes, &total);
  require(env, napi_type_tag_object(env, self, &Face<T>::tag));
}

template <class T>
napi_value call_method(napi_env env, napi_callback_info info) {
  napi_value self = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, &self, nullptr);
  return guarded<7>(env, info, [env, self](const napi_value* values, size_t count, void* data) -> napi_value {
    const Method<T>& method = *static_cast<const Method<T>*>(data);
    Args args(env, values, count, method.name);
    std::shared_ptr<T> object = unwrap<T>(env, self);
    if (!object) args.refuse_type("this", std::string("a ") + Face<T>::name);
    return method.run(args, object);
  });
}

// `create(args, self)` wraps a new object into self.
template <class T, void (*create)(const Args&, napi_value)>
napi_value construct(napi_env env, napi_callback_info info) {
  napi_value self = nullptr, target = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, &self, nullptr);
  napi_get_new_target(env, info, &target);
  return guarded<2>(env, info, [env, self, target](const napi_value* values, size_t count, void*) -> napi_value {
    Args args(env, values, count, Face<T>::name);
    if (!target) args.refuse_type("a call", "a construction with new");
    create(args, self);
    return self;
  });
}

// Sets exports[Face<T>::name].
template <class T, size_t kCount>
void define_class(Napi::Env env, Napi::Object exports, napi_callback constructor, const Method<T> (&methods)[kCount],
                  const napi_property_descriptor* getter = nullptr) {
  napi_property_descriptor properties[kCount + 1] = {};
  for (size_t i = 0; i < kCount; i++) {
    properties[i].utf8name = methods[i].name;
    properties[i].method = call_method<T>;
    properties[i].data = const_cast<Method<T>*>(&methods[i]);
  }
  if (getter) properties[kCount] = *getter;
  napi_value value;
  require(env, napi_define_class(env, Face<T>::name, NAPI_AUTO_LENGTH, constructor, nullptr, kCount + (getter ? 1 : 0),
                                 properties, &value));
  exports.Set(Face<T>::name, Napi::Value(env, value));
}

}  // namespace anneal
