// The compile-time parser of kernels.def's signature strings. The grammar is in kernels.def; a line that breaks it,
// names an unknown dim or has too many parts is a compile error at the call of refuse(). Included by ISA units too,
// hence static, without the standard library and used in constant expressions only.
#pragma once

#include "scalars.h"
#include "signature.h"

namespace anneal {

// Not constexpr on purpose: reaching it while parsing stops the compiler.
static inline void refuse(const char*) {}

struct Cursor {
  const char* at;

  constexpr bool take(char c) {
    if (*at != c) return false;
    ++at;
    return true;
  }
  constexpr void skip_spaces() {
    while (take(' ')) {
    }
  }
};

static constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
static constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

static constexpr bool same_name(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

static constexpr Name parse_name(Cursor& cursor) {
  Name name{};
  int length = 0;
  if (!is_letter(*cursor.at)) refuse("a name starts with a letter");
  while (is_letter(*cursor.at) || is_digit(*cursor.at)) {
    if (length == kMaxName - 1) refuse("the name is too long");
    name.text[length++] = *cursor.at++;
  }
  return name;
}

static constexpr int64_t parse_number(Cursor& cursor) {
  if (!is_digit(*cursor.at)) refuse("expected a number");
  int64_t number = 0;
  while (is_digit(*cursor.at)) number = number * 10 + (*cursor.at++ - '0');
  return number;
}

static constexpr int8_t find_dim(const KernelInfo& info, const Name& name) {
  for (int8_t i = 0; i < info.dim_count; ++i) {
    if (same_name(info.dims[i].text, name.text)) return i;
  }
  refuse("the dim is not in the list after the first bar");
  return -1;
}

static constexpr Dtype parse_dtype(Cursor& cursor) {
  if (cursor.take('i')) return Dtype::i32;
  if (cursor.take('d')) return Dtype::f64;
  if (cursor.take('b')) return Dtype::u8;
  if (!cursor.take('h')) refuse("a type is i, d, b or h");
  return Dtype::f16;
}

static constexpr void parse_marks(Cursor& cursor, BufferSpec& buffer) {
  for (;;) {
    if (cursor.take('?')) buffer.optional = true;
    else if (cursor.take('=')) buffer.role = Role::out;
    else if (cursor.take('~')) buffer.role = Role::inout;
    else if (cursor.take(':')) buffer.dtype = parse_dtype(cursor);
    else return;
  }
}

// {lr momentum}: as many elements, each with a name.
static constexpr void parse_fields(Cursor& cursor, BufferSpec& buffer) {
  buffer.fields = cursor.at;
  buffer.factor = 0;
  for (cursor.skip_spaces(); !cursor.take('}'); cursor.skip_spaces()) {
    parse_name(cursor);
    ++buffer.factor;
  }
}

static constexpr void parse_brackets(Cursor& cursor, const KernelInfo& info, BufferSpec& buffer) {
  if (!cursor.take('[')) refuse("expected [");
  do {
    if (is_digit(*cursor.at)) {
      buffer.factor *= parse_number(cursor);
    } else {
      if (buffer.rank == kMaxRank) refuse("too many dims in one buffer");
      buffer.dim[buffer.rank] = find_dim(info, parse_name(cursor));
      buffer.padded[buffer.rank++] = cursor.take('^');
    }
  } while (cursor.take(','));
  if (!cursor.take(']')) refuse("expected ]");
}

static constexpr BufferSpec parse_buffer(Cursor& cursor, const KernelInfo& info) {
  BufferSpec buffer{};
  buffer.factor = 1;
  buffer.name = parse_name(cursor);
  parse_marks(cursor, buffer);
  if (cursor.take('{')) parse_fields(cursor, buffer);
  else parse_brackets(cursor, info, buffer);
  return buffer;
}

// Words up to the next bar or the end.
static constexpr int8_t parse_words(Cursor& cursor, Name* words, int max) {
  int8_t count = 0;
  for (cursor.skip_spaces(); *cursor.at && *cursor.at != '|'; cursor.skip_spaces()) {
    if (count == max) refuse("too many dims or scalars");
    words[count++] = parse_name(cursor);
  }
  return count;
}

static constexpr Cursor after_bar(Cursor cursor) {
  while (*cursor.at && *cursor.at != '|') ++cursor.at;
  if (!cursor.take('|')) refuse("expected two bars");
  return cursor;
}

// EXACT or TERMS of a sum of numbers and up to two dims, as TERMS(12), TERMS(k + 12) or TERMS(m + n), as text.
static constexpr Bound parse_bound(const char* text, const KernelInfo& info) {
  Bound bound{false, {-1, -1}, 0};
  Cursor cursor{text};
  if (same_name(text, "EXACT")) return Bound{true, {-1, -1}, 0};
  for (const char* c = "TERMS("; *c; ++c) {
    if (!cursor.take(*c)) refuse("a bound is EXACT or TERMS(...)");
  }
  int dims = 0;
  do {
    cursor.skip_spaces();
    if (!is_letter(*cursor.at)) bound.plus += parse_number(cursor);
    else if (dims < 2) bound.dim[dims++] = find_dim(info, parse_name(cursor));
    else refuse("a bound names at most two dims");
    cursor.skip_spaces();
  } while (cursor.take('+'));
  if (!cursor.take(')') || *cursor.at) refuse("expected ) at the end of the bound");
  return bound;
}

// The words after a third bar, or nothing.
static constexpr void parse_abilities(Cursor cursor, KernelInfo& info) {
  info.along = -1;
  if (!cursor.take('|')) return;
  for (cursor.skip_spaces(); *cursor.at; cursor.skip_spaces()) {
    const Name word = parse_name(cursor);
    if (same_name(word.text, "split")) {
      info.splits = true;
    } else if (same_name(word.text, "prefetch")) {
      info.prefetches = true;
    } else if (same_name(word.text, "sum")) {
      info.sums = true;
    } else if (same_name(word.text, "along")) {
      cursor.skip_spaces();
      info.along = find_dim(info, parse_name(cursor));
    } else {
      refuse("only split, prefetch, sum and along may follow the scalars");
    }
  }
  if ((info.prefetches || info.sums) && !info.splits) refuse("prefetch and sum are of kernels that split");
}

// Every output has the dim that the kernel is `along`, where a buffer has it once, in front or as its panels.
static constexpr void check_along(const KernelInfo& info) {
  if (info.along < 0) return;
  for (int b = 0; b < info.buffer_count; ++b) {
    const BufferSpec& buffer = info.buffers[b];
    int found = 0;
    for (int i = 0; i < buffer.rank; ++i) {
      if (buffer.dim[i] != info.along) continue;
      ++found;
      if (i > 0 && !buffer.padded[i]) refuse("a dim that is neither in front nor padded cannot be cut");
    }
    if (found > 1 || (found == 0 && buffer.role != Role::in)) refuse("every output has the dim of `along`, once");
  }
}

static constexpr KernelInfo parse_kernel(int id, const char* name, const char* signature, const char* bound) {
  KernelInfo info{};
  info.name = name;
  info.id = id;
  Cursor buffers{signature}, dims = after_bar(buffers), scalars = after_bar(dims);
  info.dim_count = parse_words(dims, info.dims, kMaxDims);
  info.scalar_count = parse_words(scalars, info.scalars, kMaxScalars);
  parse_abilities(scalars, info);
  for (buffers.skip_spaces(); *buffers.at != '|'; buffers.skip_spaces()) {
    if (info.buffer_count == kMaxBuffers) refuse("too many buffers");
    info.buffers[info.buffer_count++] = parse_buffer(buffers, info);
  }
  check_along(info);
  info.bound = parse_bound(bound, info);
  return info;
}

}  // namespace anneal
