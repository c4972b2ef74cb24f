// Reading JavaScript values: the only code of the addon that does. Every number is read as a double and checked for
// integer and range (the uint32 getters of Node-API wrap silently), every buffer's length is read anew on every call
// (a detached one has length 0). Not here: what the values mean.
#pragma once

#include <napi.h>

#include <cmath>
#include <string>
#include <vector>

#include "../base/status.h"

namespace anneal {

constexpr double kMaxSafe = 9007199254740991.0;  // 2^53 - 1
constexpr double kMaxDim = 2147483647.0;         // 2^31 - 1
constexpr uint32_t kMaxList = 65536;

// Element types a typed array can have here, with the word used in messages.
template <typename T>
struct Element;
template <>
struct Element<float> {
  static constexpr napi_typedarray_type type = napi_float32_array;
  static constexpr const char* name = "a Float32Array";
};
template <>
struct Element<double> {
  static constexpr napi_typedarray_type type = napi_float64_array;
  static constexpr const char* name = "a Float64Array";
};
template <>
struct Element<int32_t> {
  static constexpr napi_typedarray_type type = napi_int32_array;
  static constexpr const char* name = "an Int32Array";
};
template <>
struct Element<uint32_t> {
  static constexpr napi_typedarray_type type = napi_uint32_array;
  static constexpr const char* name = "a Uint32Array";
};
template <>
struct Element<uint16_t> {
  static constexpr napi_typedarray_type type = napi_uint16_array;
  static constexpr const char* name = "a Uint16Array";
};
template <>
struct Element<uint8_t> {
  static constexpr napi_typedarray_type type = napi_uint8_array;
  static constexpr const char* name = "a Uint8Array";
};

// A borrowed view of a JavaScript buffer: valid during the call only.
template <typename T>
struct Span {
  T* data;
  size_t length;
};

// A borrowed view of a buffer whose element type may be any of the kernels'.
struct Block {
  napi_typedarray_type type;
  void* data;
  size_t length;  // elements

  size_t bytes() const { return length * (type == napi_float64_array ? 8 : 4); }
};

// The arguments of one call. `where` opens every message: "relu_fwd: expected x to be ...".
class Args {
 public:
  Args(napi_env env, const napi_value* values, size_t count, const char* where)
      : env_(env), values_(values), count_(count), where_(where) {}

  napi_env env() const { return env_; }
  size_t count() const { return count_; }

  // Null where there are not so many arguments.
  napi_value value(size_t i) const { return i < count_ ? values_[i] : nullptr; }

  bool is_nullish(size_t i) const {
    napi_valuetype type = type_of(i);
    return type == napi_undefined || type == napi_null;
  }

  double number(size_t i, const char* name) const {
    double value;
    if (i >= count_ || napi_get_value_double(env_, values_[i], &value) != napi_ok) refuse_type(name, "a number");
    return value;
  }

  int64_t integer(size_t i, const char* name, double low, double high) const {
    double value = number(i, name);
    if (!(value >= low && value <= high) || value != std::floor(value)) {
      refuse_range(name, "an integer from " + text(low) + " to " + text(high), text(value));
    }
    return static_cast<int64_t>(value);
  }

  int64_t dim(size_t i, const char* name) const { return integer(i, name, 0, kMaxDim); }

  bool boolean(size_t i, const char* name) const {
    bool value;
    if (i >= count_ || napi_get_value_bool(env_, values_[i], &value) != napi_ok) refuse_type(name, "a boolean");
    return value;
  }

  std::string string(size_t i, const char* name) const {
    if (type_of(i) != napi_string) refuse_type(name, "a string");
    return Napi::String(env_, values_[i]).Utf8Value();
  }

  // A property of argument i, which must be an object. Exceptions of getters pass through.
  napi_value property(size_t i, const char* name, const char* key) const {
    if (type_of(i) != napi_object) refuse_type(name, "an object");
    napi_value value;
    if (napi_get_named_property(env_, values_[i], key, &value) != napi_ok) throw Napi::Error::New(env_);
    return value;
  }

  // The elements of a plain array.
  std::vector<napi_value> list(size_t i, const char* name) const {
    bool is_array = false;
    uint32_t length = 0;
    if (i >= count_ || napi_is_array(env_, values_[i], &is_array) != napi_ok || !is_array ||
        napi_get_array_length(env_, values_[i], &length) != napi_ok) {
      refuse_type(name, "an array");
    }
    if (length > kMaxList) refuse_range(name, "an array of at most 65536 elements", text(length));
    std::vector<napi_value> elements(length);
    for (uint32_t e = 0; e < length; e++) {
      if (napi_get_element(env_, values_[i], e, &elements[e]) != napi_ok) throw Napi::Error::New(env_);
    }
    return elements;
  }

  // A safe integer or a bigint of any size: its low 64 bits, two's complement.
  uint64_t low_bits(size_t i, const char* name) const {
    if (type_of(i) == napi_bigint) return low_bits_of_bigint(values_[i]);
    double value = number(i, name);
    if (!(std::fabs(value) <= kMaxSafe) || value != std::floor(value))
      refuse_range(name, "a safe integer or a bigint", text(value));
    return static_cast<uint64_t>(static_cast<int64_t>(value));
  }

  template <typename T>
  Span<T> array(size_t i, const char* name) const {
    napi_typedarray_type type;
    size_t length = 0;
    void* data = nullptr;
    if (i >= count_ || napi_get_typedarray_info(env_, values_[i], &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != Element<T>::type) {
      refuse_type(name, Element<T>::name);
    }
    return {static_cast<T*>(data), length};
  }

  // Whether other threads may see, and change, the memory of typed array i.
  bool is_shared(size_t i) const {
    napi_value buffer;
    bool own = false;
    const napi_status status = napi_get_typedarray_info(env_, values_[i], nullptr, nullptr, nullptr, &buffer, nullptr);
    return status != napi_ok || napi_is_arraybuffer(env_, buffer, &own) != napi_ok || !own;
  }

  Block block(size_t i, const char* name) const {
    Block found{napi_uint8_array, nullptr, 0};
    if (i >= count_ ||
        napi_get_typedarray_info(env_, values_[i], &found.type, &found.length, &found.data, nullptr, nullptr) !=
            napi_ok ||
        (found.type != napi_float32_array && found.type != napi_float64_array && found.type != napi_int32_array)) {
      refuse_type(name, "a Float32Array, an Int32Array or a Float64Array");
    }
    return found;
  }

  // An array of at least `extent` elements.
  template <typename T>
  T* array_of(size_t i, const char* name, int64_t extent) const {
    Span<T> span = array<T>(i, name);
    if (static_cast<int64_t>(span.length) < extent) refuse_length(name, extent, span.length);
    return span.data;
  }

  [[noreturn]] void refuse_type(const char* name, const std::string& expected) const {
    throw coded(Napi::TypeError::New(env_, phrase(name, expected, "a value of another type")), "ERR_ARG_TYPE");
  }

  // A thing that is in use by a run.
  [[noreturn]] void refuse_busy(const char* name) const {
    throw coded(Napi::Error::New(env_, phrase(name, "idle", "one with a run under way")), "ERR_BUSY");
  }

  [[noreturn]] void refuse_range(const char* name, const std::string& expected, const std::string& received) const {
    throw coded(Napi::RangeError::New(env_, phrase(name, expected, received)), "ERR_ARG_VALUE");
  }

 private:
  napi_valuetype type_of(size_t i) const {
    napi_valuetype type = napi_undefined;
    if (i < count_) napi_typeof(env_, values_[i], &type);
    return type;
  }

  [[noreturn]] void refuse_length(const char* name, int64_t extent, size_t length) const {
    std::string received = std::to_string(length);
    refuse_range(name, "at least " + std::to_string(extent) + " elements",
                 received + (length == 0 ? " (a detached buffer has none)" : ""));
  }

  std::string phrase(const char* name, const std::string& expected, const std::string& received) const {
    return std::string(where_) + ": expected " + name + " to be " + expected + " but received " + received;
  }

  template <typename E>
  static E coded(E error, const char* code) {
    error.Set("code", Napi::String::New(error.Env(), code));
    return error;
  }

  uint64_t low_bits_of_bigint(napi_value value) const {
    int sign = 0;
    size_t words = 0;
    napi_get_value_bigint_words(env_, value, nullptr, &words, nullptr);
    if (words == 0) return 0;
    uint64_t low = 0;
    size_t one = 1;  // Node-API truncates to the words asked for
    napi_get_value_bigint_words(env_, value, &sign, &one, &low);
    return sign ? ~low + 1 : low;
  }

  static std::string text(double value) {
    char buffer[32];
    snprintf(buffer, sizeof buffer, "%.17g", value);
    return buffer;
  }

  napi_env env_;
  const napi_value* values_;
  size_t count_;
  const char* where_;
};

// The error that a refusal is in JavaScript: a RangeError where an argument is at fault. Reports by status: it also
// runs while an environment ends.
inline napi_status error_of(napi_env env, const Status& status, napi_value* error) {
  napi_value code, message;
  napi_status done = napi_create_string_utf8(env, status.code, NAPI_AUTO_LENGTH, &code);
  if (done == napi_ok) done = napi_create_string_utf8(env, status.refusal.data(), status.refusal.size(), &message);
  if (done != napi_ok) return done;
  const bool argument = status.code == std::string(Status{}.code);
  return (argument ? napi_create_range_error : napi_create_error)(env, code, message, error);
}

// Throws it.
[[noreturn]] inline void refuse(napi_env env, const Status& status) {
  napi_value error;
  if (error_of(env, status, &error) != napi_ok) throw Napi::Error::New(env);
  throw Napi::Error(env, error);
}

// Throws in JavaScript, unless the environment is ending: then every call fails, and nobody is left to be told.
inline void throw_in_javascript(napi_env env, const Napi::Error& error) noexcept {
  try {
    napi_throw(env, error.Value());
  } catch (const Napi::Error&) {
  }
}

// Runs `body(args)` for a plain Node-API callback (cheaper than node-addon-api's wrapper: no heap for many arguments)
// and turns every C++ exception into a JavaScript one.
template <size_t kMax, typename Body>
napi_value guarded(napi_env env, napi_callback_info info, Body body) {
  napi_value values[kMax];
  size_t count = kMax;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  try {
    return body(values, count < kMax ? count : kMax, data);
  } catch (const Napi::Error& error) {
    throw_in_javascript(env, error);
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", "anneal: out of memory");
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

}  // namespace anneal
