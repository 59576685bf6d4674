"""Makes the goldens beside this file: ten training steps of small GPTs in JAX and Optax, in float64 on the CPU.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

It shares nothing with the crate but the names and shapes of parameters and the config's fields. The model is written
from the papers for one sequence at a time, gradients come from jax.grad, clipping and AdamW from Optax.
tests/golden.rs reads the files; it needs no Python.

A file holds, in safetensors:
    initial.*        parameters before step 1; random, and larger than GPT-2's, so that all of them matter
    tokens           (10, B, T+1), a batch for each step
    logits           (B, T, V) of the first batch
    gradient.*       of step 1, before clipping
    losses, norms    (10): the loss before each update, and the whole gradient's norm before clipping
and the run's config, as JSON, in its metadata.
"""

import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import save_file

jax.config.update("jax_enable_x64", True)

STEPS = 10

# The vocabulary's size, then the config; what is left out of it is the crate's default and does not matter here.
GOLDENS = {
    "smallest": dict(
        vocabulary=11,
        model=dict(layers=1, width=8, heads=1, hidden=32, context=8, norm="layer_norm", tied_head=True),
        optimizer=dict(learning_rate=1e-2, beta1=0.9, beta2=0.99, epsilon=1e-8, weight_decay=0.1, clip_norm=1.0),
        schedule=dict(kind="cosine", warmup_steps=3, final_fraction=0.1),
        training=dict(steps=10, batch_size=1),
    ),
    "rms_untied": dict(
        vocabulary=23,
        model=dict(layers=2, width=24, heads=3, hidden=40, context=13, norm="rms_norm", tied_head=False),
        optimizer=dict(learning_rate=4e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.1, clip_norm=0.0),
        schedule=dict(kind="linear", warmup_steps=0, final_fraction=0.0),
        training=dict(steps=12, batch_size=2),
    ),
    "deep": dict(
        vocabulary=31,
        model=dict(layers=4, width=16, heads=4, hidden=20, context=17, norm="layer_norm", tied_head=False),
        optimizer=dict(learning_rate=3e-3, beta1=0.95, beta2=0.98, epsilon=1e-6, weight_decay=1.0, clip_norm=0.5),
        schedule=dict(kind="constant", warmup_steps=5, final_fraction=0.1),
        training=dict(steps=100, batch_size=1),
    ),
    "rms_tied": dict(
        vocabulary=13,
        model=dict(layers=1, width=12, heads=1, hidden=20, context=9, norm="rms_norm", tied_head=True),
        optimizer=dict(learning_rate=2e-2, beta1=0.8, beta2=0.9, epsilon=1e-3, weight_decay=0.3, clip_norm=2.0),
        schedule=dict(kind="cosine", warmup_steps=10, final_fraction=0.5),
        training=dict(steps=10, batch_size=3),
    ),
    "five_heads": dict(
        vocabulary=19,
        model=dict(layers=2, width=20, heads=5, hidden=36, context=11, norm="layer_norm", tied_head=True),
        optimizer=dict(learning_rate=5e-3, beta1=0.9, beta2=0.95, epsilon=1e-8, weight_decay=0.5, clip_norm=5.0),
        schedule=dict(kind="linear", warmup_steps=2, final_fraction=0.2),
        training=dict(steps=10, batch_size=2),
    ),
    "wide_mlp": dict(
        vocabulary=29,
        model=dict(layers=1, width=24, heads=2, hidden=72, context=16, norm="layer_norm", tied_head=False),
        optimizer=dict(learning_rate=1e-2, beta1=0.0, beta2=0.99, epsilon=1e-8, weight_decay=0.0, clip_norm=1.5),
        schedule=dict(kind="cosine", warmup_steps=0, final_fraction=0.0),
        training=dict(steps=20, batch_size=3),
    ),
    "narrow_mlp": dict(
        vocabulary=17,
        model=dict(layers=3, width=16, heads=2, hidden=8, context=10, norm="rms_norm", tied_head=False),
        optimizer=dict(learning_rate=6e-3, beta1=0.9, beta2=0.99, epsilon=1e-8, weight_decay=0.2, clip_norm=1.8),
        schedule=dict(kind="cosine", warmup_steps=1, final_fraction=0.1),
        training=dict(steps=15, batch_size=2),
    ),
}


def initial_parameters(rng, vocabulary, model):
    """Names and shapes as a PyTorch module would have them."""
    width, hidden, context = model["width"], model["hidden"], model["context"]
    has_bias = model["norm"] == "layer_norm"
    parameters = {}

    def linear(name, inputs, outputs, bias=True):
        parameters[f"{name}.weight"] = rng.normal(0, 1.2 / math.sqrt(inputs), (outputs, inputs))
        if bias:
            parameters[f"{name}.bias"] = rng.normal(0, 0.3, outputs)

    def norm(name):
        parameters[f"{name}.weight"] = rng.normal(1, 0.3, width)
        if has_bias:
            parameters[f"{name}.bias"] = rng.normal(0, 0.3, width)

    parameters["tok_emb.weight"] = rng.normal(0, 0.5, (vocabulary, width))
    parameters["pos_emb.weight"] = rng.normal(0, 0.5, (context, width))
    for i in range(model["layers"]):
        norm(f"blocks.{i}.norm1")
        linear(f"blocks.{i}.attn.qkv", width, 3 * width)
        linear(f"blocks.{i}.attn.out", width, width)
        norm(f"blocks.{i}.norm2")
        linear(f"blocks.{i}.mlp.up", width, hidden)
        linear(f"blocks.{i}.mlp.down", hidden, width)
    norm("norm_f")
    if not model["tied_head"]:
        linear("head", width, vocabulary, bias=False)
    return {name: values.astype(np.float32) for name, values in parameters.items()}


def normalise(p, name, x):
    """torch.nn.LayerNorm (it has a bias), else torch.nn.RMSNorm; both with eps = 1e-5."""
    bias = p.get(f"{name}.bias")
    if bias is not None:
        x = x - x.mean(-1, keepdims=True)
    x = x / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * p[f"{name}.weight"]
    return x if bias is None else x + bias


def apply_linear(p, name, x):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def forward(p, model, tokens):
    """Logits (T, V) of one sequence of T tokens: GPT-2's decoder (Radford et al. 2019)."""
    length, heads = len(tokens), model["heads"]
    x = p["tok_emb.weight"][tokens] + p["pos_emb.weight"][:length]
    visible = jnp.tril(jnp.ones((length, length), bool))
    for i in range(model["layers"]):
        block = f"blocks.{i}"
        qkv = apply_linear(p, f"{block}.attn.qkv", normalise(p, f"{block}.norm1", x))
        # Vaswani et al. 2017: softmax(q kᵀ / √d) v, for each head.
        q, k, v = (part.reshape(length, heads, -1) for part in jnp.split(qkv, 3, axis=-1))
        scores = jnp.einsum("qhd,khd->hqk", q, k) / math.sqrt(q.shape[-1])
        attention = jax.nn.softmax(jnp.where(visible, scores, -jnp.inf), axis=-1)
        mixed = jnp.einsum("hqk,khd->qhd", attention, v).reshape(length, -1)
        x = x + apply_linear(p, f"{block}.attn.out", mixed)
        up = apply_linear(p, f"{block}.mlp.up", normalise(p, f"{block}.norm2", x))
        x = x + apply_linear(p, f"{block}.mlp.down", jax.nn.gelu(up, approximate=True))
    return normalise(p, "norm_f", x) @ p.get("head.weight", p["tok_emb.weight"]).T


def batch_logits(p, model, tokens):
    return jax.vmap(lambda sequence: forward(p, model, sequence))(tokens[:, :-1])


def loss(p, model, tokens):
    """Mean cross-entropy of each next token, in nats."""
    return optax.softmax_cross_entropy_with_integer_labels(batch_logits(p, model, tokens), tokens[:, 1:]).mean()


def learning_rate(config, count):
    """Of the update that `count` updates came before."""
    step = count + 1
    peak, schedule = config["optimizer"]["learning_rate"], config["schedule"]
    warmup, final = schedule["warmup_steps"], schedule["final_fraction"]
    done = jnp.clip((step - warmup) / max(config["training"]["steps"] - warmup, 1), 0, 1)
    decay = {"constant": 0 * done, "linear": done, "cosine": (1 - jnp.cos(jnp.pi * done)) / 2}[schedule["kind"]]
    return peak * jnp.where(step < warmup, step / max(warmup, 1), 1 - (1 - final) * decay)


def optimizer(config):
    o = config["optimizer"]
    adamw = optax.adamw(
        lambda count: learning_rate(config, count),
        b1=o["beta1"],
        b2=o["beta2"],
        eps=o["epsilon"],
        weight_decay=o["weight_decay"],
        mask=lambda p: jax.tree.map(lambda values: values.ndim == 2, p),
    )
    clip = optax.clip_by_global_norm(o["clip_norm"]) if o["clip_norm"] > 0 else optax.identity()
    return optax.chain(clip, adamw)


def make(seed, name, vocabulary, **config):
    rng = np.random.default_rng(seed)
    model = config["model"]
    initial = initial_parameters(rng, vocabulary, model)
    # Something to learn: each token lies one to three after the one before.
    strides = rng.integers(1, 4, (STEPS, config["training"]["batch_size"], model["context"] + 1))
    tokens = (rng.integers(0, vocabulary, strides.shape[:2] + (1,)) + strides.cumsum(axis=-1)) % vocabulary

    p = {name: jnp.asarray(values, jnp.float64) for name, values in initial.items()}
    tensors = {f"initial.{name}": values for name, values in initial.items()}
    tensors["tokens"] = tokens.astype(np.uint32)
    tensors["logits"] = batch_logits(p, model, tokens[0])

    update = optimizer(config)
    state = update.init(p)
    loss_and_gradient = jax.jit(jax.value_and_grad(lambda p, tokens: loss(p, model, tokens)))
    losses, norms = [], []
    for step in range(STEPS):
        value, gradient = loss_and_gradient(p, tokens[step])
        if step == 0:
            tensors |= {f"gradient.{name}": values for name, values in gradient.items()}
        losses.append(float(value))
        norms.append(float(optax.global_norm(gradient)))
        changes, state = update.update(gradient, state, p)
        p = optax.apply_updates(p, changes)

    tensors = {key: np.asarray(v) if v.dtype == np.uint32 else np.asarray(v, np.float32) for key, v in tensors.items()}
    tensors |= {"losses": np.array(losses), "norms": np.array(norms)}
    file = Path(__file__).parent / f"{name}.safetensors"
    save_file(tensors, file, {"config": json.dumps(config)})

    clip = config["optimizer"]["clip_norm"] or math.inf
    print(
        f"{name:16} {file.stat().st_size:7} bytes, loss {losses[0]:.4f} to {losses[-1]:.4f},"
        f" gradient norm {min(norms):.2f} to {max(norms):.2f}, {sum(n > clip for n in norms)} of {STEPS} steps clipped"
    )


for seed, (name, golden) in enumerate(GOLDENS.items(), start=1):
    make(seed, name, **golden)
