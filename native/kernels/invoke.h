// From the one call form to a body's own parameters, which say by their types what comes next: a buffer, a dim or a
// scalar. Included by ISA units too, hence anonymous and without the standard library.
// Not here: what else a body may ask for (adapt.h, reference/reference.cc).
#pragma once

#include "call.h"

namespace anneal {
namespace {

// Hands out a call's buffers, dims and scalars, each kind in its order.
struct Arguments {
  const Call& call;
  int buffers = 0, dims = 0, scalars = 0;

  template <class T>
  void next(T*& p) {
    p = static_cast<T*>(call.buffer[buffers++]);
  }
  void next(int64_t& dim) { dim = call.dim[dims++]; }
  void next(double& scalar) { scalar = call.scalar[scalars++]; }
};

template <class T, class From>
T take(From& arguments) {
  T value;
  arguments.next(value);
  return value;
}

// A constructor with braces, because only there are the arguments evaluated from left to right.
template <class... P>
struct Invoke {
  Invoke(void (*f)(P...), P... p) { f(p...); }
};

// f with what `arguments` has for each of its parameters.
template <class From, class... P>
void invoke(void (*f)(P...), From arguments) {
  Invoke<P...>{f, take<P>(arguments)...};
}

}  // namespace
}  // namespace anneal
