"""Writes courses.json: random runs of PyTorch's schedules and optimizers, for test/courses.test.ts.

    python test/golden/make_courses.py          (PyTorch 2.13.0; the seed is fixed)

A course is a schedule (nested ones included) or an optimizer with options drawn at random, and events between its steps:
values edited, groups added, options switched off and on, steps without a gradient. What is written down are the values
that PyTorch has at some steps, and for some its state dicts at the step where the test stops and goes on by them.
"""

import json
import os
import random
import warnings

import torch
from torch.optim import lr_scheduler as S

warnings.filterwarnings("ignore")
R = random.Random(20260713)
SCHEDULES, OPTIMIZERS = 540, 330

FUNCTIONS = {
    "power": lambda t: 0.95**t,
    "inverse": lambda t: 1 / (1 + 0.1 * t),
    "half": lambda t: 0.5 if t % 3 == 0 else 1.0,
}


def rounded(low, high, digits=3):
    return round(R.uniform(low, high), digits)


# Schedules -------------------------------------------------------------------------------------------------------------

CHAINABLE = {
    "StepLR": lambda: dict(step_size=R.randint(1, 6), gamma=rounded(0.1, 1.1)),
    "MultiStepLR": lambda: dict(milestones=sorted(R.randint(0, 20) for _ in range(R.randint(1, 4))), gamma=rounded(0.1, 0.9)),
    "ConstantLR": lambda: dict(factor=rounded(0.1, 1), total_iters=R.randint(0, 9)),
    "LinearLR": lambda: dict(start_factor=rounded(0.1, 1), end_factor=rounded(0, 1), total_iters=R.randint(1, 12)),
    "ExponentialLR": lambda: dict(gamma=rounded(0.7, 1.05)),
    "PolynomialLR": lambda: dict(total_iters=R.randint(1, 14), power=rounded(0.5, 3, 1)),
    "CosineAnnealingLR": lambda: dict(T_max=R.randint(1, 14), eta_min=R.choice([0, rounded(0, 0.01)])),
}
OTHERS = {
    "LambdaLR": lambda: dict(lr_lambda=R.choice(list(FUNCTIONS))),
    "MultiplicativeLR": lambda: dict(lr_lambda=R.choice(list(FUNCTIONS))),
    "CosineAnnealingWarmRestarts": lambda: dict(T_0=R.randint(1, 8), T_mult=R.randint(1, 3), eta_min=R.choice([0, 0.003])),
    "CyclicLR": lambda: dict(
        base_lr=rounded(0.001, 0.05), max_lr=rounded(0.06, 0.4), step_size_up=R.randint(1, 7),
        **R.choice([{}, dict(step_size_down=R.randint(1, 7))]), mode=R.choice(["triangular", "triangular2", "exp_range"]),
        gamma=rounded(0.9, 1), cycle_momentum=R.random() < 0.7,
    ),
    "OneCycleLR": lambda: dict(
        max_lr=rounded(0.05, 0.5), total_steps=R.randint(45, 60), pct_start=rounded(0.1, 0.6, 2),
        anneal_strategy=R.choice(["cos", "linear"]), three_phase=R.random() < 0.4, cycle_momentum=R.random() < 0.7,
    ),
    "SWALR": lambda: dict(swa_lr=rounded(0.01, 0.2), anneal_epochs=R.randint(1, 9), anneal_strategy=R.choice(["cos", "linear"])),
}
PLATEAU = lambda: dict(
    mode=R.choice(["min", "max"]), factor=rounded(0.1, 0.9), patience=R.randint(0, 3), threshold=R.choice([0, 1e-4, 0.05]),
    threshold_mode=R.choice(["rel", "abs"]), cooldown=R.randint(0, 2), min_lr=R.choice([0, 0.01]),
)


def plain(chainable=False):
    table = CHAINABLE if chainable or R.random() < 0.55 else OTHERS
    name = R.choice(list(table))
    return {"name": name, "options": table[name]()}


def spec(depth=2):
    kind = R.random()
    if kind < 0.55 or depth == 0:
        return plain()
    if kind < 0.65 and depth == 2:
        return {"name": "ReduceLROnPlateau", "options": PLATEAU()}
    count = R.randint(2, 3)
    if kind < 0.85:
        milestones = sorted(R.sample(range(1, 18), count - 1))
        return {"name": "SequentialLR", "parts": [plain() for _ in range(count)], "options": {"milestones": milestones}}
    return {"name": "ChainedScheduler", "parts": [spec(depth - 1) for _ in range(count)], "options": {}}


def names(s):
    return [s["name"], *(name for part in s.get("parts", []) for name in names(part))]


def build(optimizer, s):
    parts = [build(optimizer, part) for part in s.get("parts", [])]
    if s["name"] == "ChainedScheduler":
        return S.ChainedScheduler(parts)
    if s["name"] == "SequentialLR":
        return S.SequentialLR(optimizer, parts, **s["options"])
    options = {k: FUNCTIONS[v] if k == "lr_lambda" else v for k, v in s["options"].items()}
    cls = torch.optim.swa_utils.SWALR if s["name"] == "SWALR" else getattr(S, s["name"])
    return cls(optimizer, **options)


def parameter(n=1):
    return torch.zeros(n, requires_grad=True)


def values(optimizer, cycles):
    """Rates, and momenta where a schedule may move them."""
    momenta = [g["betas"][0] if "betas" in g else g["momentum"] for g in optimizer.param_groups]
    return [g["lr"] for g in optimizer.param_groups] + (momenta if cycles else [])


def schedule_course():
    s = spec()
    kind = R.choice(["SGD", "Adam"])
    rates = [rounded(0.01, 0.5) for _ in range(R.randint(1, 2))]
    groups = [{"params": [parameter()], "lr": lr} for lr in rates]
    optimizer = torch.optim.SGD(groups, momentum=0.9) if kind == "SGD" else torch.optim.Adam(groups)
    scheduler = build(optimizer, s)
    steps = R.randint(14, 40)
    grows = set(names(s)) <= set(CHAINABLE) | {"ReduceLROnPlateau", "ChainedScheduler"}
    cycles = not {"CyclicLR", "OneCycleLR"}.isdisjoint(names(s))
    events, seen = {}, []
    stop = R.randint(1, steps - 2)
    for t in range(steps):
        event = {}
        if R.random() < 0.06:
            event["edit"] = [R.randrange(len(optimizer.param_groups)), rounded(0.01, 0.5)]
            optimizer.param_groups[event["edit"][0]]["lr"] = event["edit"][1]
        if grows and R.random() < 0.04:
            event["add"] = rounded(0.01, 0.5)
            optimizer.add_param_group({"params": [parameter()], "lr": event["add"]})
        optimizer.step()
        if s["name"] == "ReduceLROnPlateau":
            event["metric"] = rounded(0.5, 2, 2)
            scheduler.step(event["metric"])
        elif s["name"] == "CosineAnnealingWarmRestarts" and R.random() < 0.3:
            event["epoch"] = rounded(0, 20, 2)
            scheduler.step(event["epoch"])
        else:
            scheduler.step()
        if event:
            events[t] = event
        if t % 5 == 4 or t == steps - 1 or t == stop + 1:
            seen.append([t, *values(optimizer, cycles)])
    return {"kind": kind, "rates": rates, "schedule": s, "steps": steps, "stop": stop, "events": events, "seen": seen}


# Optimizers ------------------------------------------------------------------------------------------------------------

lr = lambda: rounded(0.001, 0.2)
decay = lambda: R.choice([0, rounded(0, 0.1)])
betas = lambda: [rounded(0.5, 0.95, 2), rounded(0.8, 0.999)]
maximize = lambda: R.random() < 0.2
OPTIONS = {
    "SGD": lambda: dict(lr=lr(), momentum=R.choice([0, 0.5, 0.9]), dampening=R.choice([0, 0, 0.3]), weight_decay=decay(), maximize=maximize()),
    "Adam": lambda: dict(lr=lr(), betas=betas(), eps=R.choice([1e-8, 1e-4]), weight_decay=decay(), amsgrad=R.random() < 0.5, maximize=maximize()),
    "AdamW": lambda: dict(lr=lr(), betas=betas(), weight_decay=decay(), amsgrad=R.random() < 0.5, maximize=maximize()),
    "Adamax": lambda: dict(lr=lr(), betas=betas(), weight_decay=decay(), maximize=maximize()),
    "NAdam": lambda: dict(lr=lr(), betas=betas(), weight_decay=decay(), momentum_decay=rounded(0.001, 0.01), decoupled_weight_decay=R.random() < 0.5),
    "RAdam": lambda: dict(lr=lr(), betas=betas(), weight_decay=decay(), decoupled_weight_decay=R.random() < 0.5),
    "RMSprop": lambda: dict(lr=lr(), alpha=rounded(0.8, 0.99), weight_decay=decay(), momentum=R.choice([0, 0.9]), centered=R.random() < 0.5),
    "Rprop": lambda: dict(lr=lr(), etas=[rounded(0.3, 0.7), rounded(1.1, 1.5)], step_sizes=[1e-6, 50], maximize=maximize()),
    "Adagrad": lambda: dict(lr=lr(), lr_decay=decay(), weight_decay=decay(), initial_accumulator_value=R.choice([0, 0.1])),
    "Adadelta": lambda: dict(lr=rounded(0.1, 1), rho=rounded(0.7, 0.99), weight_decay=decay(), maximize=maximize()),
    "ASGD": lambda: dict(lr=lr(), lambd=rounded(0, 0.01, 4), alpha=rounded(0.5, 1), t0=R.randint(0, 6), weight_decay=decay()),
}


class Numbers:
    """A linear congruential stream that JavaScript makes as well: float32 in [-1, 1)."""

    def __init__(self, seed):
        self.state = seed

    def take(self, shape):
        count = 1
        for size in shape:
            count *= size
        out = []
        for _ in range(count):
            self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
            out.append(self.state / 2**30 - 1)
        return torch.tensor(out, dtype=torch.float32).reshape(shape)


SWITCHES = {"SGD": "momentum", "RMSprop": "momentum", "Adam": "amsgrad", "AdamW": "amsgrad"}


def nine(t):
    return [float(f"{v:.9g}") for v in t.flatten().tolist()]


def dict_of(optimizer):
    def plain_value(v):
        return nine(v) if torch.is_tensor(v) and v.dim() > 0 else v.item() if torch.is_tensor(v) else v

    saved = optimizer.state_dict()
    state = {k: {key: plain_value(v) for key, v in entry.items()} for k, entry in saved["state"].items()}
    return {"state": state, "param_groups": saved["param_groups"]}


def optimizer_course(name):
    seed = R.randint(1, 2**30)
    numbers = Numbers(seed)
    options = OPTIONS[name]()
    shapes = [[2, 2], [3]]
    params = [numbers.take(shape).requires_grad_() for shape in shapes]
    optimizer = getattr(torch.optim, name)(params, **options)
    steps = R.randint(8, 14)
    stop = R.randint(1, steps - 2)
    events, seen = {}, []
    switch, usual = SWITCHES.get(name), None
    for t in range(steps):
        event = {}
        if R.random() < 0.15:
            group = R.randrange(len(optimizer.param_groups))
            event["edit"] = [group, "lr", lr()]
        elif switch and R.random() < 0.2:
            on = optimizer.param_groups[0][switch]
            usual = on or usual
            if usual or name == "SGD":
                event["edit"] = [0, switch, (False if on is True else 0) if on else (usual or 0.9)]
        if "edit" in event:
            group, key, value = event["edit"]
            optimizer.param_groups[group][key] = value
        if R.random() < 0.05 and len(optimizer.param_groups) < 3:
            event["add"] = lr()
            params.append(numbers.take([2]).requires_grad_())
            optimizer.add_param_group({"params": [params[-1]], "lr": event["add"]})
        if R.random() < 0.12:
            event["idle"] = R.randrange(len(params))
        for i, p in enumerate(params):
            gradient = numbers.take(p.shape)
            p.grad = None if event.get("idle") == i else gradient
        optimizer.step()
        if event:
            events[t] = event
        if t in (stop, steps // 2, steps - 1):
            seen.append([t, *(v for p in params for v in nine(p.detach()))])
        if t == stop:
            saved = dict_of(optimizer)
    course = {"name": name, "options": options, "seed": seed, "steps": steps, "stop": stop, "events": events, "seen": seen}
    return {**course, "dict": saved} if R.random() < 0.3 else course


def attempts(make, count):
    """So many courses that PyTorch itself can run."""
    found, refused = [], 0
    while len(found) < count:
        try:
            found.append(make())
        except (ValueError, KeyError, ZeroDivisionError, RuntimeError, IndexError):
            refused += 1
    print(f"{count} courses, {refused} that PyTorch refuses")
    return found


if __name__ == "__main__":
    schedules = attempts(schedule_course, SCHEDULES)
    order = iter(list(OPTIONS) * OPTIMIZERS)
    optimizers = attempts(lambda: optimizer_course(next(order)), OPTIMIZERS)
    lines = [json.dumps(course, separators=(",", ":")) for course in schedules]
    more = [json.dumps(course, separators=(",", ":")) for course in optimizers]
    path = os.path.join(os.path.dirname(__file__), "courses.json")
    with open(path, "w") as out:
        out.write('{"torch":"%s","schedules":[\n' % torch.__version__)
        out.write(",\n".join(lines) + '\n],"optimizers":[\n' + ",\n".join(more) + "\n]}\n")
    print(os.path.getsize(path), "bytes")
