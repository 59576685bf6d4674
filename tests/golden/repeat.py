"""Repeats the first steps of a run in JAX, from what trainlab exported, and compares the losses.

    trainlab train --set training.steps=10 --out RUN --export-batches 10 > RUN.jsonl
    python tests/golden/repeat.py RUN RUN.jsonl

Exits with 1 where a loss differs by more than 1e-4.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
from make import loss, optimizer
from safetensors.numpy import load_file

folder, lines = Path(sys.argv[1]), Path(sys.argv[2])
config = json.loads((folder / "config.json").read_text())
p = {name: jnp.asarray(values, jnp.float64) for name, values in load_file(folder / "init.safetensors").items()}
batches = load_file(folder / "batches.safetensors")["tokens"]
expected = [line["loss"] for line in map(json.loads, lines.read_text().splitlines()) if "loss" in line]

update = optimizer(config)
state = update.init(p)
loss_and_gradient = jax.jit(jax.value_and_grad(lambda p, tokens: loss(p, config["model"], tokens)))
worst = 0.0
for step, (tokens, theirs) in enumerate(zip(batches, expected), start=1):
    value, gradient = loss_and_gradient(p, tokens)
    worst = max(worst, abs(float(value) - theirs))
    print(f"step {step}: trainlab {theirs:.6f}, JAX {float(value):.6f}")
    changes, state = update.update(gradient, state, p)
    p = optax.apply_updates(p, changes)
print(f"largest difference {worst:.1e}")
sys.exit(worst > 1e-4)
