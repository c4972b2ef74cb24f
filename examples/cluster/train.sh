#!/usr/bin/env bash
# One training over several machines, without a scheduler: train.sh [MACHINES] [HOSTFILE]
#
# train.js is your program: it begins with `const world = await distributed.init()` and trains with
# `fit(model, { …, world, resume: 'checkpoints', callbacks: [callbacks.checkpoint({ dir: 'checkpoints' })] })`.
# One rank per machine, which uses all its cores; ended by whatever, it goes on from the last checkpoint.
set -euo pipefail

machines=${1:-2}
hosts=${2:-hosts}

if mpirun --version | grep -q 'Open MPI'; then
  # Open MPI binds a rank to one core unless it is told not to, which would leave it one thread.
  exec mpirun -np "$machines" --hostfile "$hosts" --map-by ppr:1:node --bind-to none -x UV_THREADPOOL_SIZE node train.js
fi
# MPICH and its kin.
exec mpirun -n "$machines" -f "$hosts" -ppn 1 -bind-to none node train.js
