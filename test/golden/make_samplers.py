"""Makes samplers.json: PyTorch's samplers and scikit-learn's folds for 50 seeds each. Run: python make_samplers.py

Folds are texts: the fold that tests each row. Samplers are two epochs of a DataLoader's batches, then torch.rand(1). Needs
torch 2.13 and scikit-learn 1.9.
"""
import json
import pathlib
import warnings

import numpy as np
import torch
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from torch.utils.data import DataLoader, SubsetRandomSampler, WeightedRandomSampler

warnings.filterwarnings("ignore")


def text(folds, n):
    rows = ["?"] * n
    for fold, (_, test) in enumerate(folds):
        for row in test:
            rows[row] = str(fold)
    return "".join(rows)


def folds(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(10, 60)), int(rng.integers(2, 6))
    y = rng.integers(0, int(rng.integers(2, 4)), n)
    y[: 2 * k] = np.arange(2 * k) % 2
    groups = rng.integers(0, int(rng.integers(k, 12)), n)
    groups[:k] = np.arange(k)
    words = np.array(["w", "B", "a"])[y]
    X = np.zeros(n)
    return {
        "seed": seed, "k": k, "y": "".join(map(str, y)), "groups": groups.tolist(),
        **{name: [text(kind(k, **o).split(X, target, group), n) for o in ({}, {"shuffle": True, "random_state": seed})]
           for name, kind, target, group in [("kFold", KFold, y, None), ("stratifiedKFold", StratifiedKFold, words, None), ("groupKFold", GroupKFold, y, groups)]},
    }


def epochs(sampler, n, generator=None):
    loader = DataLoader(torch.arange(n), batch_size=4, sampler=sampler, generator=generator)
    return [[x for batch in loader for x in batch.tolist()] for _ in range(2)]


def samplers(seed):
    rng = np.random.default_rng(1000 + seed)
    n = int(rng.integers(3, 30))
    weights = np.round(rng.random(n) * rng.integers(0, 3, n), 3)
    weights[0] = 1.5
    positive = int((weights > 0).sum())
    few = int(rng.integers(1, positive + 1))
    row = {"seed": seed, "weights": weights.tolist(), "few": few}
    for name, make in [
        ("with", lambda g: WeightedRandomSampler(weights, n, True, g)),
        ("one", lambda g: WeightedRandomSampler(weights, 1, True, g)),
        ("without", lambda g: WeightedRandomSampler(weights, few, False, g)),
        ("subset", lambda g: SubsetRandomSampler(range(0, n, 2), g)),
    ]:
        torch.manual_seed(seed)
        own = torch.Generator().manual_seed(seed + 1) if seed % 2 else None
        row[name] = [epochs(make(own), n), torch.rand(1).item()]
    return row


if __name__ == "__main__":
    out = {"folds": [folds(seed) for seed in range(50)], "samplers": [samplers(seed) for seed in range(50)]}
    path = pathlib.Path(__file__).with_name("samplers.json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
    print(path.stat().st_size)
