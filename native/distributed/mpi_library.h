// The few functions of MPI that are used, of a library that is opened at run time: Open MPI, MPICH and its kin, or any
// with MPI 5's standard binary interface. They are told apart here and nowhere else. Not here: what is sent (mpi.h).
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "../base/status.h"

namespace anneal {

// A handle of any of the three interfaces: a pointer, or MPICH's int in its low half.
using MpiHandle = uintptr_t;

struct MpiLibrary {
  MpiHandle world, byte, errors_return;
  int thread_serialized;

  int (*Init_thread)(int*, char***, int, int*);
  int (*Initialized)(int*);
  int (*Finalize)();
  int (*Abort)(MpiHandle, int);
  int (*Comm_rank)(MpiHandle, int*);
  int (*Comm_size)(MpiHandle, int*);
  int (*Comm_set_errhandler)(MpiHandle, MpiHandle);
  int (*Get_library_version)(char*, int*);
  int (*Error_string)(int, char*, int*);
  int (*Get_count)(const void*, MpiHandle, int*);
  int (*Isend)(const void*, int, MpiHandle, int, int, MpiHandle, MpiHandle*);
  int (*Irecv)(void*, int, MpiHandle, int, int, MpiHandle, MpiHandle*);
  int (*Test)(MpiHandle*, int*, void*);

  static constexpr int kStatusBytes = 64;      // at least as many as a status has anywhere
  static constexpr int kVersionLength = 8192;  // and as a version's or an error's text
};

// Opens the first of the files that the system has. Refused with what the system says of each.
Status open_mpi_library(const std::vector<std::string>& files, MpiLibrary& library);

}  // namespace anneal
