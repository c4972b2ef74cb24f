// new Plan({ arena, programs, stores, world? }), bind, write, read, infer, setRows, run, runAsync, stop. A run's inputs
// are copied before they are checked, where they could change meanwhile; its results are arrays of V8's own. Not here:
// what a program means (plan/program.h) and how it is executed (plan/executor.h).
#include "plan.h"

#if defined(__wasm__)
#include <emnapi.h>
#endif

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "../plan/executor.h"
#include "buffers.h"
#include "class.h"
#include "elements.h"
#include "environment.h"
#include "store.h"
#include "world.h"

namespace anneal {

template <>
struct Face<Plan> {
  static constexpr const char* name = "Plan";
  static constexpr napi_type_tag tag = {0x616e6e65616c506c, 0x2f1d9c4a80b36e57};
};

namespace {

constexpr double kMaxArena = 1099511627776.0;  // 2^40 words
constexpr double kMaxThreads = 1024;

// ---- new Plan ------------------------------------------------------------------------------------------------------

// One of `stores`: a Store, or the form { dtype, length } of one that is bound later.
std::shared_ptr<Store> listed_store(napi_env env, napi_value value) {
  if (std::shared_ptr<Store> store = unwrap<Store>(env, value)) return store;
  const Args form(env, &value, 1, "Plan");
  const napi_value fields[] = {form.property(0, "each of stores", "dtype"),
                               form.property(0, "each of stores", "length")};
  return store_of_zeros(Args(env, fields, 2, "Plan"));
}

void add_stores(const Args& fields, Plan& plan) {
  for (napi_value value : fields.list(2, "stores")) plan.space.stores.push_back(listed_store(fields.env(), value));
}

void add_programs(const Args& fields, Plan& plan) {
  for (napi_value value : fields.list(1, "programs")) {
    const Span<double> code = Args(fields.env(), &value, 1, "Plan").array<double>(0, "each of programs");
    Program program;
    Status status = decode_program(code.data, code.length, static_cast<int>(plan.programs.size()), plan.space, program);
    if (!status.ok()) refuse(fields.env(), status);
    plan.programs.push_back(std::move(program));
  }
}

void create(const Args& args, napi_value self) {
  const napi_value values[] = {args.property(0, "options", "arena"), args.property(0, "options", "programs"),
                               args.property(0, "options", "stores"), args.property(0, "options", "world")};
  const Args fields(args.env(), values, 4, "Plan");
  auto plan = std::make_shared<Plan>();
  plan->space.arena = std::make_shared<Arena>(fields.integer(0, "arena", 0, kMaxArena) * kWord);
  plan->space.transport = transport_of(fields, 3, values[3]);
  add_stores(fields, *plan);
  add_programs(fields, *plan);
  wrap(args.env(), self, plan, plan->space.arena->bytes());
}

// ---- Stores --------------------------------------------------------------------------------------------------------

// Argument i, a Store, or values of this type where they lie, float32 for int32; null where they may go away.
std::shared_ptr<Store> store_of(const Args& args, size_t i, Dtype dtype) {
  if (std::shared_ptr<Store> store = unwrap<Store>(args.env(), args.value(i))) return store;
  if (dtype == Dtype::i32) dtype = Dtype::f32;
  return with_element(dtype, [&](auto element) -> std::shared_ptr<Store> {
    const auto values = args.array<decltype(element)>(i, "source");
    std::shared_ptr<Arena> around = arena_around(values.data, values.length * sizeof element);
    if (!around) return nullptr;
    return std::make_shared<Store>(std::move(around), dtype, values.data, static_cast<int64_t>(values.length));
  });
}

// bind(number, source): has a store be another, values where they lie or, for null, zeros. Returns whether it is.
napi_value bind(const Args& args, const std::shared_ptr<Plan>& plan) {
  const int64_t number = args.integer(0, "number", 0, static_cast<double>(plan->space.stores.size()) - 1);
  const Store& present = *plan->space.stores[static_cast<size_t>(number)];
  std::shared_ptr<Store> store =
      args.is_nullish(1) ? std::make_shared<Store>(present.dtype, present.length) : store_of(args, 1, present.dtype);
  if (plan->busy) args.refuse_busy("the plan");
  if (!store) return Napi::Boolean::New(args.env(), false);
  Status status = replace_store(*plan, number, std::move(store));
  if (!status.ok()) refuse(args.env(), status);
  return Napi::Boolean::New(args.env(), true);
}

// ---- The arena -----------------------------------------------------------------------------------------------------

bool is_written(const Plan& plan, const Extent& part) {
  return std::any_of(plan.written.begin(), plan.written.end(), [&](const Extent& other) { return other.meets(part); });
}

// The part of the arena, from the offset that is argument i on, that `array` is copied to or from. While a run is under
// way nothing is written, and only what it does not write is read.
char* arena_part(const Args& args, size_t i, const Plan& plan, const Block& array, bool reads) {
  const int64_t offset = args.integer(i, "offset", 0, kMaxArena);
  const int64_t end = offset * kWord + static_cast<int64_t>(array.bytes());
  if (end > plan.space.arena->bytes()) {
    args.refuse_range("array",
                      "to end within the arena's " + std::to_string(plan.space.arena->bytes() / kWord) + " words",
                      "an end at " + std::to_string(end / kWord));
  }
  if (plan.busy && !(reads && !is_written(plan, {offset * kWord, end}))) args.refuse_busy("the plan");
  return plan.space.arena->data() + offset * kWord;
}

napi_value write(const Args& args, const std::shared_ptr<Plan>& plan) {
  const Block from = args.block(1, "array");
  char* to = arena_part(args, 0, *plan, from, false);
  if (from.length) std::memcpy(to, from.data, from.bytes());
  return nullptr;
}

napi_value read(const Args& args, const std::shared_ptr<Plan>& plan) {
  const Block to = args.block(1, "array");
  const char* from = arena_part(args, 0, *plan, to, true);
  if (to.length) std::memcpy(to.data, from, to.bytes());
  return nullptr;
}

// ---- Running -------------------------------------------------------------------------------------------------------

template <typename T>
View<T> view_of(const Args& args, size_t i, const char* name) {
  const Span<T> span = args.array<T>(i, name);
  return {span.data, span.length};
}

// The arguments of run(segments, order, scalars, threads, draws?), in JavaScript's own memory.
void read_run(const Args& args, Run& run) {
  const Span<int32_t> pairs = args.array<int32_t>(0, "segments");
  if (pairs.length % 2) args.refuse_range("segments", "an even number of elements", std::to_string(pairs.length));
  for (size_t i = 0; i < pairs.length; i += 2) run.segments.push_back({pairs.data[i], pairs.data[i + 1]});
  run.inputs = {view_of<int32_t>(args, 1, "order"), view_of<double>(args, 2, "scalars"), {}};
  run.threads = static_cast<int>(args.integer(3, "threads", 1, kMaxThreads));
  if (!args.is_nullish(4)) run.inputs.draws = view_of<float>(args, 4, "draws");
}

// Checks the run, of the tables themselves or of copies in the plan's memory.
void prepare(const Args& args, Plan& plan, Run& run, bool copies) {
  if (plan.busy) args.refuse_busy("the plan");
  if (copies) {
    plan.copies.copy(run.inputs);
    run.inputs = plan.copies.view();
  }
  Status status = prepare_run(plan, run);
  if (!status.ok()) refuse(args.env(), status);
}

napi_status array_of(napi_env env, napi_typedarray_type type, const Arena& from, int64_t length, napi_value* array) {
  void* data = nullptr;
  napi_value buffer;
  const size_t bytes = static_cast<size_t>(length * kWord);
  napi_status status = napi_create_arraybuffer(env, bytes, &data, &buffer);
  if (status != napi_ok) return status;
  if (bytes) std::memcpy(data, from.data(), bytes);
#if defined(__wasm__)  // `data` is a copy in this memory: the buffer is JavaScript's
  if (bytes) status = emnapi_sync_memory(env, false, &buffer, 0, NAPI_AUTO_LENGTH);
  if (status != napi_ok) return status;
#endif
  return napi_create_typedarray(env, type, static_cast<size_t>(length), buffer, 0, array);
}

// { steps, losses, counts } of what was done. Reports by status: it also runs while an environment ends.
napi_status result_of(napi_env env, const Run& run, napi_value* result) {
  napi_value steps, losses, counts;
  napi_status status = napi_create_double(env, static_cast<double>(run.steps), &steps);
  if (status == napi_ok)
    status = array_of(env, napi_float32_array, *run.losses, run.done.of[kLosses - kFirstMoving], &losses);
  if (status == napi_ok)
    status = array_of(env, napi_int32_array, *run.counts, run.done.of[kCounts - kFirstMoving], &counts);
  if (status == napi_ok) status = napi_create_object(env, result);
  if (status == napi_ok) status = napi_set_named_property(env, *result, "steps", steps);
  if (status == napi_ok) status = napi_set_named_property(env, *result, "losses", losses);
  if (status == napi_ok) status = napi_set_named_property(env, *result, "counts", counts);
  return status;
}

// For ever: an exchange that has failed may still read and write the plan's memory.
void keep(const std::shared_ptr<Plan>& plan) { new std::shared_ptr<Plan>(plan); }

napi_value run(const Args& args, const std::shared_ptr<Plan>& plan) {
  Run run;
  read_run(args, run);
  // Nothing of JavaScript runs meanwhile, but for other threads that share the table.
  prepare(args, *plan, run, args.is_shared(1));
  plan->stop = false;
  const Status status = execute_run(*plan, run);
  if (!status.ok()) {
    keep(plan);
    refuse(args.env(), status);
  }
  napi_value result;
  require(args.env(), result_of(args.env(), run, &result));
  return result;
}

// ---- Rows in, rows out ---------------------------------------------------------------------------------------------

// Program number `i`, of so many rows from now on.
size_t with_rows(const Args& args, Plan& plan) {
  const auto number =
      static_cast<int32_t>(args.integer(0, "program", 0, static_cast<double>(plan.programs.size()) - 1));
  Program& program = plan.programs[number];
  const int64_t rows = args.integer(1, "rows", 1, static_cast<double>(program.most_rows));
  if (plan.busy) args.refuse_busy("the plan");
  set_rows(program, rows);
  return number;
}

napi_value set_rows(const Args& args, const std::shared_ptr<Plan>& plan) {
  with_rows(args, *plan);
  return nullptr;
}

// Has a program read other values than those of store `number` for as long as this is there.
class ReadElsewhere {
 public:
  ReadElsewhere(Program& program, int64_t number, const Store& store, const float* values)
      : program_(program), number_(number), store_(store) {
    point_to_store(program_, number_, reinterpret_cast<const char*>(values));
  }
  ReadElsewhere(const ReadElsewhere&) = delete;
  ~ReadElsewhere() { point_to_store(program_, number_, store_.data); }

 private:
  Program& program_;
  const int64_t number_;
  const Store& store_;
};

// The values of argument i, which the program can read in the place of store `number`.
const float* instead_of_store(const Args& args, size_t i, const Program& program, int64_t number, const Store& store) {
  if (store.dtype != Dtype::f32) args.refuse_range("number", "a store of float32", "one of another type");
  const Span<float> input = args.array<float>(i, "input");
  const int64_t least = reach_into_store(program, number);
  if (static_cast<int64_t>(input.length) < least) {
    args.refuse_range("input", "at least " + std::to_string(least) + " elements", std::to_string(input.length));
  }
  return input.data;
}

// infer(program, rows, offset, output, number, input | null, threads): runs one step, which reads store `number` from
// where the input lies if there is one, and reads the output.
napi_value infer(const Args& args, const std::shared_ptr<Plan>& plan) {
  Program& program = plan->programs[with_rows(args, *plan)];
  const Block output = args.block(3, "output");
  const char* from = arena_part(args, 2, *plan, output, true);
  const auto threads = static_cast<int>(args.integer(6, "threads", 1, kMaxThreads));
  std::optional<ReadElsewhere> elsewhere;
  if (!args.is_nullish(5)) {
    const int64_t number = args.integer(4, "number", 0, static_cast<double>(plan->space.stores.size()) - 1);
    const Store& store = *plan->space.stores[static_cast<size_t>(number)];
    elsewhere.emplace(program, number, store, instead_of_store(args, 5, program, number, store));
  }
  Status status = run_step(program, threads);
  if (!status.ok()) refuse(args.env(), status);
  if (output.length) std::memcpy(output.data, from, output.bytes());
  return nullptr;
}

// ---- Running off the event loop ------------------------------------------------------------------------------------

struct AsyncRun {
  std::shared_ptr<Plan> plan;
  Run run;
  Status status;
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
};

void execute(napi_env, void* data) {
  AsyncRun& async = *static_cast<AsyncRun*>(data);
  async.status = execute_run(*async.plan, async.run);
}

// Nothing here may throw: the environment may be ending, and then every call fails and nobody waits for the promise.
void complete(napi_env env, napi_status, void* data) {
  std::unique_ptr<AsyncRun> async(static_cast<AsyncRun*>(data));
  napi_delete_async_work(env, async->work);
  async->plan->busy = false;
  note_end(env, async->plan.get());
  napi_value value;
  if (!async->status.ok()) {
    keep(async->plan);
  } else if (result_of(env, async->run, &value) == napi_ok) {
    napi_resolve_deferred(env, async->deferred, value);
    return;
  } else {
    async->status = {"runAsync: out of memory for the results", "ERR_OUT_OF_MEMORY"};
  }
  if (error_of(env, async->status, &value) == napi_ok) napi_reject_deferred(env, async->deferred, value);
}

napi_value run_async(const Args& args, const std::shared_ptr<Plan>& plan) {
  napi_env env = args.env();
  auto async = std::make_unique<AsyncRun>();
  async->plan = plan;
  read_run(args, async->run);
  prepare(args, *plan, async->run, true);  // JavaScript goes on and may change its tables
  napi_value promise, name;
  require(env, napi_create_string_utf8(env, "anneal.run", NAPI_AUTO_LENGTH, &name));
  require(env, napi_create_promise(env, &async->deferred, &promise));
  require(env, napi_create_async_work(env, nullptr, name, execute, complete, async.get(), &async->work));
  plan->stop = false;
  plan->written = written_by(*plan, async->run);
  require(env, napi_queue_async_work(env, async->work));
  plan->busy = true;
  note_begin(env, async.release()->plan.get());
  return promise;
}

napi_value stop(const Args&, const std::shared_ptr<Plan>& plan) {
  plan->stop = true;
  return nullptr;
}

constexpr Method<Plan> kMethods[] = {
    {"bind", bind},        {"write", write}, {"read", read},          {"infer", infer},
    {"setRows", set_rows}, {"run", run},     {"runAsync", run_async}, {"stop", stop},
};

// exports.format: what the numbers of a program mean.
void register_format(Napi::Env env, Napi::Object exports) {
  Napi::Object format = Napi::Object::New(env), regions = Napi::Object::New(env);
  Napi::Array header = Napi::Array::New(env);
  regions.Set("absent", int{kAbsent});
  regions.Set("arena", int{kArena});
  regions.Set("store", kFirstStore);
  for (int i = 0; i < kMovingRegions; i++) {
    regions.Set(kMovingNames[i], kFirstMoving + i);
    header.Set(header.Length(), kMovingNames[i]);
  }
  for (const char* name : kPrefetchNames) header.Set(header.Length(), name);
  header.Set(header.Length(), kRowsName);
  format.Set("regions", regions);
  format.Set("header", header);
  format.Set("word", static_cast<double>(kWord));
  format.Set("panel", kPanelWidth);
  format.Set("exchange", exchange_id());
  format.Set("arrival", arrival_id());
  exports.Set("format", format);
}

}  // namespace

void register_plan(Napi::Env env, Napi::Object exports) {
  register_format(env, exports);
  define_class<Plan>(env, exports, construct<Plan, create>, kMethods);
}

}  // namespace anneal
