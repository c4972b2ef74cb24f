// See store.h.
#include "store.h"

#include <cstring>

#include "../base/sizes.h"

namespace anneal {
namespace {

constexpr double kMaxLength = 1099511627776.0;  // 2^40

void create(const Args& args, napi_value self) {
  const std::string dtype = args.string(0, "dtype");
  if (dtype != "float32" && dtype != "int32") args.refuse_range("dtype", "'float32' or 'int32'", "another name");
  const int64_t length = args.integer(1, "length", 0, kMaxLength);
  auto store = std::make_shared<Store>(dtype == "float32" ? Dtype::f32 : Dtype::i32, length);
  wrap(args.env(), self, store, store->memory.bytes());
}

// write(offset, array): copies. Data too large for one turn of the event loop come in slices.
napi_value write(const Args& args, const std::shared_ptr<Store>& store) {
  const int64_t offset = args.integer(0, "offset", 0, kMaxLength);
  const bool is_float = store->dtype == Dtype::f32;
  const Block from = args.block(1, "values");
  if (from.type != (is_float ? napi_float32_array : napi_int32_array)) {
    args.refuse_type("values", is_float ? "a Float32Array" : "an Int32Array");
  }
  const int64_t length = static_cast<int64_t>(from.length);
  if (offset + length > store->length) {
    args.refuse_range("values", "at most " + std::to_string(store->length) + " elements with the offset",
                      std::to_string(offset + length));
  }
  if (length > 0) std::memcpy(store->memory.data() + offset * kWord, from.data, from.bytes());
  return nullptr;
}

napi_value length_of(const Args& args, const std::shared_ptr<Store>& store) {
  return Napi::Number::New(args.env(), static_cast<double>(store->length));
}

constexpr Method<Store> kMethods[] = {{"write", write}};
constexpr Method<Store> kLength = {"length", length_of};

}  // namespace

void register_store(Napi::Env env, Napi::Object exports) {
  napi_property_descriptor length = {};
  length.utf8name = kLength.name;
  length.getter = call_method<Store>;
  length.data = const_cast<Method<Store>*>(&kLength);
  define_class<Store>(env, exports, construct<Store, create>, kMethods, &length);
}

}  // namespace anneal
