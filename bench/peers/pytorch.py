"""A run repeated in PyTorch on the CPU, from the parameters and batches that trainlab exported.

    trainlab train --set training.steps=10 --out RUN --export-batches 10 > RUN.jsonl
    python bench/peers/pytorch.py RUN [--steps N] [--threads N] [--against RUN.jsonl]

Prints JSON: losses, gradient norms, and milliseconds and CPU-ms of each step. With --against it compares them with
trainlab's, and exits with 1 where a loss differs by more than 1e-4, or the first norm, at the same parameters, by more
than a thousandth. It knows the default model and AdamW; tests/golden/repeat.py repeats runs with any options.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import functional

arguments = argparse.ArgumentParser()
arguments.add_argument("folder", type=Path)
arguments.add_argument("--steps", type=int)
arguments.add_argument("--threads", type=int, default=1)
arguments.add_argument("--against", type=Path)
arguments = arguments.parse_args()
torch.set_num_threads(arguments.threads)

config = json.loads((arguments.folder / "config.json").read_text())
model, optimizer, schedule = config["model"], config["optimizer"], config["schedule"]
KNOWN = {
    "model": dict(position="learned", norm_position="pre", activation="gelu_tanh", biases=True)
    | dict(kv_heads=0, qk_norm=False, logit_soft_cap=0, dropout=0),
    "optimizer": dict(kind="adamw"),
    "training": dict(label_smoothing=0, z_loss=0),
}
for section, fields in KNOWN.items():
    for name, value in fields.items():
        if config[section][name] != value:
            sys.exit(f"{section}.{name} is {config[section][name]!r}; this file knows {value!r} alone")
p = {name: tensor.requires_grad_(True) for name, tensor in load_file(arguments.folder / "init.safetensors").items()}
batches = load_file(arguments.folder / "batches.safetensors")["tokens"].long()  # (N, B, T+1)


def norm(x, name):
    if model["norm"] == "rms_norm":
        return functional.rms_norm(x, x.shape[-1:], p[f"{name}.weight"], eps=1e-5)
    return functional.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"])


def linear(x, name):
    return functional.linear(x, p[f"{name}.weight"], p[f"{name}.bias"])


def loss_of(tokens):
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    (b, t), c = inputs.shape, model["width"]
    x = p["tok_emb.weight"][inputs] + p["pos_emb.weight"][:t]
    for i in range(model["layers"]):
        qkv = linear(norm(x, f"blocks.{i}.norm1"), f"blocks.{i}.attn.qkv")
        q, k, v = (part.view(b, t, model["heads"], -1).transpose(1, 2) for part in qkv.split(c, dim=2))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + linear(mixed.transpose(1, 2).reshape(b, t, c), f"blocks.{i}.attn.out")
        up = linear(norm(x, f"blocks.{i}.norm2"), f"blocks.{i}.mlp.up")
        x = x + linear(functional.gelu(up, approximate="tanh"), f"blocks.{i}.mlp.down")
    head = p["tok_emb.weight"] if model["tied_head"] else p["head.weight"]
    logits = functional.linear(norm(x, "norm_f"), head)
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


decayed = [tensor for tensor in p.values() if tensor.dim() == 2]
kept = [tensor for tensor in p.values() if tensor.dim() < 2]
adamw = torch.optim.AdamW(
    [{"params": decayed, "weight_decay": optimizer["weight_decay"]}, {"params": kept, "weight_decay": 0.0}],
    lr=optimizer["learning_rate"],
    betas=(optimizer["beta1"], optimizer["beta2"]),
    eps=optimizer["epsilon"],
    fused=True,
)


def rate_at(step):
    """Linear warm-up, then the schedule; `step` counts from 1."""
    warmup, last = schedule["warmup_steps"], schedule["final_fraction"]
    if step < warmup:
        return optimizer["learning_rate"] * step / warmup
    done = min((step - warmup) / max(config["training"]["steps"] - warmup, 1), 1.0)
    left = {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 + 0.5 * math.cos(math.pi * done)}[schedule["kind"]]
    return optimizer["learning_rate"] * (last + (1.0 - last) * left)


losses, norms, milliseconds, cpu = [], [], [], []
for step in range(arguments.steps or len(batches)):
    begin, used = time.perf_counter(), time.process_time()
    adamw.zero_grad(set_to_none=True)
    loss = loss_of(batches[step])
    loss.backward()
    if optimizer["clip_norm"] > 0 or arguments.against:
        limit = optimizer["clip_norm"] or math.inf
        norms.append(torch.nn.utils.clip_grad_norm_(p.values(), limit).item())
    for group in adamw.param_groups:
        group["lr"] = rate_at(step + 1)
    adamw.step()
    losses.append(loss.item())
    milliseconds.append((time.perf_counter() - begin) * 1e3)
    cpu.append((time.process_time() - used) * 1e3)
if not arguments.against:
    print(json.dumps({"losses": losses, "norms": norms, "milliseconds": milliseconds, "cpu": cpu}))
    sys.exit()

lines = [json.loads(line) for line in arguments.against.read_text().splitlines()]
theirs = [line for line in lines if "grad_norm" in line]
loss_difference = max(abs(line["loss"] - loss) for line, loss in zip(theirs, losses))
norm_difference = abs(theirs[0]["grad_norm"] / norms[0] - 1)
print(f"{len(losses)} steps: losses differ by at most {loss_difference:.1e}, the first gradient norm by {norm_difference:.1e}")
sys.exit(loss_difference > 1e-4 or norm_difference > 1e-3)
