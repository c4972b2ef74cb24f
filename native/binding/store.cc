// See store.h.
#include "store.h"

#include <cstring>

#include "../base/sizes.h"
#include "elements.h"

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
  const void* values;
  size_t bytes;
};

Slice slice(const Args& args, const std::shared_ptr<Store>& store) {
  const int64_t offset = args.integer(0, "offset", 0, kMaxLength);
  return with_element(store->dtype, [&](auto element) -> Slice {
    const auto from = args.array<decltype(element)>(1, "values");
    const int64_t end = offset + static_cast<int64_t>(from.length);
    if (end > store->length) {
      args.refuse_range("values", "at most " + std::to_string(store->length) + " elements with the offset",
                        std::to_string(end));
    }
    const auto size = static_cast<int64_t>(sizeof element);
    return {store->data + offset * size, from.data, from.length * sizeof element};
  });
}

// write(offset, array): copies.
napi_value write(const Args& args, const std::shared_ptr<Store>& store) {
  const Slice to = slice(args, store);
  if (to.bytes > 0) std::memcpy(to.stored, to.values, to.bytes);
  return nullptr;
}

// holds(offset, array): whether these are the bits that it holds there.
napi_value holds(const Args& args, const std::shared_ptr<Store>& store) {
  const Slice at = slice(args, store);
  const bool same = at.bytes == 0 || std::memcmp(at.stored, at.values, at.bytes) == 0;
  return Napi::Boolean::New(args.env(), same);
}

napi_value length_of(const Args& args, const std::shared_ptr<Store>& store) {
  return Napi::Number::New(args.env(), static_cast<double>(store->length));
}

constexpr Method<Store> kMethods[] = {{"write", write}, {"holds", holds}};
constexpr Method<Store> kLength = {"length", length_of};

}  // namespace

std::shared_ptr<Store> store_of_zeros(const Args& args) {
  const std::string name = args.string(0, "dtype");
  for (const Dtype dtype : {Dtype::f32, Dtype::i32, Dtype::u8, Dtype::f16}) {
    if (name == dtype_name(dtype)) return std::make_shared<Store>(dtype, args.integer(1, "length", 0, kMaxLength));
  }
  args.refuse_range("dtype", "'float32', 'int32', 'uint8' or 'float16'", "another name");
}

void register_store(Napi::Env env, Napi::Object exports) {
  napi_property_descriptor length = {};
  length.utf8name = kLength.name;
  length.getter = call_method<Store>;
  length.data = const_cast<Method<Store>*>(&kLength);
  define_class<Store>(env, exports, construct<Store, create>, kMethods, &length);
}

}  // namespace anneal
