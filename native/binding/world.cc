// new World(files, timeout), describe, share, statistics, finalize, abort. Not here: MPI (distributed/mpi.h), and who
// says what to whom (src/distributed).
#include "world.h"

#include "class.h"

#if defined(_WIN32) || defined(__wasm__)

namespace anneal {

void register_world(Napi::Env, Napi::Object) {}

std::shared_ptr<Transport> transport_of(const Args& args, size_t i, napi_value) {
  if (!args.is_nullish(i)) args.refuse_type("world", "undefined where there is no MPI");
  return nullptr;
}

}  // namespace anneal

#else

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "../distributed/mpi.h"

namespace anneal {

template <>
struct Face<Mpi> {
  static constexpr const char* name = "World";
  static constexpr napi_type_tag tag = {0x616e6e65616c576f, 0x6c0d3b9e41f7a825};
};

namespace {

constexpr double kMaxSeconds = 31536000;
constexpr double kMaxBytes = 1099511627776.0;  // 2^40

void create(const Args& args, napi_value self) {
  std::vector<std::string> files;
  for (napi_value value : args.list(0, "files"))
    files.push_back(Args(args.env(), &value, 1, "World").string(0, "each of files"));
  const double timeout = args.number(1, "timeout");
  if (!(timeout > 0 && timeout <= kMaxSeconds))
    args.refuse_range("timeout", "seconds, at most a year", std::to_string(timeout));
  std::shared_ptr<Mpi> world;
  Status status = Mpi::open(files, timeout, world);
  if (!status.ok()) refuse(args.env(), status);
  wrap(args.env(), self, world, 0);
}

napi_value describe(const Args& args, const std::shared_ptr<Mpi>& world) {
  Napi::Object object = Napi::Object::New(args.env());
  object.Set("rank", world->rank());
  object.Set("size", world->size());
  object.Set("library", world->version());
  return object;
}

napi_value statistics(const Args& args, const std::shared_ptr<Mpi>& world) {
  Napi::Object object = Napi::Object::New(args.env());
  object.Set("bytesSent", static_cast<double>(world->traffic.bytes_sent));
  object.Set("waiting", static_cast<double>(world->traffic.waiting_ns) / 1e9);
  object.Set("copying", static_cast<double>(world->traffic.copying_ns) / 1e9);
  return object;
}

napi_value finalize(const Args& args, const std::shared_ptr<Mpi>& world) {
  Status status = world->finalize();
  if (!status.ok()) refuse(args.env(), status);
  return nullptr;
}

napi_value abort(const Args& args, const std::shared_ptr<Mpi>& world) {
  world->abort(static_cast<int>(args.integer(0, "code", 1, 255)));
  return nullptr;
}

// ---- Gathering off the event loop ----------------------------------------------------------------------------------

struct Gather {
  std::shared_ptr<Mpi> world;
  std::vector<char> all;
  std::vector<Parcel> sends, receives;
  Status status;
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
};

// The argument bytes, of which every rank brings as many: in their place among all, by rank.
void read_gather(const Args& args, Gather& gather) {
  const int size = gather.world->size(), rank = gather.world->rank();
  const Span<uint8_t> bytes = args.array<uint8_t>(0, "bytes");
  const auto length = static_cast<int64_t>(bytes.length);
  gather.all.resize(bytes.length * static_cast<size_t>(size));
  char* const mine = gather.all.data() + rank * length;
  if (bytes.length) std::memcpy(mine, bytes.data, bytes.length);
  for (int peer = 0; peer < size; ++peer) {
    if (peer == rank) continue;
    gather.sends.push_back({peer, mine, length});
    gather.receives.push_back({peer, gather.all.data() + peer * length, length});
  }
}

void execute(napi_env, void* data) {
  Gather& gather = *static_cast<Gather*>(data);
  gather.status = gather.world->share(gather.sends, gather.receives);
}

napi_status array_of(napi_env env, const std::vector<char>& bytes, napi_value* array) {
  void* memory = nullptr;
  napi_value buffer;
  const napi_status status = napi_create_arraybuffer(env, bytes.size(), &memory, &buffer);
  if (status != napi_ok) return status;
  if (!bytes.empty()) std::memcpy(memory, bytes.data(), bytes.size());
  return napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, array);
}

// Nothing here may throw: the environment may be ending.
void complete(napi_env env, napi_status, void* data) {
  Gather* const gather = static_cast<Gather*>(data);
  napi_delete_async_work(env, gather->work);
  const bool gathered = gather->status.ok();
  napi_value value;
  if (gathered && array_of(env, gather->all, &value) == napi_ok) {
    napi_resolve_deferred(env, gather->deferred, value);
  } else {
    const Status none{"gather: out of memory for what came", "ERR_OUT_OF_MEMORY"};
    if (error_of(env, gathered ? none : gather->status, &value) == napi_ok) {
      napi_reject_deferred(env, gather->deferred, value);
    }
  }
  if (gathered) delete gather;  // else MPI may still write to it
}

napi_value gather(const Args& args, const std::shared_ptr<Mpi>& world) {
  napi_env env = args.env();
  auto gather = std::make_unique<Gather>();
  gather->world = world;
  read_gather(args, *gather);
  napi_value promise, name;
  require(env, napi_create_string_utf8(env, "anneal.gather", NAPI_AUTO_LENGTH, &name));
  require(env, napi_create_promise(env, &gather->deferred, &promise));
  require(env, napi_create_async_work(env, nullptr, name, execute, complete, gather.get(), &gather->work));
  require(env, napi_queue_async_work(env, gather->work));
  gather.release();
  return promise;
}

constexpr Method<Mpi> kMethods[] = {
    {"describe", describe}, {"gather", gather}, {"statistics", statistics}, {"abort", abort}, {"finalize", finalize}};

}  // namespace

void register_world(Napi::Env env, Napi::Object exports) {
  define_class<Mpi>(env, exports, construct<Mpi, create>, kMethods);
}

std::shared_ptr<Transport> transport_of(const Args& args, size_t i, napi_value value) {
  if (args.is_nullish(i)) return nullptr;
  std::shared_ptr<Mpi> world = unwrap<Mpi>(args.env(), value);
  if (!world) args.refuse_type("world", "a World");
  return world;
}

}  // namespace anneal
#endif
