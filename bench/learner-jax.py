"""The learner step in JAX, one jitted function from state and batch to the next state: docs/method.md, sections 2 to 5 and 12.

usage: python3 learner-jax.py <folder> cpu <seconds>

Reads problem.json (sizes, constants, and where tensors lie) and problem.bin (little-endian). Prints one JSON object: the
losses of the first steps, and the median milliseconds of a step.
"""

import json
import math
import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

FIRST_STEPS = 3


def read_problem(folder):
    with open(f"{folder}/problem.json", encoding="utf8") as file:
        problem = json.load(file)
    data = np.fromfile(f"{folder}/problem.bin", dtype=np.uint8)
    kinds = {"f32": np.float32, "i32": np.int32}
    tensors = {}
    for name, place in problem["tensors"].items():
        count = math.prod(place["shape"])
        flat = np.frombuffer(data, dtype=kinds[place["dtype"]], count=count, offset=place["offset"])
        tensors[name] = flat.reshape(place["shape"])
    return problem["constants"], tensors


def group_of(tensors, name):
    """Parameters of a group; vectors get an axis for the rows, so that they broadcast beside their owners' kernels."""
    group = {}
    for key, tensor in tensors.items():
        if not key.startswith(f"{name}/"):
            continue
        short = key[len(name) + 1 :]
        row = not short.endswith("kernel") and tensor.ndim > 1
        group[short] = jnp.array(np.expand_dims(tensor, -2) if row else tensor)
    return group


def dense(p, name, x):
    return jnp.matmul(x, p[f"{name}.kernel"]) + p[f"{name}.bias"]


def block(p, name, x):
    y = dense(p, f"{name}.dense", x)
    normed = (y - y.mean(-1, keepdims=True)) * jax.lax.rsqrt(y.var(-1, keepdims=True) + 1e-6)
    return jnp.tanh(normed * p[f"{name}.norm.scale"] + p[f"{name}.norm.bias"])


def image_features(p, maps):
    """maps [T, cameras, C, B, space] -> [T, 1, B, bottleneck]"""
    embedded = jnp.matmul(maps, p["spatial.kernel"])
    tasks, cameras, channels, batch, blocks = embedded.shape
    rows = embedded.transpose(0, 3, 1, 2, 4).reshape(tasks, batch, cameras * channels * blocks)
    return block(p, "spatial.bottleneck", rows)[:, None]


def judge(p, features, proprio, action):
    """Q [T, members, B]"""
    own = [block(p, "proprio", proprio[:, None]), block(p, "action", action[:, None])]
    shared = jnp.broadcast_to(features, (features.shape[0], own[0].shape[1], *features.shape[2:]))
    x = block(p, "trunk.1", block(p, "trunk.0", jnp.concatenate([shared, *own], -1)))
    return dense(p, "out", x)[..., 0]


def conditioning(p, h, proprio):
    return jnp.concatenate([h, block(p, "proprio", proprio)], -1)


def denoise(p, c, x, level, condition):
    sigma, time_features = level
    square = sigma**2 + c["sigmaData"] ** 2
    offset = sigma - c["sigmaMin"]
    skip = c["sigmaData"] ** 2 / (offset**2 + c["sigmaData"] ** 2)
    out = offset * c["sigmaData"] / jnp.sqrt(square)
    embedded = dense(p, "time.1", jnp.tanh(dense(p, "time.0", time_features)))
    embedded = jnp.broadcast_to(embedded, (*x.shape[:-1], embedded.shape[-1]))
    trunk = jnp.concatenate([x / jnp.sqrt(square), embedded, condition], -1)
    raw = dense(p, "out", block(p, "trunk.1", block(p, "trunk.0", trunk)))
    return jnp.clip(skip * x + out * raw, -1, 1)


def level_of(c, sigma):
    """sigma [..., 1] in double, on the host: 250 ln sigma turns fast."""
    half = c["timeWidth"] // 2
    turns = 10000.0 ** (-np.arange(half) / (half - 1))
    angles = 250 * np.log(sigma) * turns
    features = np.concatenate([np.sin(angles), np.cos(angles)], -1)
    return jnp.array(sigma, jnp.float32), jnp.array(features, jnp.float32)


def schedule_of(c):
    k = np.arange(c["numScales"]) / (c["numScales"] - 1)
    high, low = c["sigmaMax"] ** (1 / c["rho"]), c["sigmaMin"] ** (1 / c["rho"])
    return (high + k * (low - high)) ** c["rho"]


def batch_of(c, tensors):
    b = {name[6:]: tensor for name, tensor in tensors.items() if name.startswith("batch/")}
    sigmas = schedule_of(c)
    level = level_of(c, sigmas[b.pop("index/sigma")][..., None])
    b = {name: jnp.array(tensor) for name, tensor in b.items()}
    for name in ("features", "nextFeatures"):  # [T, B, cameras, C, space], once: the layout that is fast
        b[name] = b[name].transpose(0, 2, 3, 1, 4)
    return {**b, "level": level, "largest": level_of(c, sigmas[:1])}


def step_of(c):
    """(state, batch) -> (state, (td, actor)); the state's memory is used again."""

    def losses(critic, head, target, b):
        condition = conditioning(head, b["nextH"], b["nextProprio"])
        ahead = denoise(head, c, c["sigmaMax"] * b["xi/next"], b["largest"], condition)
        promised = judge(target, image_features(target, b["nextFeatures"]), b["nextProprio"], ahead)
        wanted = b["reward"] + b["discount"] * (1 - b["terminated"]) * promised.min(1)
        features = image_features(critic, b["features"])
        error = judge(critic, features, b["proprio"], b["action"]) - jax.lax.stop_gradient(wanted)[:, None]
        td = (error**2).mean()

        condition = conditioning(head, b["h"], b["proprio"])
        sigma = b["level"][0]
        denoised = denoise(head, c, b["action"] + sigma * b["xi/epsilon"], b["level"], condition)
        weight = 1 / sigma**2 + 1 / c["sigmaData"] ** 2
        clone = (weight * (denoised - b["action"]) ** 2).mean()
        planned = denoise(head, c, c["sigmaMax"] * b["xi/actor"], b["largest"], condition)
        frozen = jax.lax.stop_gradient(critic)
        value = judge(frozen, jax.lax.stop_gradient(features), b["proprio"], planned).mean((1, 2))
        raised = jnp.maximum(jax.lax.stop_gradient(value), 0)
        w = c["taskWeight"]
        share = jnp.clip(raised.sum() / (len(raised) * (raised + w["c"])), w["min"], w["max"])
        actor = c["lambda"]["bc"] * clone - c["lambda"]["q"] * (share * value).mean()
        return td + actor, (td, actor)  # no parameter is in both

    def adam(group, gradients, moments, count):
        norm = jnp.sqrt(sum((g**2).sum() for g in gradients.values()))
        scale = jnp.minimum(1, c["maxGradientNorm"] / (norm + 1e-6))
        moved, later = {}, {}
        for name, value in group.items():
            gradient = gradients[name] * scale
            first, second = moments[name]
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            unbiased = (first / (1 - 0.9**count), second / (1 - 0.999**count))
            moved[name] = value - c["learningRate"] * unbiased[0] / (jnp.sqrt(unbiased[1]) + 1e-8)
            later[name] = (first, second)
        return moved, later

    def step(state, b):
        gradient = jax.grad(losses, (0, 1), has_aux=True)
        (of_critic, of_head), said = gradient(state["critic"], state["head"], state["target"], b)
        count = state["count"] + 1
        critic, critic_moments = adam(state["critic"], of_critic, state["criticMoments"], count)
        head, head_moments = adam(state["head"], of_head, state["headMoments"], count)
        target = jax.tree.map(lambda old, new: old + c["targetRate"] * (new - old), state["target"], critic)
        moments = {"criticMoments": critic_moments, "headMoments": head_moments}
        return {"critic": critic, "head": head, "target": target, "count": count, **moments}, said

    return jax.jit(step, donate_argnums=0)


def begin(tensors):
    groups = {name: group_of(tensors, name) for name in ("critic", "head")}
    zeros = {f"{name}Moments": {key: (jnp.zeros_like(v), jnp.zeros_like(v)) for key, v in group.items()} for name, group in groups.items()}
    return {**groups, **zeros, "target": group_of(tensors, "critic"), "count": jnp.float32(0)}


def main(folder, seconds):
    c, tensors = read_problem(folder)
    state, batch, step = begin(tensors), batch_of(c, tensors), step_of(c)
    losses = []
    for _ in range(FIRST_STEPS):
        state, said = step(state, batch)
        losses.append([float(loss) for loss in said])
    times = []
    begun = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        state, said = step(state, batch)
        jax.block_until_ready(state)
        times.append(1000 * (time.perf_counter() - start))
    print(json.dumps({"losses": losses, "stepMs": statistics.median(times)}))


main(sys.argv[1], float(sys.argv[3]))
