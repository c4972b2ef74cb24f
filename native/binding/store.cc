// See store.h.
#include "store.h"

#include <cstring>

#include "../base/sizes.h"

namespace anneal {
namespace {

constexpr double kMaxLength = 1099511627776.0;  // 2^40

void create(const Args& args, napi_value self) {
  auto store = store_of_zeros(args);
  wrap(args.env(), self, store, store->memory->bytes());
}

// The arguments (offset, array) of both methods. Data too large for one turn of the event loop come in slices.
struct Slice {
  char* stored;
  Block values;
};

Slice slice(const Args& args, const std::shared_ptr<Store>& store) {
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
  return {store->data + offset * kWord, from};
}

// write(offset, array): copies.
napi_value write(const Args& args, const std::shared_ptr<Store>& store) {
  const Slice to = slice(args, store);
  if (to.values.length > 0) std::memcpy(to.stored, to.values.data, to.values.bytes());
  return nullptr;
}

// holds(offset, array): whether these are the bits that it holds there.
napi_value holds(const Args& args, const std::shared_ptr<Store>& store) {
  const Slice at = slice(args, store);
  const bool same = at.values.length == 0 || std::memcmp(at.stored, at.values.data, at.values.bytes()) == 0;
  return Napi::Boolean::New(args.env(), same);
}

napi_value length_of(const Args& args, const std::shared_ptr<Store>& store) {
  return Napi::Number::New(args.env(), static_cast<double>(store->length));
}

constexpr Method<Store> kMethods[] = {{"write", write}, {"holds", holds}};
constexpr Method<Store> kLength = {"length", length_of};

}  // namespace

std::shared_ptr<Store> store_of_zeros(const Args& args) {
  const std::string dtype = args.string(0, "dtype");
  if (dtype != "float32" && dtype != "int32") args.refuse_range("dtype", "'float32' or 'int32'", "another name");
  const int64_t length = args.integer(1, "length", 0, kMaxLength);
  return std::make_shared<Store>(dtype == "float32" ? Dtype::f32 : Dtype::i32, length);
}

void register_store(Napi::Env env, Napi::Object exports) {
  napi_property_descriptor length = {};
  length.utf8name = kLength.name;
  length.getter = call_method<Store>;
  length.data = const_cast<Method<Store>*>(&kLength);
  define_class<Store>(env, exports, construct<Store, create>, kMethods, &length);
}

}  // namespace anneal
