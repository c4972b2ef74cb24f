// The program format's fingerprint, and the mark that a binary carries of it: whoever writes programs was built for
// this format or is refused (src/native/addon.ts), before any of the binary runs. See program.h.
#pragma once

#include "../kernels/scalars.h"
#include "program.h"

namespace anneal {

// FNV-1a, of 64 bits.
struct Fingerprint {
  uint64_t hash = 0xcbf29ce484222325u;

  constexpr void add(const char* text) {
    for (; *text; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3u;
  }
  constexpr void add(int64_t number) {
    for (int i = 0; i < 8; ++i) hash = (hash ^ (static_cast<uint64_t>(number) >> 8 * i & 255)) * 0x100000001b3u;
  }
};

// All that the numbers of a program mean: kernels and their signatures, regions, header. Equal for equal formats only.
constexpr uint64_t program_format() {
  Fingerprint print;
#define KERNEL(name, signature, bound) print.add(#name " " signature " " #bound "\n");
#include "../kernels/kernels.def"
#undef KERNEL
  for (const int64_t number :
       {int64_t{kAbsent}, int64_t{kArena}, int64_t{kFirstMoving}, int64_t{kFirstStore}, kWord, int64_t{kPanelWidth}}) {
    print.add(number);
  }
  for (const char* name : kMovingNames) print.add(name);
  for (const char* name : kPrefetchNames) print.add(name);
  print.add(kRowsName);
  for (const char* name : kBlockNames) print.add(name);
  return print.hash;
}

// "anneal build 0.1.0+0123456789abcdef": found in the file's bytes by what precedes the version.
struct BuildMark {
  static constexpr char kPrefix[] = "anneal build ";
  char text[80] = {};

  constexpr explicit BuildMark(const char* version) {
    int at = 0;
    for (const char* c = kPrefix; *c; ++c) text[at++] = *c;
    for (const char* c = version; *c; ++c) text[at++] = *c;
    text[at++] = '+';
    const uint64_t format = program_format();
    for (int digit = 15; digit >= 0; --digit) text[at++] = "0123456789abcdef"[format >> 4 * digit & 15];
  }

  const char* build() const { return text + sizeof kPrefix - 1; }
};

}  // namespace anneal
