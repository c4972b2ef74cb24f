// See environment.h.
#include "environment.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "../base/threads.h"
#include "class.h"

namespace anneal {
namespace {

struct Environment {
  std::vector<Plan*> running;
};

// Null while the environment is ending.
Environment* environment_of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Environment*>(data);
}

napi_value stop_running(napi_env env, napi_callback_info) {
  if (Environment* environment = environment_of(env)) {
    for (Plan* plan : environment->running) plan->stop = true;
  }
  return nullptr;
}

// process.exit() waits for work that has begun, so a run must hear of it. (An environment's cleanup hooks come after
// that wait, or not at all: for a worker's terminate() only the length of a run bounds it.)
void stop_at_exit(Napi::Env env) {
  Napi::Value process = env.Global().Get("process");
  if (!process.IsObject()) return;
  Napi::Value on = process.As<Napi::Object>().Get("on");
  if (!on.IsFunction()) return;
  napi_value listener;
  require(env, napi_create_function(env, "stopRuns", NAPI_AUTO_LENGTH, stop_running, nullptr, &listener));
  on.As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), Napi::Value(env, listener)});
}

std::atomic<int> environments{0};

// The library may be unloaded with the last environment, so its threads must have ended.
void end_environment(void*) {
  if (--environments == 0) join_threads();
}

}  // namespace

void register_environment(Napi::Env env) {
  auto environment = std::make_unique<Environment>();
  auto release = [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); };
  require(env, napi_set_instance_data(env, environment.get(), release, nullptr));
  // The argument only makes the hook unique: one thread may load the library twice.
  require(env, napi_add_env_cleanup_hook(env, end_environment, environment.release()));
  ++environments;
  stop_at_exit(env);
}

void note_begin(napi_env env, Plan* plan) {
  if (Environment* environment = environment_of(env)) environment->running.push_back(plan);
}

void note_end(napi_env env, Plan* plan) {
  Environment* environment = environment_of(env);
  if (!environment) return;
  auto& running = environment->running;
  running.erase(std::remove(running.begin(), running.end(), plan), running.end());
}

}  // namespace anneal
