// The fingerprint of the program format: whoever writes programs was built for this one or is refused. See program.h.
#include "../kernels/scalars.h"
#include "program.h"

namespace anneal {
namespace {

constexpr char kKernels[] =
#define KERNEL(name, signature, bound) #name " " signature " " #bound "\n"
#include "../kernels/kernels.def"
#undef KERNEL
    ;

// FNV-1a, of 64 bits.
struct Fingerprint {
  uint64_t hash = 0xcbf29ce484222325u;

  void add(const char* text) {
    for (; *text; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3u;
  }
  void add(int64_t number) {
    for (int i = 0; i < 8; ++i) hash = (hash ^ (static_cast<uint64_t>(number) >> 8 * i & 255)) * 0x100000001b3u;
  }
};

}  // namespace

uint64_t program_format() {
  Fingerprint print;
  print.add(kKernels);
  for (const int64_t number :
       {int64_t{kAbsent}, int64_t{kArena}, int64_t{kFirstMoving}, int64_t{kFirstStore}, kWord, int64_t{kPanelWidth}}) {
    print.add(number);
  }
  for (const char* name : kMovingNames) print.add(name);
  for (const char* name : kPrefetchNames) print.add(name);
  return print.hash;
}

}  // namespace anneal
