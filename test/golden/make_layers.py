"""Writes layers-more.json: what layers.json lacks of PyTorch 2.13.0's activations and losses, in the same form.

    python test/golden/make_layers.py > test/golden/layers-more.json
"""
import itertools
import json

import torch
from torch import nn

torch.manual_seed(5)
torch.backends.mkldnn.enabled = False  # oneDNN's GELU is NaN at infinity, PyTorch's own is not
INF, NAN, MAX = float("inf"), float("nan"), 3.4028235e38
SPECIAL = [INF, -INF, NAN, 0.0, -0.0, MAX, -MAX, 1e-45, -1e-45, 1.2e-38, 1e20, -1e20, 30, -30, 87, -87, 4, -4, 1, -1]


def text(v):
    """The shortest number that gives the same float32 back; what JSON lacks as a string."""
    if v != v:
        return "NaN"
    if abs(v) == INF:
        return "Infinity" if v > 0 else "-Infinity"
    return next(float(s) for p in range(1, 10) if torch.tensor(float(s := f"{v:.{p}g}"), dtype=torch.float32).item() == v)


def stored(t):
    return {"shape": list(t.shape), "dtype": "float32", "data": [text(v) for v in t.flatten().tolist()]}


def entry(op, args, x, call, note=None, **tensors):
    """Output of call(x) and the gradients of every float tensor under a cotangent of ones (of a sum for the rest)."""
    leaves = {"input": x, **{k: t for k, t in tensors.items() if isinstance(t, torch.Tensor) and t.is_floating_point()}}
    for t in leaves.values():
        t.requires_grad_(True)
    out = call()
    cotangent = torch.ones_like(out)
    grads = torch.autograd.grad(out, list(leaves.values()), cotangent, allow_unused=True)
    found = {"op": op, "args": args, **({"note": note} if note else {}), "input": stored(x.detach())}
    found |= {k: stored(t.detach()) if t.is_floating_point() else t.tolist() for k, t in tensors.items()}
    found |= {"output": stored(out.detach()), "grad_output": stored(cotangent)}
    return found | {f"grad_{k}": stored(g) for k, g in zip(leaves, grads) if g is not None}


ACTIVATIONS = [
    (nn.ReLU, {}), (nn.LeakyReLU, {}), (nn.LeakyReLU, {"negative_slope": -0.5}), (nn.ELU, {}), (nn.ELU, {"alpha": 2.5}),
    (nn.GELU, {}), (nn.GELU, {"approximate": "tanh"}), (nn.SiLU, {}), (nn.Sigmoid, {}), (nn.Tanh, {}), (nn.Softplus, {}),
    (nn.Softplus, {"beta": 0.5, "threshold": 3}), (nn.Softplus, {"beta": 4, "threshold": 80}),
]


def activations():
    for module, args in ACTIVATIONS:
        for x, note in ((torch.tensor(SPECIAL), "special"), (torch.randn(50) * 1.5, None)):
            found = entry(module.__name__, args, x, lambda: module(**args)(x), note)
            if note and args.get("approximate"):  # 0 times infinity, where the slope is 0 or 1
                del found["grad_input"]
            yield found


def weights(args):
    return {k: torch.tensor(v) if isinstance(v, list) else v for k, v in args.items()}


def loss(module, args, x, note=None, **target):
    name, t = next(iter(target.items()))
    return entry(module.__name__, args, x, lambda: module(**weights(args))(x, t), note, **{name: t})


def element_losses():
    differences = [INF, -INF, NAN, 1e20, -1e20, 1, -1, 0.5, 0.0, 1e-30]
    plain = [(nn.MSELoss, {}), (nn.L1Loss, {}), (nn.SmoothL1Loss, {}), (nn.SmoothL1Loss, {"beta": 0.0}), (nn.HuberLoss, {}),
             (nn.HuberLoss, {"delta": 2.5})]
    for (module, args), reduction in itertools.product(plain, ("none", "mean", "sum")):
        yield loss(module, {"reduction": reduction, **args}, torch.randn(7, 5), target=torch.randn(7, 5))
    for module, args in plain:
        args = {"reduction": "none", **args}
        yield loss(module, args, torch.tensor(differences), "special", target=torch.zeros(len(differences)))
    per_class = {"weight": [0.5, 2.0, 1.0, 0.0, 3.0]}
    for args, reduction in itertools.product(({}, per_class), ("none", "mean", "sum")):
        yield loss(nn.BCELoss, {"reduction": reduction, **args}, torch.rand(7, 5), target=torch.rand(7, 5))
    positive = {"pos_weight": [0.5, 2.0, 1.0, 0.0, 3.0]}
    for args, reduction in itertools.product(({}, per_class, positive, per_class | positive), ("none", "mean", "sum")):
        x, t = torch.randn(7, 5) * 4, torch.rand(7, 5)
        yield loss(nn.BCEWithLogitsLoss, {"reduction": reduction, **args}, x, target=t)
    for t in (0.0, 1.0, 0.25):
        x = torch.tensor([0.0, 1.0, 1e-45, 1e-20, 0.5, 1 - 2**-24])
        yield loss(nn.BCELoss, {"reduction": "none"}, x, "at the ends", target=torch.full((6,), t))
        x = torch.tensor([200.0, -200, 1e20, -1e20, 0.0, -0.0, NAN])
        yield loss(nn.BCEWithLogitsLoss, {"reduction": "none"}, x, "extreme", target=torch.full((7,), t))


def class_losses():
    labels = torch.tensor([0, 3, 1, 2, 3, 0])
    spatial = torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0]])
    for args, reduction in itertools.product(({}, {"weight": [0.5, 2.0, 1.0, 0.25], "ignore_index": 1}), ("none", "mean", "sum")):
        args = {"reduction": reduction, **args}
        yield loss(nn.NLLLoss, args, torch.randn(6, 4).log_softmax(1), target=labels)
    yield loss(nn.NLLLoss, {"reduction": "mean"}, torch.randn(2, 3, 4).log_softmax(1), "class axis 1", target=spatial)
    yield loss(nn.NLLLoss, {"reduction": "mean"}, torch.randn(2, 4), "all ignored", target=torch.tensor([-100, -100]))
    yield loss(nn.NLLLoss, {"reduction": "none"}, torch.tensor([[-INF, 0.0], [NAN, 0.0]]), "special", target=torch.tensor([0, 0]))
    for shape, reduction in itertools.product(([3, 20], [2, 3, 4], [5]), ("none", "mean", "sum")):
        soft = torch.rand(shape)
        args = {"reduction": reduction, "label_smoothing": 0.1}
        yield loss(nn.CrossEntropyLoss, args, torch.randn(shape) * 3, "soft", target_prob=soft)
    x = torch.tensor([[1e4, -1e4, 0.0], [-INF, 0.0, 1.0], [NAN, 0.0, 1.0]])
    yield loss(nn.CrossEntropyLoss, {"reduction": "none"}, x, "soft, extreme", target_prob=torch.eye(3).flip(1))


print(json.dumps({"torch": torch.__version__, "entries": [*activations(), *element_losses(), *class_losses()]}))
