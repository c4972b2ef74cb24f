"""PyTorch's first epoch in a fresh process: the loop of every tutorial until it is done, and the memory that it adds."""

import os
import time

import torch
from peer import answer, dataset, request
from torch_eager import make_step


def resident_mb():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


asked = request()
trial = asked["trial"]
torch.set_num_threads(asked["threads"])
x, y = (torch.from_numpy(a) for a in dataset(trial))
y = y.long()
step = make_step(trial, lambda compute: compute)

before, cpu, start = resident_mb(), time.process_time(), time.perf_counter()
order = torch.randperm(trial["rows"])
steps = trial["rows"] // trial["batch"]
total = 0.0
for rows in order[: steps * trial["batch"]].split(trial["batch"]):
    total += step(x[rows], y[rows]).item()
seconds = time.perf_counter() - start
answer(version=f"torch {torch.__version__}", unit="us", samples=[seconds * 1e6],
       busy=(time.process_time() - cpu) / seconds, check=total / steps, addedMB=resident_mb() - before,
       settings={"threads": torch.get_num_threads()})
