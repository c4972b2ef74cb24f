"""State dicts between PyTorch and this package, in JSON: tensors as { dtype, shape, data: base64 }. Needs torch 2.13.

    python make_torch_state.py                   # writes torch-state.json beside this file
    python make_torch_state.py continue < cases  # goes on from the state dicts of every case; prints what becomes of them

A case is a model, an optimizer with its options, and its state after STEPS updates; "next" is the model's state after as
many more.
"""
import base64
import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
STEPS = 3


def values(rows, columns, phase):
    """Numbers with few digits, so that they are the same in every language."""
    return torch.tensor(np.round(np.sin(np.arange(rows * columns) * 1.7 + phase) * 2, 3).reshape(rows, columns), dtype=torch.float32)


MODELS = {
    # A bias right before a normalisation has no gradient but rounding, which many optimizers enlarge.
    "layers": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Tanh(), nn.LayerNorm(4), nn.Linear(4, 2)
    ),
    "matrices": lambda: nn.Sequential(nn.Linear(3, 4, bias=False), nn.Tanh(), nn.Linear(4, 2, bias=False)),
    "embedding": lambda: nn.Sequential(nn.Embedding(5, 4), nn.LayerNorm(4, bias=False), nn.Linear(4, 2)),
}
X = {"embedding": torch.tensor([4, 0, 3, 3, 1, 0])}
OPTIMIZERS = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.01}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adamax", {"lr": 0.01}),
    ("NAdam", {"lr": 0.01}),
    ("RAdam", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9, "centered": True}),
    ("Rprop", {"lr": 0.01}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1}),
    ("Adadelta", {"lr": 1.0}),
    ("ASGD", {"lr": 0.05, "t0": 2}),
    ("LBFGS", {"lr": 0.5, "max_iter": 3, "history_size": 4}),
]
CASES = [("layers", *case) for case in OPTIMIZERS] + [("matrices", "Muon", {"lr": 0.02}), ("embedding", "Adam", {"lr": 0.01})]


def to_json(value):
    if isinstance(value, torch.Tensor):
        integer = not value.dtype.is_floating_point
        array = value.detach().numpy().astype(np.int32 if integer else np.float32)
        data = base64.b64encode(array.tobytes()).decode()
        return {"dtype": "int32" if integer else "float32", "shape": list(value.shape), "data": data}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def from_json(value):
    if isinstance(value, dict) and set(value) == {"dtype", "shape", "data"}:
        array = np.frombuffer(base64.b64decode(value["data"]), dtype=value["dtype"]).copy()
        return torch.tensor(array).reshape(value["shape"])
    if isinstance(value, dict):
        return {int(key) if key.isdigit() else key: from_json(item) for key, item in value.items()}
    return [from_json(item) for item in value] if isinstance(value, list) else value


def train(kind, model, optimizer):
    x, y = X.get(kind, values(6, 3, 1)), values(6, 2, 2)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    for _ in range(STEPS):
        optimizer.step(closure)


def start(kind):
    model = MODELS[kind]()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(values(1, p.numel(), i).reshape(p.shape) * 0.5 + 0.1)
    return model


def made():
    for kind, name, options in CASES:
        model = start(kind)
        begin = to_json(model.state_dict())
        optimizer = getattr(torch.optim, name)(model.parameters(), **options)
        train(kind, model, optimizer)
        case = {"kind": kind, "optimizer": name, "options": options, "begin": begin}
        case |= {"model": to_json(model.state_dict()), "state": to_json(optimizer.state_dict())}
        train(kind, model, optimizer)
        yield case | {"next": to_json(model.state_dict())}


def continued(cases):
    for case in cases:
        model = MODELS[case["kind"]]()
        model.load_state_dict({key: from_json(value) for key, value in case["model"].items()})
        optimizer = getattr(torch.optim, case["optimizer"])(model.parameters(), **case["options"])
        optimizer.load_state_dict(from_json(case["state"]))
        train(case["kind"], model, optimizer)
        yield {"model": to_json(model.state_dict()), "state": to_json(optimizer.state_dict())}


if __name__ == "__main__":
    if sys.argv[1:] == ["continue"]:
        print(json.dumps(list(continued(json.load(sys.stdin)))))
    else:
        cases = list(made())
        text = json.dumps({"torch": torch.__version__, "steps": STEPS, "cases": cases}, separators=(",", ":"))
        pathlib.Path(__file__).with_name("torch-state.json").write_text(text + "\n")
