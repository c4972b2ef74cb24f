"""Writes init.json: nn.init of PyTorch 2.13.0 (CPU) for several seeds, shapes and options.

    python test/golden/make_init.py > test/golden/init.json
"""
import json

import torch
from torch.nn import init

SEEDS = [0, 7]
# PyTorch's function, its arguments, the shapes; fewer than 16 elements and more are drawn in different ways.
CASES = [
    ("uniform_", {}, [[5], [4, 8]]),
    ("uniform_", {"a": -0.3, "b": 0.7}, [[3, 3], [33]]),
    ("normal_", {}, [[5], [4, 8]]),
    ("normal_", {"mean": 1.5, "std": 0.25}, [[3, 3], [33]]),
    ("constant_", {"val": 0.1}, [[2, 3]]),
    ("ones_", {}, [[2, 3]]),
    ("zeros_", {}, [[2, 3]]),
    ("eye_", {}, [[3, 3], [2, 4], [4, 2]]),
    ("xavier_uniform_", {}, [[8, 2], [5, 33], [4, 3, 5]]),
    ("xavier_uniform_", {"gain": 5 / 3}, [[3, 4]]),
    ("xavier_normal_", {}, [[8, 1], [5, 33], [4, 3, 5]]),
    ("xavier_normal_", {"gain": 2}, [[3, 4]]),
    ("kaiming_uniform_", {}, [[8, 2], [5, 33], [4, 3, 5]]),
    ("kaiming_uniform_", {"a": 5**0.5}, [[16, 7]]),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}, [[16, 7], [4, 3, 5]]),
    ("kaiming_normal_", {}, [[8, 1], [5, 33]]),
    ("kaiming_normal_", {"a": 0.2, "mode": "fan_out", "nonlinearity": "leaky_relu"}, [[16, 7]]),
    ("kaiming_normal_", {"nonlinearity": "tanh"}, [[7, 16]]),
    ("trunc_normal_", {}, [[5], [48]]),
    ("trunc_normal_", {"mean": 0.5, "std": 0.02, "a": 0.47, "b": 0.51}, [[9], [6, 8]]),
    ("trunc_normal_", {"mean": 0, "std": 1, "a": 1, "b": 3}, [[5], [48]]),
    ("trunc_normal_", {"mean": 0.1, "std": 2, "a": -0.3, "b": 0.2}, [[48]]),
    ("orthogonal_", {}, [[3, 3], [8, 3], [3, 8], [16, 16], [4, 3, 5], [20, 2, 3]]),
    ("orthogonal_", {"gain": 2**0.5}, [[5, 5]]),
    ("sparse_", {"sparsity": 0.5}, [[5, 2], [10, 6]]),
    ("sparse_", {"sparsity": 0.25, "std": 1}, [[7, 7]]),
]
GAINS = [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("leaky_relu", None), ("leaky_relu", 0.2), ("selu", None)]


def case(function, args, shape, seed):
    torch.manual_seed(seed)
    t = getattr(init, function)(torch.full(shape, float("nan")), **args)
    after = torch.rand(1).item()  # whether as many numbers were drawn
    values = [float(repr_of(v)) for v in t.flatten().tolist()]
    return {"function": function, "args": args, "shape": shape, "seed": seed, "values": values, "after": after}


def repr_of(v):
    """The shortest text that gives the same float32 back."""
    return next(s for p in range(1, 10) if torch.tensor(float(s := f"{v:.{p}g}"), dtype=torch.float32).item() == v)


print(json.dumps({
    "torch": torch.__version__,
    "entries": [case(f, args, shape, seed) for f, args, shapes in CASES for shape in shapes for seed in SEEDS],
    "gains": [{"nonlinearity": n, "param": p, "gain": init.calculate_gain(n, p)} for n, p in GAINS],
}))
