"""Makes stateful-layers.json: what PyTorch's layers with randomness or state give. Run: python make_stateful_layers.py

Dropout masks as text (1 kept, 0 dropped), the next uniform number after each, Embedding's start, BatchNorm1d on
[rows, channels, length] and LayerNorm without bias. Needs torch 2.13.
"""
import json
import pathlib

import numpy as np
import torch
from torch import nn


def short(values):
    """The shortest text that gives the same float32 back."""
    return [float(str(np.float32(v))) for v in values]


def flat(t):
    return {"shape": list(t.shape), "dtype": "float32", "data": short(t.detach().flatten().tolist())}


def dropout_masks():
    rows = []
    for seed, p, shape in [(0, 0.25, [5, 7]), (1, 0.5, [64]), (7, 0.1, [3, 40]), (2, 0.9, [33]), (3, 0, [4]), (3, 1, [4])]:
        torch.manual_seed(seed)
        y = nn.functional.dropout(torch.ones(shape), p, True)
        mask = "".join("1" if v else "0" for v in y.flatten().tolist())
        rows.append({"seed": seed, "p": p, "shape": shape, "mask": mask, "kept": float(y.max()), "next": torch.rand(1).item()})
    return rows


def embedding_starts():
    rows = []
    for seed, num, dim, padding in [(0, 5, 3, None), (1, 7, 4, 2), (2, 3, 2, -1)]:
        torch.manual_seed(seed)
        layer = nn.Embedding(num, dim, padding_idx=padding)
        rows.append({"seed": seed, "num": num, "dim": dim, "paddingIdx": padding, "weight": flat(layer.weight)})
    return rows


def batch_norms():
    rows = []
    for options in [{}, {"momentum": None}, {"affine": False, "momentum": 0.4}, {"track_running_stats": False}]:
        torch.manual_seed(4)
        layer = nn.BatchNorm1d(3, **options)
        steps = []
        for step in range(4):
            layer.train(step != 2)
            x = torch.randn(3, 3, 5, requires_grad=True)
            y = layer(x)
            cotangent = torch.randn(3, 3, 5)
            y.backward(cotangent)
            state = {k: flat(v) if v.dim() else v.item() for k, v in layer.state_dict().items()}
            steps.append({"train": step != 2, "x": flat(x), "y": flat(y), "cotangent": flat(cotangent), "dx": flat(x.grad), "state": state})
        rows.append({"options": options, "steps": steps})
    return rows


def layer_norm():
    torch.manual_seed(5)
    layer = nn.LayerNorm([2, 3], bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(2, 3))
    x = torch.randn(4, 2, 3, requires_grad=True)
    y = layer(x)
    cotangent = torch.randn(4, 2, 3)
    y.backward(cotangent)
    return {"x": flat(x), "weight": flat(layer.weight), "y": flat(y), "cotangent": flat(cotangent), "dx": flat(x.grad), "dweight": flat(layer.weight.grad)}


golden = {"dropout": dropout_masks(), "embedding": embedding_starts(), "batchNorm": batch_norms(), "layerNorm": layer_norm()}
path = pathlib.Path(__file__).parent / "stateful-layers.json"
path.write_text(json.dumps(golden) + "\n")
