"""What the Python contenders share: the request, the data, the weights, the timing and the answer.

Every contender, in whatever language, trains the same net from the same weights on the same rows (both come from one
integer hash), so that the loss of the first steps shows whether they do the same work. Not a driver by itself.
"""

import json
import math
import sys
import time

import numpy as np


def request():
    """The runner's request: {trial, threads, seconds}; of a trial of another's steps (trials.ts, stepOf) these."""
    asked = json.loads(sys.argv[1])
    return {**asked, "trial": asked["trial"].get("step", asked["trial"])}


def uniform(count, offset=0):
    """[count] float32 in [0, 1): the finaliser of MurmurHash3 over offset, offset + 1, ... (drivers/data.ts has its twin)."""
    out = np.empty(count, np.float32)
    for start in range(0, count, 1 << 22):
        stop = min(count, start + (1 << 22))
        h = np.arange(start + offset, stop + offset, dtype=np.uint64).astype(np.uint32)
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
        out[start:stop] = (h >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)
    return out


def dataset(trial):
    """x: [rows, features] of variance one. y: [rows] int32 the class, the band the row's first feature falls into; for bce
    [rows, 1] float32, one of two; for mse that feature itself."""
    loss = trial["loss"]["name"]
    features, classes = trial["widths"][0], 2 if loss == "bce" else trial["widths"][-1]
    x = uniform(trial["rows"] * features).reshape(trial["rows"], features)
    y = np.floor(x[:, 0] * np.float32(classes)).astype(np.int32)
    x -= np.float32(0.5)
    x *= np.float32(math.sqrt(12))
    if loss == "crossEntropy":
        return x, y
    return x, (x[:, :1].copy() if loss == "mse" else y[:, None].astype(np.float32))


def weights(trial):
    """[(w [out, in], b [out])] per layer, uniform within 1/sqrt(in) as nn.Linear's own init is."""
    layers, offset = [], 0x40000000
    for fan_in, fan_out in zip(trial["widths"], trial["widths"][1:]):
        u = uniform(fan_out * (fan_in + 1), offset)
        offset += u.size
        u = (2 * u - np.float32(1)) / np.float32(math.sqrt(fan_in))
        layers.append((u[: fan_out * fan_in].reshape(fan_out, fan_in), u[fan_out * fan_in :]))
    return layers


def steps_per_block(seconds, us_per_step):
    """Steps in one timed block, so that five blocks fill the seconds."""
    return max(2, int(seconds * 1e6 / 5 / us_per_step))


def orders(trial, steps, seed):
    """[steps, batch] int32: epoch after epoch of shuffled rows, the incomplete last batch dropped."""
    rng, batch, rows = np.random.default_rng(seed), trial["batch"], trial["rows"]
    per_epoch = rows // batch
    shuffle = (lambda: rng.permutation(rows)) if trial["shuffle"] else (lambda: np.arange(rows))
    epochs = [shuffle()[: per_epoch * batch].reshape(per_epoch, batch) for _ in range(-(-steps // per_epoch))]
    return np.concatenate(epochs)[:steps].astype(np.int32)


def warm_up(run):
    """Calls run(steps) with doubled steps until a call takes 0.3 seconds; microseconds per step of the last call."""
    steps = 1
    while True:
        start = time.perf_counter()
        run(steps)
        seconds = time.perf_counter() - start
        if seconds > 0.3:
            return seconds * 1e6 / steps
        steps *= 2


def timed(run, steps, blocks=5):
    """samples: microseconds per step of each block; busy: processor time over wall time, below 1 where others took the core.
    run(block) does `steps` steps and ends only when they are done."""
    samples, cpu, wall = [], time.process_time(), time.perf_counter()
    for block in range(blocks):
        start = time.perf_counter()
        run(block)
        samples.append((time.perf_counter() - start) * 1e6 / steps)
    return {"samples": samples, "busy": (time.process_time() - cpu) / (time.perf_counter() - wall)}


def answer(**fields):
    """The one line of JSON the runner reads."""
    print(json.dumps(fields), flush=True)
