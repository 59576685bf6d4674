"""The workload in PyTorch on the CPU, from trainlab's exported parameters and batches.

    python torch_w.py FOLDER CONFIG.json --steps N --warmup N --threads N

FOLDER holds init.safetensors and batches.safetensors. Prints JSON: losses, and milliseconds of each step.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import functional

arguments = argparse.ArgumentParser()
arguments.add_argument("folder", type=Path)
arguments.add_argument("config", type=Path)
arguments.add_argument("--steps", type=int, default=20)
arguments.add_argument("--threads", type=int, default=1)
arguments = arguments.parse_args()
torch.set_num_threads(arguments.threads)

config = json.loads(arguments.config.read_text())
model, optimizer = config["model"], config["optimizer"]
p = {name: tensor.requires_grad_(True) for name, tensor in load_file(arguments.folder / "init.safetensors").items()}
batches = load_file(arguments.folder / "batches.safetensors")["tokens"].long()  # (N, B, T+1)


def norm(x, name):
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
losses, milliseconds, cpu = [], [], []
for step in range(arguments.steps):
    begin, used = time.perf_counter(), time.process_time()
    adamw.zero_grad(set_to_none=True)
    loss = loss_of(batches[step])
    loss.backward()
    adamw.step()
    losses.append(loss.item())
    milliseconds.append((time.perf_counter() - begin) * 1e3)
    cpu.append((time.process_time() - used) * 1e3)
print(json.dumps({"losses": losses, "milliseconds": milliseconds, "cpu": cpu, "version": torch.__version__}))
