// Mutated programs against the plan: what decode_program accepts is run in memory that ends, and where it can begins,
// at a page that nobody may touch, its tables too. A program that gets out of bounds ends the process; its numbers are
// then in the folder that was named, whose programs are run first the next time.
//   plan_fuzz [--seconds N] [--seed S] [--programs N] [--folder DIR]
// Not here: what programs mean (plan_test.cc), refusals with their texts (plan_refusals.cc).
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#include "programs.h"
#include "random_inputs.h"

namespace anneal::test {
namespace {

// A number of a program; what a call begins with goes by its name in files, because numbers change with kernels.def.
struct Token {
  double value = 0;
  bool kernel = false;
};
using Tokens = std::vector<Token>;

void append(Tokens& code, std::initializer_list<double> numbers) {
  for (const double number : numbers) code.push_back({number});
}

constexpr int64_t kPage = 4096;
constexpr int64_t kWords = int64_t{1} << 19;  // 2 MB: the system's own pages (base/arena.cc), not the heap's
constexpr int64_t kStoreBytes = kWords * kWord;

int64_t store_length(Dtype dtype) { return kStoreBytes / element_size(dtype); }

// ---- Memory that ends at a page without access
// -----------------------------------------------------------------------

void guard_end(const Arena& arena) { mprotect(arena.data() + arena.bytes(), kPage, PROT_NONE); }

// A table whose last element ends at such a page; an empty one begins there.
template <typename T>
class Table {
 public:
  explicit Table(int64_t length)
      : length_(length), bytes_((length * static_cast<int64_t>(sizeof(T)) + kPage - 1) / kPage * kPage + kPage) {
    memory_ = static_cast<char*>(
        mmap(nullptr, static_cast<size_t>(bytes_), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_ + bytes_ - kPage, kPage, PROT_NONE);
  }
  ~Table() { munmap(memory_, static_cast<size_t>(bytes_)); }
  Table(const Table&) = delete;

  T* data() { return reinterpret_cast<T*>(memory_ + bytes_ - kPage) - length_; }
  View<T> view() { return {data(), static_cast<size_t>(length_)}; }
  int64_t length() const { return length_; }

 private:
  int64_t length_, bytes_;
  char* memory_;
};

// Reads all that is sent and writes all that is received, as two other ranks would.
class Loopback : public Transport {
 public:
  int rank() const override { return 1; }
  int size() const override { return 3; }
  int begin(const Parcel* sends, size_t send_count, const Parcel* receives, size_t receive_count) override {
    for (size_t i = 0; i < send_count; ++i) {
      const char* data = static_cast<const char*>(sends[i].data);
      for (int64_t b = 0; b < sends[i].bytes; ++b) sum_ += data[b];
    }
    for (size_t i = 0; i < receive_count; ++i) {
      memset(receives[i].data, sum_ & 63, static_cast<size_t>(receives[i].bytes));
    }
    return 0;
  }
  Status finish(int) override { return {}; }
  void progress() override {}
  int64_t now() const override { return 0; }

 private:
  int sum_ = 0;
};

Space guarded_space(Rng& rng) {
  Space space;
  space.arena = std::make_shared<Arena>(kWords * kWord);
  guard_end(*space.arena);
  float* words = reinterpret_cast<float*>(space.arena->data());
  for (int64_t i = 0; i < kWords; ++i) words[i] = static_cast<float>(rng.bell());
  for (Dtype dtype : {Dtype::f32, Dtype::i32, Dtype::u8, Dtype::f16}) {
    space.stores.push_back(std::make_shared<Store>(dtype, store_length(dtype)));
    guard_end(*space.stores.back()->memory);
  }
  space.transport = std::make_shared<Loopback>();
  return space;
}

// ---- Programs -------------------------------------------------------------------------------------------------------

// Dims of a kernel whose buffers fit the arena several times.
std::vector<int64_t> some_dims(const KernelInfo& info, Rng& rng) {
  std::vector<int64_t> dims;
  for (int d = 0; d < info.dim_count; ++d)
    dims.push_back(rng.below(rng.chance(10) ? 200 : info.dim_count > 3 ? 6 : 40));
  return dims;
}

// A call whose buffers lie side by side up to the arena's last word, or in a table or store where one may.
void add_call(Tokens& code, Tokens& per_step, Rng& rng) {
  const KernelInfo& info = kernel_info(static_cast<int>(rng.below(kernel_count())));
  const std::vector<int64_t> dims = some_dims(info, rng);
  code.push_back({static_cast<double>(info.id), true});
  int64_t end = kWords;
  for (int b = 0; b < info.buffer_count; ++b) {
    const BufferSpec& spec = info.buffers[b];
    const int64_t length = extent(spec, dims.data()), size = length * element_size(spec.dtype) / kWord;
    const bool input = spec.role == Role::in;
    int region = kArena;
    if (spec.optional && rng.chance(40)) region = kAbsent;
    else if (spec.dtype == Dtype::f64) region = rng.chance(60) ? kScalars : kArena;
    else if (spec.dtype == Dtype::u8) region = kFirstStore + 2;
    else if (spec.dtype == Dtype::f16) region = kFirstStore + 3;
    else if (spec.dtype == Dtype::i32 && input) region = rng.chance(70) ? kOrder : kFirstStore + 1;
    else if (input && rng.chance(15)) region = rng.chance(50) ? kFirstStore : kDraws;
    else if (!input && size == 1) region = spec.dtype == Dtype::i32 ? kCounts : kLosses;
    double offset = 0;
    if (region == kArena) offset = static_cast<double>(end -= size);
    else if (region >= kFirstStore) offset = static_cast<double>(store_length(spec.dtype) - length);
    else if (region != kAbsent) {
      double& step = per_step[static_cast<size_t>(region - kFirstMoving)].value;
      offset = step;
      step += static_cast<double>(length);
    }
    append(code, {static_cast<double>(region), offset});
  }
  // Of a program with rows, most of the dims that can go with them do.
  const auto rows = static_cast<int64_t>(per_step.back().value);
  for (const int64_t dim : dims) {
    const bool per_row = rows > 0 && dim > 0 && dim % rows == 0 && rng.chance(80);
    append(code, {static_cast<double>(per_row ? -(dim / rows) : dim)});
  }
  for (int s = 0; s < info.scalar_count; ++s) append(code, {random_scalar(rng, info.scalars[s].text, dims.data())});
}

double number_of(int64_t value) { return static_cast<double>(value); }

// A gather, and a product that puts the next batch in the place of this one.
void add_prefetch(Tokens& calls, Tokens& header, Rng& rng) {
  const int64_t m = 1 + rng.below(8), k = 1 + rng.below(40), n = 1 + rng.below(40);
  const int64_t kp = (k + 15) / 16 * 16, np = (n + 15) / 16 * 16;
  const int64_t x = kWords - m * kp, dy = x - m * np, dw = dy - np * k, db = dw - np;
  calls.push_back({number_of(kernel_id("gather_panels")), true});
  append(calls, {kFirstStore, 0, kOrder, 0, kArena, number_of(x), number_of(store_length(Dtype::f32) / k), number_of(k),
                 number_of(m)});
  calls.push_back({number_of(kernel_id("linear_panel_weight_bwd")), true});
  append(calls, {kArena, number_of(dy), kArena, number_of(x), kArena, number_of(dw), kArena, number_of(db),
                 number_of(m), number_of(k), number_of(n)});
  header[0].value = number_of(m);
  header[kMovingRegions].value = 1;
  header[kMovingRegions + 1].value = 2;
}

// An exchange of a few blocks side by side up to the arena's last word, and its end; sometimes a call in between.
void add_exchange(Tokens& calls, Tokens& per_step, Rng& rng) {
  const int64_t sends = rng.below(4), receives = rng.below(4);
  int64_t at = kWords;
  calls.push_back({number_of(exchange_id()), true});
  append(calls, {number_of(sends), number_of(receives)});
  for (int64_t i = 0; i < sends + receives; ++i) {
    const int64_t words = 1 + rng.below(50), stride = words + rng.below(10), times = 1 + rng.below(5);
    at -= (times - 1) * stride + words;
    append(calls, {rng.chance(50) ? 0.0 : 2.0, number_of(at), number_of(words), number_of(stride), number_of(times)});
  }
  if (rng.chance(30)) add_call(calls, per_step, rng);
  calls.push_back({number_of(arrival_id()), true});
  append(calls, {0});
}

Tokens valid_program(Rng& rng) {
  Tokens calls, per_step(kHeaderFields);
  if (rng.chance(20)) per_step.back().value = static_cast<double>(1 + rng.below(5));
  if (rng.chance(10)) add_prefetch(calls, per_step, rng);
  else if (rng.chance(15)) add_exchange(calls, per_step, rng);
  else
    for (int64_t left = 1 + rng.below(4); left > 0; --left) add_call(calls, per_step, rng);
  Tokens code = per_step;
  code.insert(code.end(), calls.begin(), calls.end());
  return code;
}

double strange_number(Rng& rng, double was) {
  const double numbers[] = {
      was + 1,    was - 1,    -was,       was * 2,     was + 16,        was / 2, 0,   1,   -1,
      0x1p31,     0x1p31 - 1, 0x1p32 + 5, 0x1p53,      -0x1p53,         1e300,   NAN, 0.5, INFINITY,
      kWords - 1, kWords,     kWords + 1, kFirstStore, kFirstStore + 2, kDraws};
  return numbers[rng.below(static_cast<int64_t>(sizeof numbers / sizeof *numbers))];
}

void mutate(Tokens& code, Rng& rng) {
  if (code.empty()) return;
  const auto at = [&] { return static_cast<size_t>(rng.below(static_cast<int64_t>(code.size()))); };
  switch (rng.below(10)) {
    case 0: code.erase(code.begin() + static_cast<ptrdiff_t>(at())); return;
    case 1: code.insert(code.begin() + static_cast<ptrdiff_t>(at()), code[at()]); return;
    case 2: code.resize(at()); return;
    case 3: std::swap(code[at()], code[at()]); return;
    case 4: code[at()] = code[at()]; return;
    case 5: code[at()] = {static_cast<double>(rng.below(arrival_id() + 1)), true}; return;
    default: {
      Token& token = code[at()];
      token = {strange_number(rng, token.value)};
    }
  }
}

// ---- Running --------------------------------------------------------------------------------------------------------

// Work that a zero size hides from the bounds: a loop over 2^31 empty rows proves nothing and takes long.
bool is_short(const Program& program) {
  for (const Instruction& instruction : program.instructions) {
    double work = 1;
    for (const int64_t dim : instruction.call.dim) work *= static_cast<double>(dim > 1 ? dim : 1);
    if (work > 1e7) return false;
  }
  return true;
}

// Whether the program was accepted and ran.
bool try_program(const Tokens& tokens, const Space& space, Rng& rng) {
  std::vector<double> code;
  for (const Token& token : tokens) code.push_back(token.value);
  Plan plan;
  plan.space = space;
  Program program;
  if (!decode_program(code.data(), code.size(), 0, plan.space, program).ok() || !is_short(program)) return false;
  const Amounts step = program.per_step;
  const int32_t steps = 1 + static_cast<int32_t>(rng.below(3));
  for (const int64_t amount : step.of) {
    if (amount * steps > kWords) return false;
  }
  const int64_t limit = program.order_limit;
  plan.programs.push_back(std::move(program));
  Table<int32_t> order(step.of[0] * steps);
  Table<double> scalars(step.of[1] * steps);
  Table<float> draws(step.of[4] * steps);
  for (int64_t i = 0; i < order.length(); ++i) {
    order.data()[i] = static_cast<int32_t>(rng.chance(98) && limit > 0 ? rng.below(limit < 64 ? limit : 64) : -1);
  }
  for (int64_t i = 0; i < scalars.length(); ++i) scalars.data()[i] = rng.bell();
  for (int64_t i = 0; i < draws.length(); ++i) draws.data()[i] = rng.chance(50) ? 1.0f : 0.0f;
  Run run;
  run.segments = {{0, steps}};
  run.inputs = {order.view(), scalars.view(), draws.view()};
  run.threads = 1 + static_cast<int>(rng.below(3));
  if (const int64_t most = plan.programs[0].most_rows) set_rows(plan.programs[0], 1 + rng.below(most));
  if (!prepare_run(plan, run).ok()) return false;
  return execute_run(plan, run).ok();
}

// ---- What ends the process
// -------------------------------------------------------------------------------------------

// The program that is running as text, and where it goes when the process dies of it.
std::string running, kept;

void keep_program(const char* what) {
  const int file = open(kept.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
  if (file >= 0 && write(file, running.data(), running.size()) >= 0) close(file);
  fprintf(stderr, "plan_fuzz: %s; the program is kept in %s\n", what, kept.c_str());
}

void on_signal(int signal) {
  keep_program(strsignal(signal));
  _exit(1);
}

std::string name_of(int id) {
  return id == exchange_id() ? "exchange" : id == arrival_id() ? "arrival" : kernel_info(id).name;
}

// The id behind a name; -1: it is none.
int id_of(const std::string& name) {
  return name == "exchange" ? exchange_id() : name == "arrival" ? arrival_id() : kernel_id(name.c_str());
}

std::string text_of(const Tokens& code) {
  std::string text;
  char number[32];
  for (const Token& token : code) {
    snprintf(number, sizeof number, "%.17g", token.value);
    text += token.kernel ? name_of(static_cast<int>(token.value)) : number;
    text += '\n';
  }
  return text;
}

Tokens program_in(const std::filesystem::path& file) {
  Tokens code;
  std::ifstream in(file);
  for (std::string word; in >> word;) {
    const int id = id_of(word);
    if (id >= 0) code.push_back({static_cast<double>(id), true});
    else append(code, {strtod(word.c_str(), nullptr)});
  }
  return code;
}

struct Options {
  double seconds = 5;
  uint64_t seed = 1;
  int64_t programs = INT64_MAX;
  std::string folder = ".";
};

bool parse_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (i + 1 == argc) return false;
    if (flag == "--seconds") options.seconds = strtod(argv[i + 1], nullptr);
    else if (flag == "--seed") options.seed = strtoull(argv[i + 1], nullptr, 10);
    else if (flag == "--programs") options.programs = strtoll(argv[i + 1], nullptr, 10);
    else if (flag == "--folder") options.folder = argv[i + 1];
    else return false;
  }
  return true;
}

int replay(const Options& options, const Space& space) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(options.folder)) {
    if (entry.path().extension() != ".txt") continue;
    const Tokens code = program_in(entry.path());
    running = text_of(code);
    kept = entry.path().string();
    for (uint64_t seed = 0; seed < 8; ++seed) {
      Rng rng(seed);
      try_program(code, space, rng);
    }
    ++count;
  }
  return count;
}

int fuzz(const Options& options) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback([] { keep_program("refused by a sanitizer"); });
#endif
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) ::signal(signal, on_signal);
  Rng rng(options.seed);
  const Space space = guarded_space(rng);
  const int replayed = replay(options, space);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.seconds);
  int64_t tried = 0, ran = 0;
  for (; tried < options.programs && std::chrono::steady_clock::now() < end; ++tried) {
    Tokens code = valid_program(rng);
    for (int64_t left = rng.below(4); left > 0; --left) mutate(code, rng);
    running = text_of(code);
    kept = options.folder + "/seed" + std::to_string(options.seed) + "-" + std::to_string(tried) + ".txt";
    alarm(20);  // a program that hangs is found as well
    ran += try_program(code, space, rng);
  }
  alarm(0);
  printf("plan_fuzz: seed %" PRIu64 ", %d programs replayed, %" PRId64 " tried, %" PRId64 " accepted and run\n",
         options.seed, replayed, tried, ran);
  return tried > 0 && ran * 20 < tried ? 1 : 0;  // hardly any accepted: nothing was proven
}

}  // namespace
}  // namespace anneal::test

int main(int argc, char** argv) {
  anneal::test::Options options;
  if (!anneal::test::parse_options(argc, argv, options)) {
    fprintf(stderr, "usage: plan_fuzz [--seconds N] [--seed S] [--programs N] [--folder DIR]\n");
    return 2;
  }
  return anneal::test::fuzz(options);
}
