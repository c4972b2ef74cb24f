// See mpi_library.h.
#if !defined(_WIN32) && !defined(__wasm__)
#include "mpi_library.h"

#include <dlfcn.h>

namespace anneal {
namespace {

template <typename F>
bool find(void* file, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(file, name));
  return function != nullptr;
}

bool find_functions(void* file, MpiLibrary& mpi) {
  return find(file, "MPI_Init_thread", mpi.Init_thread) && find(file, "MPI_Initialized", mpi.Initialized) &&
         find(file, "MPI_Finalize", mpi.Finalize) && find(file, "MPI_Abort", mpi.Abort) &&
         find(file, "MPI_Comm_rank", mpi.Comm_rank) && find(file, "MPI_Comm_size", mpi.Comm_size) &&
         find(file, "MPI_Comm_set_errhandler", mpi.Comm_set_errhandler) &&
         find(file, "MPI_Get_library_version", mpi.Get_library_version) &&
         find(file, "MPI_Error_string", mpi.Error_string) && find(file, "MPI_Get_count", mpi.Get_count) &&
         find(file, "MPI_Isend", mpi.Isend) && find(file, "MPI_Irecv", mpi.Irecv) && find(file, "MPI_Test", mpi.Test);
}

bool has_standard_interface(void* file) {
  int (*version)(int*, int*);
  int major = 0, minor = 0;
  return find(file, "MPI_Abi_get_version", version) && version(&major, &minor) == 0 && major >= 1;
}

// The constants of each interface: MPI 5.0's are numbers, MPICH's other numbers, and Open MPI's addresses.
void set_constants(void* file, MpiLibrary& mpi) {
  const auto address = [file](const char* name) { return reinterpret_cast<MpiHandle>(dlsym(file, name)); };
  mpi.thread_serialized = 2;
  if (has_standard_interface(file)) {
    mpi.world = 0x101, mpi.byte = 0x247, mpi.errors_return = 0x142;
    mpi.thread_serialized = 2048;
  } else if (const MpiHandle world = address("ompi_mpi_comm_world")) {
    mpi.world = world, mpi.byte = address("ompi_mpi_byte"), mpi.errors_return = address("ompi_mpi_errors_return");
  } else {
    mpi.world = 0x44000000, mpi.byte = 0x4c00010d, mpi.errors_return = 0x54000001;
  }
}

}  // namespace

Status open_mpi_library(const std::vector<std::string>& files, MpiLibrary& library) {
  std::string reasons;
  for (const std::string& name : files) {
    // Global: what Open MPI loads by itself looks for its names among those that all can see.
    void* const file = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (file && find_functions(file, library)) {
      set_constants(file, library);
      return {};
    }
    const char* const error = file ? nullptr : dlerror();
    reasons += (reasons.empty() ? "" : "; ") + (error ? error : name + ": no MPI library");
  }
  return {reasons};
}

}  // namespace anneal
#endif
