// The type of C++ that the elements of a typed array have, by their dtype.
#pragma once

#include <stdint.h>

#include "../kernels/signature.h"

namespace anneal {

// f(a value of that type).
template <class F>
auto with_element(Dtype dtype, F f) {
  switch (dtype) {
    case Dtype::i32: return f(int32_t{});
    case Dtype::f64: return f(double{});
    case Dtype::u8: return f(uint8_t{});
    case Dtype::f16: return f(uint16_t{});  // the bits
    case Dtype::f32: break;
  }
  return f(float{});
}

}  // namespace anneal
