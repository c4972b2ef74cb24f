"""PyTorch, eager: the loop of every tutorial, one optimizer step per batch of shuffled rows. Not compiled, not fused."""

import itertools
import time

import torch
from peer import answer, dataset, orders, request, steps_per_block, timed, warm_up, weights


ACTIVATIONS = {"relu": torch.nn.ReLU, "gelu": torch.nn.GELU, "silu": torch.nn.SiLU, "tanh": torch.nn.Tanh}
NORMS = {"layer": torch.nn.LayerNorm, "batch": torch.nn.BatchNorm1d}


class Residual(torch.nn.Module):
    """x + inner(x)."""

    def __init__(self, *layers):
        super().__init__()
        self.inner = torch.nn.Sequential(*layers)

    def forward(self, x):
        return x + self.inner(x)


def hidden_layers(linear, hidden):
    """A hidden layer: the Linear and what follows it."""
    layers = [linear]
    if hidden.get("norm"):
        layers.append(NORMS[hidden["norm"]](linear.out_features))
    layers.append(ACTIVATIONS[hidden["activation"]]())
    if hidden.get("dropout"):
        layers.append(torch.nn.Dropout(hidden["dropout"]))
    same_width = linear.in_features == linear.out_features
    return [Residual(*layers)] if hidden.get("residual") and same_width else layers


def optimizer_of(parameters, name, weightDecay=0, **options):
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    return kind(parameters, weight_decay=weightDecay, **options)


def loss_of(trial):
    loss = trial["loss"]
    if loss["name"] == "crossEntropy":
        return torch.nn.CrossEntropyLoss(label_smoothing=loss.get("labelSmoothing", 0.0))
    return {"mse": torch.nn.MSELoss, "bce": torch.nn.BCEWithLogitsLoss}[loss["name"]]()


def build(trial):
    """The net with the trial's weights, its optimizer and its schedule (None where the trial has none)."""
    linears = []
    for w, b in weights(trial):
        linear = torch.nn.Linear(w.shape[1], w.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w))
            linear.bias.copy_(torch.from_numpy(b))
        linears.append(linear)
    layers = [layer for linear in linears[:-1] for layer in hidden_layers(linear, trial["hidden"])]
    model = torch.nn.Sequential(*layers, linears[-1])
    optimizer = optimizer_of(model.parameters(), **trial["optimizer"])
    schedule = trial.get("schedule")
    scheduler = schedule and torch.optim.lr_scheduler.StepLR(optimizer, schedule["stepSize"], schedule["gamma"])
    return model, optimizer, scheduler


def make_step(trial, wrap):
    """step(x, y) -> loss. `wrap` is where torch_compile.py puts its compiler."""
    model, optimizer, scheduler = build(trial)
    criterion = loss_of(trial)
    compute = wrap(lambda x, y: criterion(model(x), y))

    def step(x, y):
        optimizer.zero_grad()
        loss = compute(x, y)
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        return loss

    return step


def batches(trial, x, y, steps, seed):
    """`steps` batches: rows gathered one batch after the other, as they are used; made beforehand where nothing is shuffled."""
    if trial["shuffle"]:
        order = torch.from_numpy(orders(trial, steps, seed)).long()
        return ((x[rows], y[rows]) for rows in order)
    made = list(zip(x.split(trial["batch"]), y.split(trial["batch"])))[: trial["rows"] // trial["batch"]]
    return itertools.islice(itertools.cycle(made), steps)


def check(trial, x, y, step):
    """(mean loss of the first steps, seconds of the very first)."""
    in_order = (torch.arange(trial["checkSteps"] * trial["batch"]) % trial["rows"]).split(trial["batch"])
    start = time.perf_counter()
    losses = [step(x[in_order[0]], y[in_order[0]]).item()]
    cold = time.perf_counter() - start
    losses += [step(x[rows], y[rows]).item() for rows in in_order[1:]]
    return sum(losses) / len(losses), cold


def measure(wrap=lambda compute: compute):
    """Checks the loss of the first steps, warms up, times five blocks."""
    asked = request()
    trial, seconds = asked["trial"], asked["seconds"]
    torch.set_num_threads(asked["threads"])
    x, y = (torch.from_numpy(a) for a in dataset(trial))
    y = y if y.is_floating_point() else y.long()
    step = make_step(trial, wrap)
    loss, cold = check(trial, x, y, step)

    def run(made):
        for xb, yb in made:
            step(xb, yb)

    us = warm_up(lambda steps: run(batches(trial, x, y, steps, 5)))
    steps = steps_per_block(seconds, us)
    blocks = [batches(trial, x, y, steps, block) for block in range(5)]
    answer(version=f"torch {torch.__version__}", unit="us", **timed(lambda block: run(blocks[block]), steps), steps=steps,
           check=loss, coldMs=cold * 1e3,
           settings={"threads": torch.get_num_threads(), "isa": torch.backends.cpu.get_cpu_capability()})


if __name__ == "__main__":
    measure()
