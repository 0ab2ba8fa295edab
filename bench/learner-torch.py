"""The learner step in PyTorch, eager and batched over tasks and members: docs/method.md, sections 2 to 5 and 12.

usage: python3 learner-torch.py <folder> <cuda | cpu> <seconds>

Reads problem.json (sizes, constants, and where tensors lie) and problem.bin (little-endian). Prints one JSON object: the
losses of the first steps, and the median milliseconds of a step.
"""

import json
import math
import statistics
import sys
import time

import torch

FIRST_STEPS = 3


def read_problem(folder, device):
    with open(f"{folder}/problem.json", encoding="utf8") as file:
        problem = json.load(file)
    with open(f"{folder}/problem.bin", "rb") as file:
        data = bytearray(file.read())
    kinds = {"f32": torch.float32, "i32": torch.int32}
    tensors = {}
    for name, place in problem["tensors"].items():
        count = math.prod(place["shape"])
        flat = torch.frombuffer(data, dtype=kinds[place["dtype"]], count=count, offset=place["offset"])
        tensors[name] = flat.reshape(place["shape"]).to(device)
    return problem, tensors


def group_of(tensors, name):
    """Parameters of a group; vectors get an axis for the rows, so that they broadcast beside their owners' kernels."""
    group = {}
    for key, tensor in tensors.items():
        if not key.startswith(f"{name}/"):
            continue
        short = key[len(name) + 1 :]
        row = not short.endswith("kernel") and tensor.dim() > 1
        group[short] = (tensor.unsqueeze(-2) if row else tensor).clone()
    return group


def dense(p, name, x):
    return torch.matmul(x, p[f"{name}.kernel"]) + p[f"{name}.bias"]


def block(p, name, x):
    y = dense(p, f"{name}.dense", x)
    variance, mean = torch.var_mean(y, -1, correction=0, keepdim=True)
    normed = (y - mean) * torch.rsqrt(variance + 1e-6)
    return torch.tanh(normed * p[f"{name}.norm.scale"] + p[f"{name}.norm.bias"])


def image_features(p, maps):
    """maps [T, cameras, C, B, space] -> [T, 1, B, bottleneck]"""
    embedded = torch.matmul(maps, p["spatial.kernel"])
    tasks, cameras, channels, batch, blocks = embedded.shape
    rows = embedded.permute(0, 3, 1, 2, 4).reshape(tasks, batch, cameras * channels * blocks)
    return block(p, "spatial.bottleneck", rows).unsqueeze(1)


def judge(p, features, proprio, action):
    """Q [T, members, B]"""
    own = [block(p, "proprio", proprio.unsqueeze(1)), block(p, "action", action.unsqueeze(1))]
    shared = features.expand(-1, own[0].shape[1], -1, -1)
    x = block(p, "trunk.1", block(p, "trunk.0", torch.cat([shared, *own], -1)))
    return dense(p, "out", x).squeeze(-1)


def conditioning(p, h, proprio):
    return torch.cat([h, block(p, "proprio", proprio)], -1)


def denoise(p, c, x, level, condition):
    sigma, time_features = level
    square = sigma**2 + c["sigmaData"] ** 2
    offset = sigma - c["sigmaMin"]
    skip = c["sigmaData"] ** 2 / (offset**2 + c["sigmaData"] ** 2)
    out = offset * c["sigmaData"] / torch.sqrt(square)
    embedded = dense(p, "time.1", torch.tanh(dense(p, "time.0", time_features)))
    trunk = torch.cat([x / torch.sqrt(square), embedded.expand(*x.shape[:-1], -1), condition], -1)
    raw = dense(p, "out", block(p, "trunk.1", block(p, "trunk.0", trunk)))
    return torch.clip(skip * x + out * raw, -1, 1)


def level_of(c, sigma):
    """sigma [..., 1] in double: 250 ln sigma turns fast."""
    half = c["timeWidth"] // 2
    turns = 10000.0 ** (-torch.arange(half, dtype=torch.float64, device=sigma.device) / (half - 1))
    angles = 250 * torch.log(sigma) * turns
    return sigma.float(), torch.cat([torch.sin(angles), torch.cos(angles)], -1).float()


def schedule_of(c, device):
    k = torch.arange(c["numScales"], dtype=torch.float64, device=device) / (c["numScales"] - 1)
    high, low = c["sigmaMax"] ** (1 / c["rho"]), c["sigmaMin"] ** (1 / c["rho"])
    return (high + k * (low - high)) ** c["rho"]


class Learner:
    def __init__(self, problem, tensors, device):
        self.c = c = problem["constants"]
        self.critic, self.head = group_of(tensors, "critic"), group_of(tensors, "head")
        self.target = {name: tensor.clone() for name, tensor in self.critic.items()}
        for tensor in [*self.critic.values(), *self.head.values()]:
            tensor.requires_grad_(True)
        fused = device.type == "cuda"
        self.optimisers = [
            (list(group.values()), torch.optim.Adam(group.values(), lr=c["learningRate"], eps=1e-8, fused=fused))
            for group in (self.critic, self.head)
        ]
        sigmas = schedule_of(c, device)
        self.b = b = {name[6:]: tensor for name, tensor in tensors.items() if name.startswith("batch/")}
        for name in ("features", "nextFeatures"):  # [T, B, cameras, C, space], once: the layout that is fast
            b[name] = b[name].permute(0, 2, 3, 1, 4).contiguous()
        self.level = level_of(c, sigmas[b["index/sigma"].long()].unsqueeze(-1))
        self.largest = level_of(c, sigmas[:1])

    def losses(self):
        b, c = self.b, self.c
        with torch.no_grad():
            condition = conditioning(self.head, b["nextH"], b["nextProprio"])
            ahead = denoise(self.head, c, c["sigmaMax"] * b["xi/next"], self.largest, condition)
            promised = judge(self.target, image_features(self.target, b["nextFeatures"]), b["nextProprio"], ahead)
            wanted = b["reward"] + b["discount"] * (1 - b["terminated"]) * promised.amin(1)
        features = image_features(self.critic, b["features"])
        td = ((judge(self.critic, features, b["proprio"], b["action"]) - wanted.unsqueeze(1)) ** 2).mean()

        condition = conditioning(self.head, b["h"], b["proprio"])
        sigma = self.level[0]
        denoised = denoise(self.head, c, b["action"] + sigma * b["xi/epsilon"], self.level, condition)
        weight = 1 / sigma**2 + 1 / c["sigmaData"] ** 2
        clone = (weight * (denoised - b["action"]) ** 2).mean()
        planned = denoise(self.head, c, c["sigmaMax"] * b["xi/actor"], self.largest, condition)
        frozen = {name: tensor.detach() for name, tensor in self.critic.items()}
        value = judge(frozen, features.detach(), b["proprio"], planned).mean((1, 2))
        raised = value.detach().clamp(min=0)
        w = c["taskWeight"]
        share = (raised.sum() / (len(raised) * (raised + w["c"]))).clamp(w["min"], w["max"])
        actor = c["lambda"]["bc"] * clone - c["lambda"]["q"] * (share * value).mean()
        return td, actor

    def step(self):
        td, actor = self.losses()
        for _, optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        (td + actor).backward()  # no parameter is in both
        for parameters, optimiser in self.optimisers:
            torch.nn.utils.clip_grad_norm_(parameters, self.c["maxGradientNorm"], foreach=True)
            optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.target.values()), list(self.critic.values()), self.c["targetRate"])
        return td, actor


def median_ms(step, wait, seconds):
    times = []
    begun = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        step()
        wait()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main(folder, device_name, seconds):
    device = torch.device(device_name)
    on_card = device.type == "cuda"
    wait = torch.cuda.synchronize if on_card else lambda: None
    problem, tensors = read_problem(folder, device)
    learner = Learner(problem, tensors, device)
    losses = [[loss.item() for loss in learner.step()] for _ in range(FIRST_STEPS)]
    result = {"losses": losses, "stepMs": median_ms(learner.step, wait, seconds)}
    if on_card:  # onnxruntime takes TF32 for f32 by default, PyTorch does not
        torch.backends.cuda.matmul.allow_tf32 = True
        learner.step()
        wait()
        result["tf32StepMs"] = median_ms(learner.step, wait, seconds)
    print(json.dumps(result))


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
