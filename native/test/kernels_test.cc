// Every kernel of kernels.def on every instruction set this machine runs: a grid of sizes and tails and random cases,
// each at several misalignments, in exact-size guarded memory, against the float64 twin within the kernel's bound, in
// place where that is promised, and bit for bit between the instruction sets that fuse multiply-adds.
//   kernels_test [--cases N] [--seed S] [--kernel NAME [--dims A,B,..]] [--isa NAME] [--hash] [--bench]
// Not here: speed (bench.cc).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <string>
#include <vector>

#include "../base/cpu.h"
#include "../kernels/dispatch.h"
#include "../kernels/reference/twin.h"
#include "bench.h"
#include "blocks.h"
#include "check.h"
#include "cuts.h"
#include "pads.h"
#include "panels_test.h"
#include "parts.h"
#include "random_inputs.h"
#include "ulps_test.h"

#if defined(__x86_64__)
namespace anneal {
extern const KernelFn kernels_avx512_on_avx2[];
}
#endif

namespace anneal::test {
namespace {

struct Options {
  int64_t cases = 200;
  uint64_t seed = 1;
  std::string kernel, isa;
  std::vector<int64_t> dims;
  bool hash = false, bench = false;
};

constexpr int64_t kUlpsStride = 1009;  // of the floats that check_ulps tries

struct Table {
  std::string name;
  const KernelFn* kernels;
  bool fused;  // multiply-adds round once, so that all such tables give the same bits
};

constexpr uint64_t kNoHash = 0xcbf29ce484222325u;

struct Totals {
  int64_t passed = 0, failed = 0;
  uint64_t hash = kNoHash;  // of the outputs of one kernel
};

using Outputs = std::vector<std::vector<char>>;  // per buffer, empty for inputs

// One kernel call on paper. Everything but the sizes follows from the seed.
struct Case {
  const KernelInfo& info;
  int64_t dims[kMaxDims] = {};
  uint64_t seed = 0;
  Texture texture = Texture::bell;
  double scalars[kMaxScalars] = {};
  std::vector<char> contents[kMaxBuffers];
  bool present[kMaxBuffers] = {};

  Case(const KernelInfo& kernel, const std::vector<int64_t>& sizes, uint64_t s) : info(kernel), seed(s) {
    for (size_t i = 0; i < sizes.size(); ++i) dims[i] = sizes[i];
    make_possible(info, dims);
    Rng rng(seed);
    texture = random_texture(rng);
    for (int i = 0; i < info.scalar_count; ++i) scalars[i] = random_scalar(rng, info.scalars[i].text, dims);
    for (int i = 0; i < info.buffer_count; ++i) {
      present[i] = !info.buffers[i].optional || rng.chance(50);
      if (present[i]) contents[i] = random_contents(rng, info, info.buffers[i], dims, texture);
      if (present[i]) fill_pads(info.buffers[i], dims, NAN, contents[i]);
    }
  }

  std::string reproducer() const {
    std::string text = std::string("kernels_test --kernel ") + info.name + " --dims ";
    for (int i = 0; i < info.dim_count; ++i) text += (i ? "," : "") + std::to_string(dims[i]);
    return text + " --seed " + std::to_string(seed);
  }
};

void record(Totals& totals, bool right, const Case& c, const Table& table, const std::string& what) {
  ++(right ? totals.passed : totals.failed);
  if (right || totals.failed > 20) return;
  printf("FAILED %s: %s\n  %s --isa %s\n", c.info.name, what.c_str(), c.reproducer().c_str(), table.name.c_str());
}

// Which input an output shares memory with, by buffer index; -1 for none.
struct Alias {
  int output = -1, input = -1;
};

// Runs the case in fresh guarded blocks, each at its own misalignment, in so many parts, and checks what must not have
// changed.
Outputs run(const Case& c, const Table& table, Rng& rng, Totals& totals, Alias alias = {}, int32_t parts = 1) {
  std::vector<Block> blocks;
  Call call{};
  for (int i = 0; i < c.info.buffer_count; ++i) blocks.emplace_back(c.contents[i], rng.below(16));
  for (int i = 0; i < c.info.buffer_count; ++i) call.buffer[i] = c.present[i] ? blocks[i].data() : nullptr;
  if (alias.output >= 0) call.buffer[alias.output] = blocks[alias.input].data();
  for (int i = 0; i < kMaxDims; ++i) call.dim[i] = c.dims[i];
  for (int i = 0; i < kMaxScalars; ++i) call.scalar[i] = c.scalars[i];

  run_in_parts(table.kernels[c.info.id], c.info, call, parts);

  Outputs outputs(blocks.size());
  for (int i = 0; i < c.info.buffer_count; ++i) {
    const std::string name = c.info.buffers[i].name.text;
    record(totals, blocks[i].guards_intact(), c, table, "wrote outside of " + name);
    if (c.info.buffers[i].role != Role::in) outputs[i] = blocks[i == alias.output ? alias.input : i].contents();
    if (c.info.buffers[i].role != Role::in && c.present[i]) fill_pads(c.info.buffers[i], c.dims, 0, outputs[i]);
    if (c.info.buffers[i].role == Role::in && i != alias.input)
      record(totals, blocks[i].contents() == c.contents[i], c, table, "changed its input " + name);
  }
  return outputs;
}

bool equal(const Case& c, const Outputs& a, const Outputs& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!equal_outputs(a[i], b[i], c.info.buffers[i].dtype)) return false;
  }
  return true;
}

std::vector<std::vector<Real>> twin_of(const Case& c) {
  std::vector<std::vector<Real>> want(kMaxBuffers);
  std::vector<std::vector<char>> inputs(c.contents, c.contents + kMaxBuffers);
  Call call{};
  Real* outputs[kMaxBuffers] = {};
  for (int i = 0; i < c.info.buffer_count; ++i) {
    if (!c.present[i]) continue;
    call.buffer[i] = inputs[i].data();
    if (c.info.buffers[i].role == Role::in) continue;
    want[i].resize(static_cast<size_t>(extent(c.info.buffers[i], c.dims)));
    outputs[i] = want[i].data();
  }
  memcpy(call.dim, c.dims, sizeof call.dim);
  memcpy(call.scalar, c.scalars, sizeof call.scalar);
  twins()[c.info.id](call, outputs);
  for (int i = 0; i < c.info.buffer_count; ++i) {
    if (outputs[i]) each_pad(c.info.buffers[i], c.dims, [&](int64_t at) { outputs[i][at] = 0; });
  }
  return want;
}

void check_against_twin(const Case& c, const Table& table, const Outputs& got,
                        const std::vector<std::vector<Real>>& want, Totals& totals) {
  for (int i = 0; i < c.info.buffer_count; ++i) {
    if (c.info.buffers[i].role == Role::in || !c.present[i]) continue;
    const std::string wrong = judge(c.info, c.info.buffers[i], c.dims, got[i], want[i], c.texture == Texture::huge);
    record(totals, wrong.empty(), c, table, wrong);
  }
}

void check_in_place(const Case& c, const Table& table, const Outputs& apart, Rng& rng, Totals& totals) {
  for (int o = 0; o < c.info.buffer_count; ++o) {
    for (int i = 0; i < c.info.buffer_count; ++i) {
      if (!c.present[o] || !c.present[i] || !may_alias(c.info, c.info.buffers[o], c.info.buffers[i])) continue;
      const bool same = equal(c, run(c, table, rng, totals, {o, i}), apart);
      record(totals, same, c, table, std::string("differs in place of ") + c.info.buffers[i].name.text);
    }
  }
}

void check_parts(const Case& c, const Table& table, const Outputs& whole, Rng& rng, Totals& totals) {
  for (const int32_t parts : {2, 3, 8}) {
    if (!c.info.splits) return;
    const bool same = equal(c, run(c, table, rng, totals, {}, parts), whole);
    record(totals, same, c, table, "differs in " + std::to_string(parts) + " parts");
  }
}

// The case with dim `along` cut to a range, from its own contents; outputs go into `whole`.
void run_range(const Case& c, const Table& table, int64_t from, int64_t to, std::vector<std::vector<char>>& whole) {
  Call call{};
  std::vector<Block> blocks;
  std::vector<Cut> cuts;
  for (int i = 0; i < c.info.buffer_count; ++i) {
    const auto element = static_cast<size_t>(element_size(c.info.buffers[i].dtype));
    cuts.push_back(cut_of(c.info.buffers[i], c.dims, c.info.along, from, to));
    std::vector<char> part(c.present[i] ? static_cast<size_t>(cuts[i].length()) * element : 0);
    if (c.present[i]) copy_cut(cuts[i], element, whole[i].data(), part.data(), false);
    blocks.emplace_back(part, 0);
  }
  for (int i = 0; i < c.info.buffer_count; ++i) call.buffer[i] = c.present[i] ? blocks[i].data() : nullptr;
  memcpy(call.dim, c.dims, sizeof call.dim);
  memcpy(call.scalar, c.scalars, sizeof call.scalar);
  call.dim[c.info.along] = to - from;
  table.kernels[c.info.id](call);
  for (int i = 0; i < c.info.buffer_count; ++i) {
    if (c.info.buffers[i].role == Role::in || !c.present[i]) continue;
    const auto element = static_cast<size_t>(element_size(c.info.buffers[i].dtype));
    copy_cut(cuts[i], element, whole[i].data(), static_cast<char*>(blocks[i].data()), true);
  }
}

// Two ranges of the dim that may be cut give what all of it gives.
void check_ranges(const Case& c, const Table& table, const Outputs& got, Rng& rng, Totals& totals) {
  if (c.info.along < 0) return;
  const int64_t size = c.dims[c.info.along], step = granule(c.info, c.info.along);
  const int64_t middle = std::min(size, step * static_cast<int64_t>(rng.below(size / step + 2)));
  std::vector<std::vector<char>> whole(c.contents, c.contents + c.info.buffer_count);
  run_range(c, table, middle, size, whole);
  run_range(c, table, 0, middle, whole);
  for (int i = 0; i < c.info.buffer_count; ++i) {
    if (c.info.buffers[i].role == Role::in) whole[i].clear();
    else if (c.present[i]) fill_pads(c.info.buffers[i], c.dims, 0, whole[i]);
  }
  record(totals, equal(c, whole, got), c, table, "differs in ranges cut at " + std::to_string(middle));
}

void check_case(const Case& c, const std::vector<Table>& tables, Totals& totals) {
  const std::vector<std::vector<Real>> want = twin_of(c);
  Rng rng(c.seed ^ 0x5eed);
  Outputs fused;
  for (const Table& table : tables) {
    const Outputs got = run(c, table, rng, totals);
    check_against_twin(c, table, got, want, totals);
    record(totals, equal(c, run(c, table, rng, totals), got), c, table, "depends on alignment");
    check_in_place(c, table, got, rng, totals);
    check_parts(c, table, got, rng, totals);
    check_ranges(c, table, got, rng, totals);
    if (!table.fused) continue;
    if (fused.empty()) {
      fused = got;
      for (size_t i = 0; i < got.size(); ++i) hash_output(totals.hash, got[i], c.info.buffers[i].dtype);
    }
    record(totals, equal(c, got, fused), c, table, "its bits are not those of " + tables.back().name);
  }
}

// Sizes around every width and block that a kernel might have, fewer of them when there are many dims.
std::vector<int64_t> grid_sizes(int dim_count) {
  if (dim_count == 1) {
    std::vector<int64_t> sizes;
    for (int64_t n = 0; n <= 70; ++n) sizes.push_back(n);
    sizes.insert(sizes.end(), {127, 128, 129, 255, 256, 257, 1000, 1023, 1025});
    return sizes;
  }
  if (dim_count == 2) return {0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 50, 65};
  if (dim_count == 3) return {0, 1, 2, 3, 7, 15, 16, 17, 33};
  return {0, 1, 3, 5};
}

std::vector<int64_t> grid_point(const std::vector<int64_t>& sizes, int dim_count, int64_t index) {
  std::vector<int64_t> dims;
  for (int i = 0; i < dim_count; ++i, index /= static_cast<int64_t>(sizes.size())) {
    dims.push_back(sizes[static_cast<size_t>(index) % sizes.size()]);
  }
  return dims;
}

// Mostly small; one dim in some cases longer than every block of the products.
std::vector<int64_t> random_dims(Rng& rng, int dim_count) {
  std::vector<int64_t> dims;
  for (int i = 0; i < dim_count; ++i) dims.push_back(rng.below(dim_count > 3 ? 9 : 41));
  if (rng.chance(10)) dims[static_cast<size_t>(rng.below(dim_count))] = rng.below(600);
  return dims;
}

void check_kernel(const KernelInfo& info, const Options& options, const std::vector<Table>& tables, Totals& totals) {
  if (!options.dims.empty()) return check_case(Case(info, options.dims, options.seed), tables, totals);
  Rng rng(options.seed * 1000003);  // the same for every kernel, so that one's hash does not depend on the others
  const std::vector<int64_t> sizes = grid_sizes(info.dim_count);
  int64_t points = 1;
  for (int i = 0; i < info.dim_count; ++i) points *= static_cast<int64_t>(sizes.size());
  for (int64_t i = 0; i < points; ++i) {
    check_case(Case(info, grid_point(sizes, info.dim_count, i), rng.next()), tables, totals);
  }
  for (int64_t i = 0; i < options.cases; ++i) {
    const std::vector<int64_t> dims = random_dims(rng, info.dim_count);
    check_case(Case(info, dims, rng.next()), tables, totals);
  }
}

std::vector<Table> available_tables(const std::string& only) {
  std::vector<Table> tables;
  for (const Isa isa : kIsas) {
    if (kernels(isa) && isa_supported(isa)) tables.push_back({isa_name(isa), kernels(isa), isa != Isa::sse2});
  }
#if defined(ANNEAL_EMULATE) && defined(__x86_64__)
  if (isa_supported(Isa::avx2)) tables.push_back({"avx512_on_avx2", kernels_avx512_on_avx2, true});
#endif
  std::vector<Table> chosen;
  for (const Table& table : tables) {
    if (only.empty() || table.name == only) chosen.push_back(table);
  }
  return chosen;
}

bool parse_dims(const char* text, std::vector<int64_t>& dims) {
  for (char* end = nullptr; *text; text = *end ? end + 1 : end) {
    dims.push_back(strtoll(text, &end, 10));
    if (end == text || (*end && *end != ',')) return false;
  }
  return true;
}

bool parse_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--hash") options.hash = true;
    else if (flag == "--bench") options.bench = true;
    else if (i + 1 == argc) return false;
    else if (flag == "--cases") options.cases = strtoll(argv[++i], nullptr, 10);
    else if (flag == "--seed") options.seed = strtoull(argv[++i], nullptr, 10);
    else if (flag == "--kernel") options.kernel = argv[++i];
    else if (flag == "--isa") options.isa = argv[++i];
    else if (flag != "--dims" || !parse_dims(argv[++i], options.dims)) return false;
  }
  if (options.kernel.empty()) return options.dims.empty();
  const int id = kernel_id(options.kernel.c_str());
  const size_t dims = options.dims.size();
  return id >= 0 && (dims == 0 || dims == static_cast<size_t>(kernel_info(id).dim_count));
}

int run_tests(const Options& options, const std::vector<Table>& tables) {
  Totals totals;
  for (int id = 0; id < kernel_count(); ++id) {
    const KernelInfo& info = kernel_info(id);
    if (!options.kernel.empty() && options.kernel != info.name) continue;
    totals.hash = kNoHash;
    check_kernel(info, options, tables, totals);
    if (options.hash) printf("hash %016" PRIx64 " %s\n", totals.hash, info.name);
  }
  for (const Table& table : tables) {
    if (options.kernel.empty())
      check_panels(table.name.c_str(), table.kernels, options.seed, totals.passed, totals.failed);
  }
  if (options.kernel.empty()) check_ulps(kUlpsStride, totals.passed, totals.failed);
  printf("kernels_test: %" PRId64 " checks passed, %" PRId64 " failed\n", totals.passed, totals.failed);
  return totals.failed || !totals.passed ? 1 : 0;
}

}  // namespace
}  // namespace anneal::test

int main(int argc, char** argv) {
  using namespace anneal::test;
  Options options;
  if (!parse_options(argc, argv, options)) {
    fprintf(
        stderr,
        "usage: kernels_test [--cases N] [--seed S] [--kernel NAME [--dims A,B,..]] [--isa NAME] [--hash] [--bench]\n");
    return 2;
  }
  const std::vector<Table> tables = available_tables(options.isa);
  if (tables.empty()) {
    fprintf(stderr, "kernels_test: --isa: expected one that this machine runs but received '%s'\n",
            options.isa.c_str());
    return 2;
  }
  printf("kernels_test: %s;", anneal::isa_status());
  for (const Table& table : tables) printf(" %s", table.name.c_str());
  printf(", seed %" PRIu64 ", %" PRId64 " random cases per kernel\n", options.seed, options.cases);
  if (!options.bench) return run_tests(options, tables);
  for (const Table& table : tables) bench(table.name.c_str(), table.kernels);
  return 0;
}
