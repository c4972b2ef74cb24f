"""Writes ops.json: values and gradients of PyTorch 2.13.0 for what anneal's ops and functions composed of ops compute.

    python test/golden/make_ops.py > test/golden/ops.json

An entry is a call: `x` the tensors that come first (in a list where `list` is set), `args` what follows, in which `labels`
is an int32 tensor. `out` are the results, `grads` the gradients of the float tensors of x under the cotangent whose element
i of result r is ((7 i + 3 r) % 5 - 1.75) / 2.
"""
import json

import torch
from torch.nn import functional as F

torch.manual_seed(11)
INF, NAN = float("inf"), float("nan")


def text(v):
    """The shortest number that gives the same float32 back; what JSON lacks as a string."""
    if v != v:
        return "NaN"
    if abs(v) == INF:
        return "Infinity" if v > 0 else "-Infinity"
    return next(float(s) for p in range(1, 10) if torch.tensor(float(s := f"{v:.{p}g}"), dtype=torch.float32).item() == v)


def stored(t):
    if not t.is_floating_point():
        return {"labels": t.flatten().tolist(), "shape": list(t.shape)}
    return {"data": [text(v) for v in t.detach().flatten().tolist()], "shape": list(t.shape)}


def argument(a):
    return stored(a) if isinstance(a, torch.Tensor) else "Infinity" if a == INF else a


def case(op, x, args, call, as_list=False):
    leaves = [t.clone().requires_grad_(t.is_floating_point()) for t in x]
    out = call(*leaves)
    outs = list(out) if isinstance(out, (tuple, list)) else [out]
    outs = [o.float() if o.dtype == torch.bool else o for o in outs]
    total = 0
    for r, o in enumerate(outs):
        cotangent = ((7 * torch.arange(o.numel()) + 3 * r) % 5 - 1.75) / 2
        if o.requires_grad:
            total = total + (o * cotangent.reshape(o.shape)).sum()
    wanted = [t for t in leaves if t.requires_grad]
    grads = torch.autograd.grad(total, wanted, allow_unused=True) if isinstance(total, torch.Tensor) else []
    if op.endswith("Loss"):  # the slope in a target of 0 is NaN in PyTorch, of a logarithm that does not count
        grads = [None if g is None or g.isnan().any() else g for g in grads]
    found = {"op": op, "x": [stored(t) for t in x]}
    found |= {"list": True} if as_list else {}
    found |= {"args": [{k: argument(v) for k, v in a.items()} if isinstance(a, dict) else argument(a) for a in args]}
    return found | {"out": [stored(o) for o in outs], "grads": [g if g is None else stored(g) for g in grads]}


def r(*shape):
    return torch.randn(*shape) if shape else torch.randn(())


def ints(*values, shape=None):
    t = torch.tensor(values, dtype=torch.int64)
    return t if shape is None else t.reshape(shape)


def shapes():
    for parts, dim in (([(2, 3), (2, 1)], 1), ([(2, 3), (1, 3), (0, 3)], 0), ([(2, 2), (0,)], -1)):
        yield case("cat", [r(*s) for s in parts], [dim], lambda *t, d=dim: torch.cat(t, d), True)
    yield case("stack", [r(2, 3), r(2, 3)], [-1], lambda *t: torch.stack(t, -1), True)
    yield case("split", [r(5, 2)], [2], lambda x: x.split(2))
    yield case("split", [r(2, 5)], [[1, 0, 4], 1], lambda x: x.split([1, 0, 4], 1))
    yield case("chunk", [r(5, 2)], [4], lambda x: x.chunk(4))
    yield case("chunk", [r(0, 2)], [3], lambda x: x.chunk(3))
    yield case("narrow", [r(3, 4)], [-1, -3, 2], lambda x: x.narrow(-1, -3, 2))
    yield case("select", [r(3, 4)], [1, -1], lambda x: x.select(1, -1))
    yield case("select", [ints(1, 2, 3, 4, shape=(2, 2))], [1, 0], lambda x: x.select(1, 0))
    for dim, index in ((1, (3, 0, 3)), (0, (2,)), (-1, ())):
        i = ints(*index)
        yield case("indexSelect", [r(3, 4)], [dim, i], lambda x, d=dim, i=i: x.index_select(d, i))
    i = ints(2, 0, 2, 2, shape=(2, 2))
    yield case("gather", [r(2, 3)], [1, i], lambda x: x.gather(1, i))
    j = ints(1, 0, 2, shape=(3, 1))
    yield case("gather", [r(3, 4)], [0, j], lambda x: x.gather(0, j))
    yield case("squeeze", [r(1, 2, 1)], [], lambda x: x.squeeze())
    yield case("squeeze", [r(1, 2, 1)], [[0, 1]], lambda x: x.squeeze((0, 1)))
    yield case("unsqueeze", [r(2, 3)], [-2], lambda x: x.unsqueeze(-2))
    yield case("permute", [r(2, 3, 2, 2)], [[2, -1, 0, 1]], lambda x: x.permute(2, -1, 0, 1))
    yield case("expand", [r(2, 1)], [[3, -1, 2]], lambda x: x.expand(3, -1, 2))
    yield case("expand", [r(1, 2)], [[0, 2]], lambda x: x.expand(0, 2))
    yield case("flip", [r(2, 3)], [[0, 1]], lambda x: x.flip(0, 1))


SPECIAL = torch.tensor([INF, -INF, NAN, 0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3e38, 1e-40, 1e5, 1e10, 3e30])


def elementwise():
    curves = {
        "square": torch.square, "reciprocal": torch.reciprocal, "rsqrt": torch.rsqrt, "sin": torch.sin, "cos": torch.cos,
        "softsign": F.softsign,
    }
    for name, f in curves.items():
        x = SPECIAL[:9] if name == "square" else SPECIAL[2:] if name == "softsign" else SPECIAL  # its slope there: inf / inf
        yield case(name, [x], [], f)
        yield case(name, [r(3, 4).abs() + 0.1], [], f)
    for low, high in ((-0.5, 1.0), (None, 0.5), (0.25, None), (1.0, -1.0)):
        x = torch.cat([r(8), torch.tensor([-0.5, 1.0, 0.5, 0.25, INF, -INF, NAN])])
        yield case("clamp", [x], [low, high], lambda x, a=low, b=high: x.clamp(a, b))
    x = torch.cat([r(6), torch.tensor([-1.0, 1.0, 0.0, INF, -INF, NAN])])
    yield case("hardtanh", [x], [], F.hardtanh)
    yield case("hardtanh", [x], [{"minVal": -0.25, "maxVal": 2.0}], lambda x: F.hardtanh(x, -0.25, 2.0))
    a, b = torch.tensor([1.0, 2.0, 0.0, -0.5, NAN, 3.0]), torch.tensor([1.0, 1.0, 0.0, 0.5, 1.0, NAN])
    for name in ("maximum", "minimum"):
        yield case(name, [a, b], [], getattr(torch, name))
        yield case(name, [r(2, 1), r(3)], [], getattr(torch, name))
    for name in ("gt", "lt", "ge", "le", "eq", "ne"):
        yield case(name, [a, b], [], getattr(torch, name))
        yield case(name, [r(2, 3)], [0.25], lambda x, f=getattr(torch, name): f(x, 0.25))
    base = torch.tensor([2.0, 0.5, 0.0, 0.0, 0.0, -2.0, -2.0, -1.5, 1.0, 3.0, 7.0])
    power = torch.tensor([3.0, -1.5, 2.0, 0.0, 0.5, 3.0, 2.0, 0.5, 30.0, 0.0, 0.25])
    yield case("pow", [base, power], [], torch.pow)
    yield case("pow", [r(2, 1).abs() + 0.2, r(3)], [], torch.pow)
    for exponent in (2, 3, 0.5, -1, 0, -0.5, 1, 2.5):
        yield case("pow", [torch.cat([r(4).abs() + 0.1, torch.tensor([2.0])])], [exponent], lambda x, e=exponent: x**e)
    c = ints(1, 0, 2, shape=(3, 1))
    yield case("where", [c, r(3, 2), r(2)], [], lambda c, a, b: torch.where(c != 0, a, b))
    yield case("where", [ints(0, 1), torch.tensor([NAN, 1.0]), torch.tensor([2.0, INF])], [], lambda c, a, b: torch.where(c != 0, a, b))


def along():
    ties = torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [5.0, -1.0, 0.0]])
    nans = torch.tensor([[1.0, NAN, 2.0], [0.0, -INF, INF]])
    for name in ("amax", "amin"):
        f = getattr(torch, name)
        yield case(name, [ties], [1], lambda x, f=f: f(x, 1))
        yield case(name, [nans], [1], lambda x, f=f: f(x, 1))
        yield case(name, [r(2, 3, 2)], [[0, -1], {"keepdim": True}], lambda x, f=f: f(x, (0, -1), keepdim=True))
        yield case(name, [r(0, 3)], [1], lambda x, f=f: f(x, 1))
    for name in ("max", "min"):
        f = getattr(torch, name)
        yield case(name, [ties], [], f)
        yield case(name, [ties], [1], lambda x, f=f: f(x, 1))
        yield case(name, [nans], [-1, {"keepdim": True}], lambda x, f=f: f(x, -1, keepdim=True))
    same = torch.cat([r(2, 4), torch.ones(1, 4)])
    for name in ("var", "std"):
        f = getattr(torch, name)
        yield case(name, [r(2, 3)], [], f)
        yield case(name, [same], [1], lambda x, f=f: f(x, 1))
        yield case(name, [r(2, 3, 2)], [[0, 2], {"correction": 0, "keepdim": True}], lambda x, f=f: f(x, (0, 2), correction=0, keepdim=True))
        yield case(name, [r(1)], [0], lambda x, f=f: f(x, 0))
    for p in (1, 2, INF):
        x = torch.cat([ties, torch.zeros(1, 3), torch.tensor([[-4.0, 4.0, 0.0]])])
        yield case("norm", [x], [p, 1], lambda x, p=p: torch.linalg.vector_norm(x, p, 1))
        yield case("norm", [r(2, 3, 2)], [p, [0, 2], {"keepdim": True}], lambda x, p=p: torch.linalg.vector_norm(x, p, (0, 2), True))
    x = torch.cat([r(2, 3) * 100, torch.tensor([[-INF, 1.0, 2.0]])])
    yield case("logsumexp", [x], [1], lambda x: torch.logsumexp(x, 1))
    yield case("logsumexp", [torch.tensor([[INF, 1.0], [0.0, 1.0]])], [1, {"keepdim": True}], lambda x: torch.logsumexp(x, 1, True))
    yield case("cumsum", [r(2, 3, 2)], [1], lambda x: x.cumsum(1))
    yield case("cumsum", [r(5)], [-1], lambda x: x.cumsum(-1))
    yield case("sum", [r(2, 3, 2)], [[0, -1], {"keepdim": True}], lambda x: x.sum((0, -1), True))
    yield case("mean", [r(2, 3, 2)], [[1, 2]], lambda x: x.mean((1, 2)))


def products():
    for a, b in (((2, 2, 3), (2, 3, 2)), ((3, 1, 2, 2), (2, 2, 1)), ((2, 3), (3, 3, 2)), ((2, 2, 3), (3, 2)), ((3,), (2, 3, 2)),
                 ((2, 2, 3), (3,)), ((0, 2, 3), (0, 3, 2)), ((2, 2, 0), (2, 0, 2))):
        yield case("matmul", [r(*a), r(*b)], [], torch.matmul)
    yield case("bmm", [r(2, 1, 3), r(2, 3, 2)], [], torch.bmm)
    yield case("outer", [r(2), r(3)], [], torch.outer)


def layers():
    yield case("prelu", [torch.tensor([[1.0, -2.0, 0.0], [-0.5, 3.0, -1.0]]), torch.tensor([0.25])], [], F.prelu)
    yield case("prelu", [r(2, 3, 2), r(3)], [], F.prelu)
    yield case("bilinear", [r(4, 2), r(4, 3), r(2, 2, 3), r(2)], [], F.bilinear)
    yield case("bilinear", [r(2, 2, 2), r(2, 2, 3), r(1, 2, 3)], [], F.bilinear)
    a = torch.cat([r(2, 3), torch.zeros(1, 3)])
    yield case("cosineSimilarity", [a, r(3, 3)], [], F.cosine_similarity)
    yield case("cosineSimilarity", [r(2, 3, 2), r(3, 2)], [{"dim": -1, "eps": 0.001}], lambda a, b: F.cosine_similarity(a, b, -1, 1e-3))
    bags = ints(1, 0, 2, 2, 3, 0, shape=(3, 2))
    for mode in ("sum", "mean"):
        for options, named in (({}, {}), ({"paddingIdx": 0}, {"padding_idx": 0})):
            f = lambda i, w, m=mode, n=named: F.embedding_bag(i, w, mode=m, **n)
            yield case("embeddingBag", [bags, r(4, 2)], [{"mode": mode, **options}], f)
        offsets = ints(0, 2, 2, 5)
        f = lambda i, w, m=mode: F.embedding_bag(i, w, offsets, mode=m)
        yield case("embeddingBag", [bags.flatten(), r(4, 2)], [{"mode": mode, "offsets": offsets}], f)
    yield case("rmsNorm", [r(2, 3)], [3], lambda x: F.rms_norm(x, [3]))
    w, b = r(3), r(3)
    yield case("rmsNorm", [r(2, 2, 3)], [[2, 3], {"eps": 0.01}], lambda x: F.rms_norm(x, [2, 3], eps=0.01))
    yield case("rmsNorm", [r(4, 3)], [[3], {"weight": w}], lambda x: F.rms_norm(x, [3], w))
    w, b = r(4), r(4)
    yield case("groupNorm", [r(3, 6)], [2], lambda x: F.group_norm(x, 2))
    yield case("groupNorm", [r(2, 4, 3)], [2, {"weight": w, "bias": b, "eps": 0.01}], lambda x: F.group_norm(x, 2, w, b, 0.01))


def losses():
    for reduction in ("none", "mean", "sum", "batchmean"):
        logp, p = F.log_softmax(r(2, 3), 1), F.softmax(r(2, 3), 1) * torch.tensor([1.0, 0.0, 1.0])
        f = lambda x, t, n=reduction: F.kl_div(x, t, reduction=n)
        yield case("klDivLoss", [logp, p], [{"reduction": reduction}], f)
        f = lambda x, t, n=reduction: F.kl_div(x, t, reduction=n, log_target=True)
        yield case("klDivLoss", [logp, F.log_softmax(r(2, 3), 1)], [{"reduction": reduction, "logTarget": True}], f)
    for reduction in ("none", "mean", "sum"):
        named, sign = {"reduction": reduction}, torch.tensor([1.0, -1.0, 1.0, -1.0])
        f = lambda a, b, t: F.margin_ranking_loss(a, b, t, 0.5, **named)
        yield case("marginRankingLoss", [r(4), r(4), sign], [{"margin": 0.5, **named}], f)
        for p, swap in ((2, False), (1, True), (2, True)):
            f = lambda a, b, c: F.triplet_margin_loss(a, b, c, 1.5, p, swap=swap, **named)
            yield case("tripletMarginLoss", [r(4, 3), r(4, 3), r(4, 3)], [{"margin": 1.5, "p": p, "swap": swap, **named}], f)
        f = lambda a, b, t: F.cosine_embedding_loss(a, b, t, 0.2, **named)
        yield case("cosineEmbeddingLoss", [r(4, 3), r(4, 3), sign], [{"margin": 0.2, **named}], f)
        for full in (False, True):
            f = lambda x, t, v: F.gaussian_nll_loss(x, t, v, full, 0.1, **named)
            v = torch.tensor([[0.05, 0.5, 2.0], [1.0, 0.3, 0.7]])
            yield case("gaussianNllLoss", [r(2, 3), r(2, 3), v], [{"full": full, "eps": 0.1, **named}], f)
            for log in (True, False):
                x, t = r(2, 3) if log else r(2, 3).abs() + 0.1, torch.tensor([[0.0, 1.0, 3.0], [2.0, 0.5, 7.0]])
                f = lambda x, t: F.poisson_nll_loss(x, t, log, full, reduction=reduction)
                yield case("poissonNllLoss", [x, t], [{"logInput": log, "full": full, **named}], f)
        v = torch.tensor([[0.5], [2.0]])
        yield case("gaussianNllLoss", [r(2, 3), r(2, 3), v], [named], lambda x, t, v: F.gaussian_nll_loss(x, t, v, **named))
        w, t = torch.tensor([0.5, 1.0, 2.0]), torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.25, 0.0]])
        yield case("multilabelSoftMarginLoss", [r(2, 3), t], [named], lambda x, t: F.multilabel_soft_margin_loss(x, t, **named))
        f = lambda x, t: F.multilabel_soft_margin_loss(x, t, w, **named)
        yield case("multilabelSoftMarginLoss", [r(2, 3), t], [{"weight": w, **named}], f)


entries = [*shapes(), *elementwise(), *along(), *products(), *layers(), *losses()]
print('{"torch": "%s", "entries": [' % torch.__version__.split("+")[0])
print(",\n".join(json.dumps(e, separators=(",", ":")) for e in entries))
print("]}")
