"""JAX: one jitted lax.scan over many steps, rows gathered inside from a resident set, parameters donated.

The order of rows is made before the clock starts, and of a few equivalent ways to write the step the fastest is quoted;
both favour JAX. Batch and data are arguments, never constants the compiler could fold.
"""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from peer import answer, dataset, orders, request, steps_per_block, timed, weights

# (steps per loop turn, weights stored as): XLA's loop overhead matters on the small nets only, and which layout is
# faster depends on the shape.
VARIANTS = {"small": ((1, "in-out"), (4, "in-out"), (1, "out-in")), "large": ((1, "in-out"), (1, "out-in"))}

# Generators of dropout's masks; the second is quicker on some processors.
GENERATORS = ("threefry2x32", "rbg")

ACTIVATIONS = {
    "relu": jax.nn.relu,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "silu": jax.nn.silu,
    "tanh": jnp.tanh,
}
MOMENTUM = 0.1


def linear(layout, x, w, b):
    contract = 0 if layout == "in-out" else 1
    return jax.lax.dot_general(x, w, (((1,), (contract,)), ((), ()))) + b


def normalise(kind, x, scale, shift, moving):
    """LayerNorm or BatchNorm in training; the moving mean and variance go along, as PyTorch's do."""
    axis = 1 if kind == "layer" else 0
    mean, var = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
    if kind == "batch":
        n = x.shape[0]
        new = jnp.stack([mean[0], var[0] * (n / (n - 1))])
        moving = (1 - MOMENTUM) * moving + MOMENTUM * new
    return (x - mean) * jax.lax.rsqrt(var + 1e-5) * scale + shift, moving


def hidden_layer(hidden, layout, layer, moving, key, x):
    y = linear(layout, x, layer["w"], layer["b"])
    if hidden.get("norm"):
        y, moving = normalise(hidden["norm"], y, layer["scale"], layer["shift"], moving)
    y = ACTIVATIONS[hidden["activation"]](y)
    if hidden.get("dropout"):
        kept = 1 - hidden["dropout"]
        y = jnp.where(jax.random.bernoulli(key, kept, y.shape), y / kept, 0)
    if hidden.get("residual") and y.shape == x.shape:
        y = y + x
    return y, moving


def criterion(loss, scores, y):
    if loss["name"] == "mse":
        return jnp.mean((scores - y) ** 2)
    if loss["name"] == "bce":
        return optax.sigmoid_binary_cross_entropy(scores, y).mean()
    # One-hot instead of a gather of the labels' entries: XLA fuses it, measured 10 % faster on 784-128-10.
    labels = optax.smooth_labels(jax.nn.one_hot(y, scores.shape[1]), loss.get("labelSmoothing", 0.0))
    return -(labels * jax.nn.log_softmax(scores)).sum(axis=1).mean()


def loss_of(trial, layout, params, moving, keys, x, y):
    """(loss, the moving statistics of the norms)."""
    moved = []
    for layer, of_layer, key in zip(params[:-1], moving, keys):
        x, of_layer = hidden_layer(trial["hidden"], layout, layer, of_layer, key, x)
        moved.append(of_layer)
    return criterion(trial["loss"], linear(layout, x, params[-1]["w"], params[-1]["b"]), y), moved


def optimizer_of(name, lr, weightDecay=0.0, momentum=None):
    if name == "sgd":
        return optax.sgd(lr, momentum=momentum)
    return optax.adam(lr) if name == "adam" else optax.adamw(lr, weight_decay=weightDecay)


def parameters(trial, layout):
    """(a dict per layer, the norms' moving mean and variance per hidden layer)."""
    layers = [{"w": jnp.asarray(w.T if layout == "in-out" else w), "b": jnp.asarray(b)} for w, b in weights(trial)]
    if trial["hidden"].get("norm"):
        for layer in layers[:-1]:
            layer |= {"scale": jnp.ones_like(layer["b"]), "shift": jnp.zeros_like(layer["b"])}
    batch = trial["hidden"].get("norm") == "batch"
    moving = [jnp.stack([jnp.zeros(n), jnp.ones(n)]) if batch else None for n in trial["widths"][1:-1]]
    return layers, moving


def make_run(trial, unroll, layout, generator):
    """run(carry, x, y, rows [steps, batch], scales [steps]) -> (carry, losses [steps]); carry is all that a step changes."""
    optimizer = optimizer_of(**trial["optimizer"])
    params, moving = parameters(trial, layout)
    draws = bool(trial["hidden"].get("dropout"))

    def step(x, y, carry, inputs):
        params, moving, state, key = carry
        rows, scale = inputs
        if trial["shuffle"] or trial["rows"] > trial["batch"]:
            xb = x.at[rows].get(mode="promise_in_bounds")
            yb = y.at[rows].get(mode="promise_in_bounds")
        else:
            xb, yb = x, y
        key, *keys = jax.random.split(key, len(moving) + 1) if draws else (key, *[None] * len(moving))
        graded = jax.value_and_grad(functools.partial(loss_of, trial, layout), has_aux=True)
        (loss, moving), grads = graded(params, moving, keys, xb, yb)
        updates, state = optimizer.update(grads, state, params)
        if trial.get("schedule"):
            updates = jax.tree.map(lambda u: u * scale, updates)
        return (optax.apply_updates(params, updates), moving, state, key), loss

    @functools.partial(jax.jit, donate_argnums=0)
    def run(carry, x, y, rows, scales):
        return jax.lax.scan(functools.partial(step, x, y), carry, (rows, scales), unroll=unroll)

    return run, (params, moving, optimizer.init(params), jax.random.key(0, impl=generator))


def scales_of(trial, steps):
    schedule = trial.get("schedule") or {"stepSize": steps, "gamma": 1.0}
    return jnp.asarray(schedule["gamma"] ** (np.arange(steps) // schedule["stepSize"]), jnp.float32)


def one(trial, seconds, x, y, variant):
    """Compiles, checks the loss of the first steps, times five blocks."""
    run, carry = make_run(trial, *variant)
    check = trial["checkSteps"]
    in_order = (np.arange(check * trial["batch"], dtype=np.int32) % trial["rows"]).reshape(check, trial["batch"])
    start = time.perf_counter()
    carry, losses = run(carry, x, y, jnp.asarray(in_order), scales_of(trial, check))
    loss = float(losses.mean())
    cold, start = time.perf_counter() - start, time.perf_counter()
    carry, losses = run(carry, x, y, jnp.asarray(in_order), scales_of(trial, check))
    losses.block_until_ready()
    steps = steps_per_block(seconds, (time.perf_counter() - start) * 1e6 / check)
    last = [carry]
    tables = [jnp.asarray(orders(trial, steps, b)) for b in range(5)]
    scales = scales_of(trial, steps)

    def block(b):
        last[0], losses = run(last[0], x, y, tables[b], scales)
        losses.block_until_ready()

    block(0)
    settings = dict(zip(("unroll", "weights", "generator"), variant), devices=[str(d) for d in jax.devices()])
    return {**timed(block, steps), "steps": steps, "check": loss, "coldMs": cold * 1e3, "settings": settings}


def variants_of(trial):
    ways = VARIANTS["small" if max(trial["widths"]) <= 64 else "large"]
    generators = GENERATORS if trial["hidden"].get("dropout") else GENERATORS[:1]
    return [(*way, generator) for way in ways for generator in generators]


def main():
    asked = request()
    trial = asked["trial"]
    x, y = (jnp.asarray(a) for a in dataset(trial))
    tried = [one(trial, asked["seconds"], x, y, variant) for variant in variants_of(trial)]
    fastest = min(tried, key=lambda result: float(np.median(result["samples"])))
    answer(version=f"jax {jax.__version__}", unit="us", **fastest)


if __name__ == "__main__":
    main()
