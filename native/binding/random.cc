// Random engines as JavaScript objects: one function per draw, its first argument the engine. Fills write into typed
// arrays that are borrowed during the call. Not here: the algorithms (base/random) and the user's API (src/streams).
#include "random.h"

#include <cstring>
#include <memory>

#include "args.h"

namespace anneal {
namespace {

constexpr size_t kMaxArgs = 6;
constexpr double kInt32Low = -2147483648.0, kInt32End = 2147483648.0;
constexpr double kDoubleIntegers = 9007199254740992.0;  // 2^53: every integer up to here is a double
constexpr napi_type_tag kEngineTag = {0x616e6e65616c5247, 0x9d2c5680efc60000};

using Stream = RandomStream;

// One function of exports.random. `run` gets the engine that the first argument holds.
struct Method {
  const char* name;
  napi_value (*run)(const Args& args, Stream& stream);
};

napi_value number(const Args& args, double value) { return Napi::Number::New(args.env(), value); }
napi_value bigint(const Args& args, uint64_t value) {
  napi_value result = nullptr;
  napi_create_bigint_uint64(args.env(), value, &result);
  return result;
}

napi_value seed(const Args& args, Stream& stream) {
  stream.reseed(args.low_bits(1, "seed"));
  return nullptr;
}

napi_value seed_array(const Args& args, Stream& stream) {
  Span<uint32_t> key = args.array<uint32_t>(1, "key");
  if (key.length == 0) args.refuse_range("key", "an array of at least 1 element", "0");
  stream.reseed(key.data, key.length);
  return nullptr;
}

napi_value initial_seed(const Args& args, Stream& stream) { return bigint(args, stream.seed); }
napi_value next32(const Args& args, Stream& stream) { return number(args, stream.engine.next32()); }
napi_value next64(const Args& args, Stream& stream) { return bigint(args, stream.engine.next64()); }

// get_state(engine, words: 624, normal: 2): fills words and [has_kept, kept], returns the position.
napi_value get_state(const Args& args, Stream& stream) {
  uint32_t* words = args.array_of<uint32_t>(1, "words", Mt19937::kWords);
  double* normal = args.array_of<double>(2, "normal", 2);
  std::memcpy(words, stream.engine.word, sizeof stream.engine.word);
  normal[0] = stream.has_kept;
  normal[1] = stream.kept;
  return number(args, stream.engine.position);
}

// set_state(engine, words, normal, position, seed)
napi_value set_state(const Args& args, Stream& stream) {
  const uint32_t* words = args.array_of<uint32_t>(1, "words", Mt19937::kWords);
  const double* normal = args.array_of<double>(2, "normal", 2);
  int64_t position = args.integer(3, "position", 0, Mt19937::kWords);
  uint64_t seed = args.low_bits(4, "seed");
  std::memcpy(stream.engine.word, words, sizeof stream.engine.word);
  stream.engine.position = static_cast<int32_t>(position);
  stream.has_kept = normal[0] != 0;
  stream.kept = normal[1];
  stream.seed = seed;
  return nullptr;
}

template <typename T>
napi_value uniform(const Args& args, Stream& stream) {
  Span<T> out = args.array<T>(1, "out");
  torch_rng::uniform(stream.engine, out.data, out.length, args.number(2, "from"), args.number(3, "to"));
  return nullptr;
}

template <typename T>
napi_value normal(const Args& args, Stream& stream) {
  Span<T> out = args.array<T>(1, "out");
  torch_rng::normal(stream, out.data, out.length, args.number(2, "mean"), args.number(3, "std"));
  return nullptr;
}

template <typename T>
napi_value bernoulli(const Args& args, Stream& stream) {
  Span<T> out = args.array<T>(1, "out");
  torch_rng::bernoulli(stream.engine, out.data, out.length, args.number(2, "p"));
  return nullptr;
}

// Bounds [low, high) of a draw of integers.
struct Bounds {
  int64_t low, high;
};

Bounds bounds(const Args& args, double least, double end) {
  int64_t low = args.integer(2, "low", least, end - 1);
  return {low, args.integer(3, "high", static_cast<double>(low) + 1, end)};
}

template <typename T>
Bounds bounds_for(const Args& args) {
  return bounds(args, -kDoubleIntegers, kDoubleIntegers);
}
template <>
Bounds bounds_for<int32_t>(const Args& args) {
  return bounds(args, kInt32Low, kInt32End);
}

template <typename T>
napi_value integers(const Args& args, Stream& stream) {
  Span<T> out = args.array<T>(1, "out");
  Bounds b = bounds_for<T>(args);
  torch_rng::integers(stream.engine, out.data, out.length, b.low, static_cast<uint64_t>(b.high - b.low));
  return nullptr;
}

template <typename T>
napi_value integers_full(const Args& args, Stream& stream) {
  Span<T> out = args.array<T>(1, "out");
  torch_rng::integers_full(stream.engine, out.data, out.length);
  return nullptr;
}

Span<int32_t> permutation(const Args& args) {
  Span<int32_t> out = args.array<int32_t>(1, "out");
  if (out.length > kMaxDim) args.refuse_range("out", "an array of at most 2^31 - 1 elements", "more");
  return out;
}

napi_value randperm(const Args& args, Stream& stream) {
  Span<int32_t> out = permutation(args);
  torch_rng::randperm(stream.engine, out.data, out.length);
  return nullptr;
}

// seeded_randperms(engine, out, n, stride, count, base_seeds): `count` permutations of n, `stride` apart, each after a
// base seed of 64 bits if asked for. Later ones are written over the ends of earlier ones where these are longer than
// the stride.
napi_value seeded_randperms(const Args& args, Stream& stream) {
  Span<int32_t> out = permutation(args);
  const int64_t length = static_cast<int64_t>(out.length), n = args.integer(2, "n", 0, static_cast<double>(length));
  const int64_t stride = args.dim(3, "stride"), count = args.dim(4, "count");
  const bool base_seeds = args.boolean(5, "base_seeds");
  if (count > 1 && stride > (length - n) / (count - 1)) {
    args.refuse_range("out", "long enough for " + std::to_string(count) + " permutations",
                      std::to_string(length) + " elements");
  }
  for (int64_t i = 0; i < count; i++) {
    if (base_seeds) stream.engine.next64();
    torch_rng::seeded_randperm(stream, out.data + i * stride, n);
  }
  return nullptr;
}

napi_value numpy_uniform(const Args& args, Stream& stream) {
  Span<double> out = args.array<double>(1, "out");
  numpy_rng::uniform(stream.engine, out.data, out.length, args.number(2, "low"), args.number(3, "high"));
  return nullptr;
}

napi_value numpy_normal(const Args& args, Stream& stream) {
  Span<double> out = args.array<double>(1, "out");
  numpy_rng::normal(stream, out.data, out.length, args.number(2, "mean"), args.number(3, "std"));
  return nullptr;
}

napi_value numpy_integers(const Args& args, Stream& stream) {
  Span<int32_t> out = args.array<int32_t>(1, "out");
  Bounds b = bounds_for<int32_t>(args);
  numpy_rng::integers(stream.engine, out.data, out.length, b.low, b.high);
  return nullptr;
}

napi_value numpy_shuffle(const Args& args, Stream& stream) {
  Span<int32_t> values = args.array<int32_t>(1, "values");
  numpy_rng::shuffle(stream.engine, values.data, values.length);
  return nullptr;
}

// numpy_multivariate_normal(engine, out: n*d, mean: d, cov: d*d) -> whether this covariance is supported
napi_value numpy_multivariate_normal(const Args& args, Stream& stream) {
  Span<double> out = args.array<double>(1, "out"), mean = args.array<double>(2, "mean");
  if (mean.length < 1 || mean.length > 65535)
    args.refuse_range("mean", "an array of 1 to 65535 elements", "another length");
  int64_t d = static_cast<int64_t>(mean.length);
  const double* cov = args.array_of<double>(3, "cov", d * d);
  bool done = numpy_rng::multivariate_normal(stream, out.data, out.length / d, mean.data, cov, d);
  return Napi::Boolean::New(args.env(), done);
}

constexpr Method kMethods[] = {
    {"seed", seed},
    {"seed_array", seed_array},
    {"initial_seed", initial_seed},
    {"next32", next32},
    {"next64", next64},
    {"get_state", get_state},
    {"set_state", set_state},
    {"uniform_f32", uniform<float>},
    {"uniform_f64", uniform<double>},
    {"normal_f32", normal<float>},
    {"normal_f64", normal<double>},
    {"bernoulli_f32", bernoulli<float>},
    {"bernoulli_f64", bernoulli<double>},
    {"bernoulli_i32", bernoulli<int32_t>},
    {"integers_f32", integers<float>},
    {"integers_f64", integers<double>},
    {"integers_i32", integers<int32_t>},
    {"integers_full_f32", integers_full<float>},
    {"integers_full_f64", integers_full<double>},
    {"integers_full_i32", integers_full<int32_t>},
    {"randperm", randperm},
    {"seeded_randperms", seeded_randperms},
    {"numpy_uniform", numpy_uniform},
    {"numpy_normal", numpy_normal},
    {"numpy_integers", numpy_integers},
    {"numpy_shuffle", numpy_shuffle},
    {"numpy_multivariate_normal", numpy_multivariate_normal},
};

napi_value call_method(napi_env env, napi_callback_info info) {
  return guarded<kMaxArgs>(env, info, [env](const napi_value* values, size_t count, void* data) -> napi_value {
    const Method& method = *static_cast<const Method*>(data);
    Args args(env, values, count, method.name);
    Stream* stream = count ? random_stream_of(env, values[0]) : nullptr;
    if (!stream) args.refuse_type("engine", "a random engine");
    return method.run(args, *stream);
  });
}

void check(napi_env env, napi_status status) {
  if (status != napi_ok) throw Napi::Error::New(env, "anneal: cannot create a random engine");
}

// create() -> an engine seeded with 0, freed with its JavaScript object.
napi_value create(napi_env env, napi_callback_info info) {
  return guarded<1>(env, info, [env](const napi_value*, size_t, void*) -> napi_value {
    auto stream = std::make_unique<Stream>();
    napi_value object;
    check(env, napi_create_object(env, &object));
    check(env, napi_type_tag_object(env, object, &kEngineTag));
    auto release = [](napi_env, void* data, void*) { delete static_cast<Stream*>(data); };
    check(env, napi_wrap(env, object, stream.get(), release, nullptr, nullptr));
    stream.release();
    return object;
  });
}

void add_function(Napi::Env env, Napi::Object target, const char* name, napi_callback callback, const Method* method) {
  napi_value function;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, const_cast<Method*>(method), &function));
  target.Set(name, Napi::Value(env, function));
}

}  // namespace

RandomStream* random_stream_of(napi_env env, napi_value value) {
  napi_valuetype type;
  bool tagged = false;
  void* data = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return nullptr;
  if (napi_check_object_type_tag(env, value, &kEngineTag, &tagged) != napi_ok || !tagged) return nullptr;
  if (napi_unwrap(env, value, &data) != napi_ok) return nullptr;
  return static_cast<RandomStream*>(data);
}

void register_random(Napi::Env env, Napi::Object exports) {
  Napi::Object random = Napi::Object::New(env);
  add_function(env, random, "create", create, nullptr);
  for (const Method& method : kMethods) add_function(env, random, method.name, call_method, &method);
  exports.Set("random", random);
}

}  // namespace anneal
