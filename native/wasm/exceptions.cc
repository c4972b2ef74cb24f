// C++ exceptions in WebAssembly: the part of the Itanium C++ ABI that the compiler calls and that Debian's libc++abi
// for wasm32 leaves out, and an operator new that throws where that library's ends the program. Exceptions are objects
// of classes, thrown and caught by one thread; `throw;` and exception specifications are not there.
//   https://itanium-cxx-abi.github.io/cxx-abi/abi-eh.html, and for the tables of WebAssembly's personality
//   https://github.com/WebAssembly/tool-conventions/blob/main/EHScheme.md
#include <stdint.h>
#include <stdlib.h>

#include <exception>
#include <new>
#include <typeinfo>

namespace __cxxabiv1 {

// What every type_info of this ABI is behind its face: its fourth virtual function (two of the others are unused) says
// whether a handler of this type takes a thrown object, and moves the address to the base class that it wants.
class __shim_type_info : public std::type_info {
 public:
  ~__shim_type_info() override;
  virtual void noop1() const;
  virtual void noop2() const;
  virtual bool can_catch(const __shim_type_info* thrown, void*& object) const = 0;
};

}  // namespace __cxxabiv1

namespace {

using Type = __cxxabiv1::__shim_type_info;

// Lies before the thrown object.
struct alignas(16) Exception {
  const Type* type;
  void* (*destroy)(void*);  // destructors give back their object here
  void* adjusted;           // the object as its handler sees it
  Exception* below;         // the one that was being handled before
  int handlers;             // that are at work on it
};

Exception* handled = nullptr;  // the innermost

Exception* of(void* object) { return static_cast<Exception*>(object) - 1; }

// A table of handlers, read byte by byte.
struct Reader {
  const uint8_t* at;

  // Seven bits a byte, the lowest first; the last byte has no eighth.
  uintptr_t number() {
    uintptr_t value = 0;
    for (int shift = 0;; shift += 7) {
      const uint8_t byte = *at++;
      value |= static_cast<uintptr_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
  }
  intptr_t signed_number() {
    const uint8_t* first = at;
    const uintptr_t value = number();
    const int bits = 7 * static_cast<int>(at - first);
    const bool negative = bits < 32 && (at[-1] & 0x40);
    return static_cast<intptr_t>(negative ? value | ~uintptr_t{0} << bits : value);
  }
};

constexpr uint8_t kOmitted = 0xff;

// The number of the first handler of a landing pad that takes the exception; 0 where none does. `table` is what the
// compiler wrote for the function: the place of the types, a pair (landing pad, action) for each pad, the actions
// (number of a type, offset of the next action), the types counted backwards from their end.
int select_handler(const uint8_t* table, uintptr_t pad, Exception& exception) {
  Reader read{table};
  if (*read.at++ != kOmitted) abort();  // landing pads have no other base
  const uint8_t* types = nullptr;
  if (*read.at++ != kOmitted) {
    const uintptr_t offset = read.number();
    types = read.at + offset;
  }
  ++read.at;  // how the pairs are written: as above
  const uintptr_t length = read.number();
  const uint8_t* actions = read.at + length;
  for (uintptr_t i = 0; i < pad; i++) read.number(), read.number();
  read.number();
  const uintptr_t first = read.number();
  if (first == 0) return 0;
  for (Reader action{actions + first - 1};;) {
    const intptr_t number = action.signed_number();
    if (number > 0) {
      const Type* wanted = reinterpret_cast<const Type* const*>(types)[-number];
      void* object = &exception + 1;
      if (!wanted || wanted->can_catch(exception.type, object)) {
        exception.adjusted = object;
        return static_cast<int>(number);
      }
    }
    const uint8_t* from = action.at;
    const intptr_t next = action.signed_number();
    if (next == 0) return 0;
    action.at = from + next;
  }
}

alignas(16) char reserve[512];  // for an exception when memory has run out
bool reserve_taken = false;

void release(Exception* exception) {
  if (reinterpret_cast<char*>(exception) == reserve) reserve_taken = false;
  else free(exception);
}

void* allocate(size_t bytes, size_t alignment) {
  void* memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment + (bytes ? 0 : alignment));
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

extern "C" {

// What a landing pad tells the personality, and its answer.
struct {
  uintptr_t pad;
  const uint8_t* table;
  uintptr_t selector;
} __wasm_lpad_context;

void* __cxa_allocate_exception(size_t bytes) noexcept {
  void* memory = malloc(sizeof(Exception) + bytes);
  if (!memory && !reserve_taken && sizeof(Exception) + bytes <= sizeof reserve) {
    memory = reserve;
    reserve_taken = true;
  }
  if (!memory) std::terminate();
  return static_cast<Exception*>(memory) + 1;
}

void __cxa_free_exception(void* object) noexcept { release(of(object)); }

[[noreturn]] void __cxa_throw(void* object, std::type_info* type, void* (*destroy)(void*)) {
  *of(object) = {static_cast<const Type*>(type), destroy, object, nullptr, 0};
  __builtin_wasm_throw(0, of(object));
}

int _Unwind_CallPersonality(void* exception) {
  auto& context = __wasm_lpad_context;
  context.selector = select_handler(context.table, context.pad, *static_cast<Exception*>(exception));
  return 0;
}

void* __cxa_begin_catch(void* caught) noexcept {
  auto* exception = static_cast<Exception*>(caught);
  if (exception->handlers++ == 0) {
    exception->below = handled;
    handled = exception;
  }
  return exception->adjusted;
}

void __cxa_end_catch() {
  Exception* exception = handled;
  if (--exception->handlers > 0) return;
  handled = exception->below;
  if (exception->destroy) exception->destroy(exception + 1);
  release(exception);
}

}  // extern "C"

void* operator new(size_t bytes) { return allocate(bytes, 16); }
void* operator new(size_t bytes, std::align_val_t alignment) { return allocate(bytes, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { free(memory); }
