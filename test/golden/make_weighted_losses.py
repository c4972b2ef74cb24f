"""Writes weighted-losses.json: losses and gradients of weighted samples, composed in PyTorch from unreduced losses.

mean = sum(w * l) / sum(w), class weights multiplied in (sum(w * c[y]) below); sum = sum(w * l).
"""
import json, pathlib, torch
import torch.nn.functional as F

torch.manual_seed(0)
cases = []


def rounded(t):
    return [float(f"{v:.9g}") for v in t.flatten().tolist()]


def case(name, shape, target, each, norm, options=None, probabilities=False):
    for reduction in ("mean", "sum"):
        x = torch.rand(shape) if probabilities else torch.randn(shape)
        x.requires_grad_()
        w = torch.rand(shape[0]) * 2
        w[1] = 0
        losses = each(x)
        wide = w.reshape([-1] + [1] * (losses.dim() - 1))
        loss = (losses * wide).sum()
        if reduction == "mean":
            loss = loss / norm(wide.expand_as(losses))
        loss.backward()
        cases.append(dict(
            name=name, reduction=reduction, options=options or {}, shape=shape, x=rounded(x), w=rounded(w),
            target=dict(shape=list(target.shape), dtype="int32" if target.dtype == torch.long else "float32",
                        values=target.flatten().tolist() if target.dtype == torch.long else rounded(target)),
            loss=loss.item(), grad=rounded(x.grad)))


def plain(w):
    return w.sum()


real = torch.randn(5, 3)
case("MSELoss", [5, 3], real, lambda x: F.mse_loss(x, real, reduction="none"), plain)
case("L1Loss", [5, 3], real, lambda x: F.l1_loss(x, real, reduction="none"), plain)
case("SmoothL1Loss", [5, 3], real, lambda x: F.smooth_l1_loss(x, real, beta=0.3, reduction="none"), plain, {"beta": 0.3})
case("HuberLoss", [5, 3], real, lambda x: F.huber_loss(x, real, delta=0.4, reduction="none"), plain, {"delta": 0.4})
flat = torch.randn(7)
case("MSELoss", [7], flat, lambda x: F.mse_loss(x, flat, reduction="none"), plain)
binary = (torch.rand(5, 2) > 0.5).float()
each = torch.tensor([0.5, 2.0])
case("BCELoss", [5, 2], binary, lambda x: F.binary_cross_entropy(x, binary, reduction="none"), plain, probabilities=True)
case("BCEWithLogitsLoss", [5, 2], binary,
     lambda x: F.binary_cross_entropy_with_logits(x, binary, pos_weight=each, reduction="none"), plain, {"posWeight": [0.5, 2]})
labels = torch.tensor([0, 2, 1, -100, 2])
classes = torch.tensor([0.5, 1.0, 3.0])


def of(y, c):
    return torch.where(y >= 0, c[y.clamp(min=0)], 0.0)


ones = torch.ones(3)
case("CrossEntropyLoss", [5, 3], labels, lambda x: F.cross_entropy(x, labels, reduction="none"), lambda w: (w * of(labels, ones)).sum())
case("CrossEntropyLoss", [5, 3], labels,
     lambda x: F.cross_entropy(x, labels, weight=classes, label_smoothing=0.1, reduction="none"),
     lambda w: (w * of(labels, classes)).sum(), {"weight": [0.5, 1, 3], "labelSmoothing": 0.1})
several = torch.tensor([[0, 2], [1, 1], [2, -100], [0, 0]])
case("CrossEntropyLoss", [4, 3, 2], several, lambda x: F.cross_entropy(x, several, weight=classes, reduction="none"),
     lambda w: (w * of(several, classes)).sum(), {"weight": [0.5, 1, 3]})
soft = torch.softmax(torch.randn(5, 3), 1)
case("CrossEntropyLoss", [5, 3], soft, lambda x: F.cross_entropy(x, soft, weight=classes, reduction="none"), plain, {"weight": [0.5, 1, 3]})
case("NLLLoss", [5, 3], labels, lambda x: F.nll_loss(x, labels, weight=classes, reduction="none"),
     lambda w: (w * of(labels, classes)).sum(), {"weight": [0.5, 1, 3]})

text = json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"')
pathlib.Path(__file__).with_name("weighted-losses.json").write_text(text + "\n")
