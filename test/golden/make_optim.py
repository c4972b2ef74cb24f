"""Writes optim-more.json beside this file: trajectories that optimizers.json lacks, from the real libraries.

    python test/golden/make_optim.py        # PyTorch 2.13.0, NumPy, JAX and optax 0.2.8

The gradient of the problem is a * (p - b), set by hand before each step, as in optimizers.json; LBFGS gets the loss
sum(a * (p - b)^2 / 2 + c * (p - b)^4 / 4 + d * (p_i - p_{i+1})^2 / 2) with its gradient.
"""

import itertools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from torch.optim import _muon
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn, update_bn

jax.config.update("jax_enable_x64", True)
torch.set_num_threads(1)
STEPS = 8


def matrix(n, k, phase):
    """Numbers with few digits, so that they are the same in every language."""
    return np.round(np.sin(np.arange(n * k) * 1.7 + phase) * 2, 3).reshape(n, k)


SHAPES = [(3, 5), (6, 4), (4, 4)]
START = [matrix(n, k, i) for i, (n, k) in enumerate(SHAPES)]
SLOPE = [np.round(np.abs(matrix(n, k, i + 10)) + 0.1, 3) for i, (n, k) in enumerate(SHAPES)]
CENTRE = [matrix(n, k, i + 20) for i, (n, k) in enumerate(SHAPES)]


def flat(tensors):
    return [v for t in tensors for v in np.asarray(t, dtype=np.float64).ravel().tolist()]


def torch_run(Optimizer, args, dtype, steps=STEPS):
    params = [torch.tensor(p, dtype=dtype) for p in START]
    slopes = [torch.tensor(a, dtype=dtype) for a in SLOPE]
    centres = [torch.tensor(b, dtype=dtype) for b in CENTRE]
    optimizer = Optimizer(params, **args)
    trajectory = []
    for _ in range(steps):
        for p, a, b in zip(params, slopes, centres):
            p.grad = a * (p - b)
        optimizer.step()
        trajectory.append(flat(p.detach().numpy() for p in params))
    return trajectory


def optax_run(transform, steps=STEPS, evaluated=None):
    params = [jnp.asarray(p) for p in START]
    state = transform.init(params)
    trajectory, averages = [], []
    for _ in range(steps):
        grads = [a * (p - b) for p, a, b in zip(params, SLOPE, CENTRE)]
        updates, state = transform.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        trajectory.append(flat(params))
        if evaluated:
            averages.append(flat(evaluated(state, params)))
    return trajectory, averages


def exact_newton_schulz(grad, coefficients, steps, eps):
    """PyTorch's iteration without its rounding to bfloat16."""
    a, b, c = coefficients
    x = grad.double()
    if grad.size(0) > grad.size(1):
        x = x.T
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if grad.size(0) > grad.size(1) else x).to(grad.dtype)


MUON = [
    ("muon", {"lr": 0.02}),
    ("muon_plain", {"lr": 0.02, "momentum": 0.8, "nesterov": False, "weight_decay": 0.5}),
    ("muon_rms", {"lr": 0.02, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3}),
    ("muon_cubic", {"lr": 0.05, "ns_coefficients": (1.5, -0.5, 0.0), "ns_steps": 10}),
]


def muon_entries():
    rounded = _muon._zeropower_via_newtonschulz
    for name, args in MUON:
        entry = {"name": name, "optimizer": "Muon", "args": args}
        yield {**entry, "dtype": "bfloat16", "trajectory": torch_run(torch.optim.Muon, args, torch.float32)}
        _muon._zeropower_via_newtonschulz = exact_newton_schulz
        yield {**entry, "dtype": "float64", "trajectory": torch_run(torch.optim.Muon, args, torch.float64)}
        _muon._zeropower_via_newtonschulz = rounded


DECOUPLED = [
    ("nadam_decoupled", torch.optim.NAdam, {"lr": 0.02, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    ("radam_decoupled", torch.optim.RAdam, {"lr": 0.02, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    ("radam_maximize", torch.optim.RAdam, {"lr": 0.02, "maximize": True}),
    ("nadam_maximize", torch.optim.NAdam, {"lr": 0.02, "maximize": True}),
    ("adadelta_decay", torch.optim.Adadelta, {"lr": 1.5, "weight_decay": 0.1, "eps": 1e-4}),
    ("rmsprop_decay", torch.optim.RMSprop, {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.9}),
    ("adam_large_decay", torch.optim.Adam, {"lr": 0.02, "betas": (0.3, 0.6), "weight_decay": 0.5, "amsgrad": True}),
]


def torch_entries():
    for name, Optimizer, args in DECOUPLED:
        trajectory = torch_run(Optimizer, args, torch.float64)
        yield {"name": name, "optimizer": Optimizer.__name__, "args": args, "dtype": "float64", "trajectory": trajectory}


def lion_entries():
    for name, args in [("lion", {"lr": 0.01}), ("lion_decay", {"lr": 0.02, "betas": (0.8, 0.95), "weight_decay": 0.3})]:
        b1, b2 = args.get("betas", (0.9, 0.99))
        trajectory, _ = optax_run(optax.lion(args["lr"], b1, b2, weight_decay=args.get("weight_decay", 0)))
        yield {"name": name, "optimizer": "Lion", "args": args, "dtype": "float64", "trajectory": trajectory}


def schedule_free(base, rate, beta):
    """facebookresearch/schedule_free: optax counts from 0 in the base optimizer, from 1 in the average."""
    chain = optax.chain(*base, optax.scale_by_learning_rate(lambda count: rate(jnp.float64(count + 1))))
    return optax.contrib.schedule_free(chain, lambda count: rate(jnp.float64(count)), b1=beta)


def warmed_up(args, step):
    warmup = args.get("warmup_steps", 0)
    return args["lr"] * (jnp.minimum(1.0, step / warmup) if warmup else 1.0)


SCHEDULE_FREE = [
    ("sgd_schedule_free", "SGDScheduleFree", {"lr": 0.3}),
    ("sgd_schedule_free_all", "SGDScheduleFree", {"lr": 0.4, "momentum": 0.6, "weight_decay": 0.1, "warmup_steps": 5}),
    ("adamw_schedule_free", "AdamWScheduleFree", {"lr": 0.1}),
    ("adamw_schedule_free_all", "AdamWScheduleFree",
     {"lr": 0.1, "betas": (0.7, 0.95), "eps": 1e-4, "weight_decay": 0.1, "warmup_steps": 5}),
]


def schedule_free_entries():
    for name, optimizer, args in SCHEDULE_FREE:
        decay = optax.add_decayed_weights(args.get("weight_decay", 0))
        if optimizer == "SGDScheduleFree":
            transform = schedule_free([decay], lambda step, a=args: warmed_up(a, step), args.get("momentum", 0.9))
        else:
            b1, b2 = args.get("betas", (0.9, 0.999))
            scale = optax.scale_by_rms(decay=b2, eps=args.get("eps", 1e-8), eps_in_sqrt=False)
            rate = lambda step, a=args, b=b2: warmed_up(a, step) * jnp.sqrt(1 - b**step)
            transform = schedule_free([scale, decay], rate, b1)
        trajectory, averages = optax_run(transform, evaluated=optax.contrib.schedule_free_eval_params)
        yield {"name": name, "optimizer": optimizer, "args": args, "dtype": "float64", "trajectory": trajectory,
               "averages": averages}


LBFGS = [
    ("lbfgs", {"lr": 0.5, "max_iter": 4}),
    ("lbfgs_wolfe", {"line_search_fn": "strong_wolfe", "max_iter": 5}),
    ("lbfgs_history", {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 6}),
    ("lbfgs_long_steps", {"lr": 8, "line_search_fn": "strong_wolfe", "max_iter": 3, "max_eval": 30}),
    ("lbfgs_short_steps", {"lr": 1e-3, "line_search_fn": "strong_wolfe", "max_iter": 3}),
    ("lbfgs_tolerance", {"line_search_fn": "strong_wolfe", "tolerance_grad": 0.5, "max_iter": 20}),
    ("lbfgs_max_eval", {"line_search_fn": "strong_wolfe", "max_eval": 3, "max_iter": 20}),
]


def lbfgs_loss(p):
    a, b = (torch.tensor(values[0].ravel(), dtype=p.dtype) for values in (SLOPE, CENTRE))
    away = p.reshape(-1) - b
    along = p.reshape(-1)[:-1] - p.reshape(-1)[1:]
    return (a * away**2 / 2 + 0.25 * away**4 / 4).sum() + 0.1 * (along**2).sum() / 2


def lbfgs_entries():
    for (name, args), dtype in itertools.product(LBFGS, (torch.float32, torch.float64)):
        if name == "lbfgs_short_steps" and dtype == torch.float32:
            continue  # differences of nearly equal gradients: no two libraries agree
        p = torch.tensor(START[0], dtype=dtype, requires_grad=True)
        optimizer = torch.optim.LBFGS([p], **args)

        def closure():
            optimizer.zero_grad()
            loss = lbfgs_loss(p)
            loss.backward()
            return loss

        trajectory, losses = [], []
        for _ in range(4):
            losses.append(optimizer.step(closure).item())
            trajectory.append(flat([p.detach().numpy()]))
        state = optimizer.state[p]
        yield {"name": name, "optimizer": "LBFGS", "args": args, "dtype": str(dtype)[6:], "trajectory": trajectory,
               "losses": losses, "func_evals": state["func_evals"], "n_iter": state["n_iter"]}


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(5, 4)
        self.bn = torch.nn.BatchNorm1d(4)

    def forward(self, x):
        return self.bn(self.fc(x))


def set_weights(model, i):
    with torch.no_grad():
        for j, t in enumerate([*model.parameters(), model.bn.running_mean, model.bn.running_var]):
            values = matrix(1, t.numel(), 7 * i + j).reshape(t.shape)
            t.copy_(torch.tensor(np.abs(values) + 0.5 if t is model.bn.running_var else values))
        model.bn.num_batches_tracked.fill_(i + 1)


def state_of(model):
    return {key: {"shape": list(t.shape), "data": t.double().ravel().tolist()} for key, t in model.state_dict().items()}


AVERAGES = [
    ("swa", {}, {}),
    ("swa_buffers", {"use_buffers": True}, {"useBuffers": True}),
    ("ema", {"avg_fn": get_ema_avg_fn(0.9)}, {"ema": 0.9}),
    ("ema_multi", {"multi_avg_fn": get_ema_multi_avg_fn(0.8)}, {"emaMulti": 0.8}),
    ("ema_multi_slow", {"multi_avg_fn": get_ema_multi_avg_fn(0.3), "use_buffers": True},
     {"emaMulti": 0.3, "useBuffers": True}),
]


def average_entries():
    for name, args, options in AVERAGES:
        model = Net()
        set_weights(model, 0)
        averaged = AveragedModel(model, **args)
        states = []
        for i in range(4):
            set_weights(model, i)
            averaged.update_parameters(model)
            states.append(state_of(averaged))
        yield {"name": name, "options": options, "states": states}


def update_bn_entry():
    model = Net()
    set_weights(model, 3)
    batches = [matrix(n, 5, 30 + i) for i, n in enumerate([4, 4, 3])]
    update_bn([torch.tensor(x, dtype=torch.float32) for x in batches], model)
    return {"start": 3, "batches": [x.tolist() for x in batches], "state": state_of(model),
            "momentum": model.bn.momentum, "training": model.training}


def rounded(value):
    """Enough digits for a tolerance of 1e-9, and no more."""
    if isinstance(value, float):
        return float(f"{value:.13g}")
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, (list, tuple)) else value


if __name__ == "__main__":
    entries = [*muon_entries(), *torch_entries(), *lion_entries(), *schedule_free_entries()]
    out = {
        "shapes": SHAPES, "start": [flat([p]) for p in START], "slope": [flat([a]) for a in SLOPE],
        "centre": [flat([b]) for b in CENTRE], "entries": entries, "lbfgs": list(lbfgs_entries()),
        "averages": list(average_entries()), "update_bn": update_bn_entry(),
    }
    Path(__file__).with_name("optim-more.json").write_text(json.dumps(rounded(out), separators=(",", ":")) + "\n")
