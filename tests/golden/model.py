"""The GPT of every config, for one sequence at a time, in JAX: written from the papers, sharing with the crate nothing
but the names and shapes of parameters and the config's fields."""

import math

import jax
import jax.numpy as jnp

# Shazeer 2020 (arXiv 2002.05202): act(gate(x)) * up(x).
GATES = {
    "glu": jax.nn.sigmoid,
    "reglu": jax.nn.relu,
    "geglu": lambda x: jax.nn.gelu(x, approximate=False),
    "swiglu": jax.nn.silu,
}
ACTIVATIONS = {
    "relu": jax.nn.relu,
    "squared_relu": lambda x: jax.nn.relu(x) ** 2,  # So et al. 2021, arXiv 2109.08668
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
    "silu": jax.nn.silu,
}


def hidden_width(model):
    """Of the MLP. A gated one has three matrices: with 2/3 of the width it has as many parameters as the others."""
    hidden = model["hidden"]
    if model["activation"] in GATES and model["equal_parameters"]:
        return max(8, 8 * round(hidden * 2 / 3 / 8))
    return hidden


def key_value_heads(model):
    return model["kv_heads"] or model["heads"]


def rms(x):
    return x / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)


def normalise(p, model, name, x):
    """torch.nn.LayerNorm or torch.nn.RMSNorm, both with eps = 1e-5."""
    if model["norm"] == "layer_norm":
        x = x - x.mean(-1, keepdims=True)
    return rms(x) * p[f"{name}.weight"] + p.get(f"{name}.bias", 0)


def linear(p, name, x):
    return x @ p[f"{name}.weight"].T + p.get(f"{name}.bias", 0)


def sinusoids(positions, width):
    """Vaswani et al. 2017, section 3.5: sines in the even channels, cosines in the odd ones. There token vectors begin
    about as large; here they have a deviation of 0.02, and so have these."""
    angles = positions[:, None] / 10_000 ** (jnp.arange(0, width, 2) / width)
    return 0.02 * jnp.stack([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(len(positions), width)


def rotate(x, positions, base):
    """Su et al. 2021 (arXiv 2104.09864) of x (T, H, D), whose pairs are (i, i + D/2), as in GPT-NeoX."""
    half = x.shape[-1] // 2
    angles = (positions[:, None] * base ** (-jnp.arange(half) / half))[:, None]
    sin, cos = jnp.sin(angles), jnp.cos(angles)
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def alibi_slopes(heads):
    """Press et al. 2021 (arXiv 2108.12409). Where heads are no power of two, their code takes those of the largest
    power below, and then every other one of twice as many."""

    def geometric(n):
        return [2 ** (-8 * (h + 1) / n) for h in range(n)]

    power = 2 ** int(math.log2(heads))
    return jnp.array(geometric(power) + geometric(2 * power)[::2][: heads - power])


def attend(p, model, block, x):
    """Vaswani et al. 2017: softmax(q kᵀ / √d) v, for each head. x and the result: (T, C)."""
    length, heads, groups = len(x), model["heads"], key_value_heads(model)
    size = model["width"] // heads
    qkv = linear(p, f"{block}.attn.qkv", x)
    q, k, v = jnp.split(qkv, [heads * size, (heads + groups) * size], axis=-1)
    q, k, v = (part.reshape(length, -1, size) for part in (q, k, v))
    if model["qk_norm"]:
        q, k = (rms(part) * p[f"{block}.attn.{name}_norm.weight"] for name, part in (("q", q), ("k", k)))
    positions = jnp.arange(length)
    if model["position"] == "rope":
        # Chen et al. 2023 (arXiv 2306.15595): interpolation squeezes the positions.
        at = positions / model["rope_interpolation"]
        q, k = (rotate(part, at, model["rope_base"]) for part in (q, k))
    # Ainslie et al. 2023 (arXiv 2305.13245): heads / groups neighbouring heads share a key and a value.
    k, v = (jnp.repeat(part, heads // groups, axis=1) for part in (k, v))
    scores = jnp.einsum("qhd,khd->hqk", q, k) / math.sqrt(size)
    distance = positions[:, None] - positions
    if model["position"] == "alibi":
        scores = scores - alibi_slopes(heads)[:, None, None] * distance
    attention = jax.nn.softmax(jnp.where(distance >= 0, scores, -jnp.inf), axis=-1)
    mixed = jnp.einsum("hqk,khd->qhd", attention, v).reshape(length, -1)
    return linear(p, f"{block}.attn.out", mixed)


def mlp(p, model, block, x):
    activation, up = model["activation"], linear(p, f"{block}.mlp.up", x)
    if activation in GATES:
        hidden = GATES[activation](linear(p, f"{block}.mlp.gate", x)) * up
    else:
        hidden = ACTIVATIONS[activation](up)
    return linear(p, f"{block}.mlp.down", hidden)


def dropout(model, seed, step):
    """Of a training step (Srivastava et al. 2014), inverted: a function of where in the model, the rows' numbers in the
    batch and their values (rows, channels). What is kept follows the crate's definition, so that both drop the same: a
    counter-based hash of MurmurHash3's finaliser, and 2³² over the golden ratio."""

    def mix(x):
        x = (x ^ x >> 16) * jnp.uint32(0x85EBCA6B)
        x = (x ^ x >> 13) * jnp.uint32(0xC2B2AE35)
        return x ^ x >> 16

    def hashed(bits, counter):
        return mix(bits ^ jnp.asarray(counter, jnp.uint32) * jnp.uint32(0x9E3779B9))

    key = hashed(hashed(jnp.uint32(0x243F6A88), seed), step)
    threshold = int(model["dropout"] * 2**32)

    def drop(site, rows, x):
        noise = hashed(hashed(hashed(key, site), rows)[:, None], jnp.arange(x.shape[-1]))
        return jnp.where(noise >= threshold, x / (1 - threshold / 2**32), 0)

    return drop


def forward(p, model, tokens, drop=lambda site, x: x):
    """Logits (T, V) of one sequence of T tokens, before they are capped: GPT-2's decoder (Radford et al. 2019).
    `drop(site, x)` drops channels: after the embedding, and from each branch before it joins the stream."""
    x = p["tok_emb.weight"][tokens]
    if model["position"] == "learned":
        x = x + p["pos_emb.weight"][: len(tokens)]
    if model["position"] == "sinusoidal":
        x = x + sinusoids(jnp.arange(len(tokens)), model["width"])
    x = drop(0, x)
    for i in range(model["layers"]):
        for site, branch, norm in ((2 * i + 1, attend, "norm1"), (2 * i + 2, mlp, "norm2")):
            block, norm = f"blocks.{i}", f"blocks.{i}.{norm}"
            if model["norm_position"] == "pre":
                x = x + drop(site, branch(p, model, block, normalise(p, model, norm, x)))
            else:  # Vaswani et al. 2017
                x = normalise(p, model, norm, x + drop(site, branch(p, model, block, x)))
    if model["norm_position"] == "pre":
        x = normalise(p, model, "norm_f", x)
    return x @ p.get("head.weight", p["tok_emb.weight"]).T


def batch_logits(p, model, tokens, drop=None):
    """(B, T, V) of tokens (B, T), before they are capped; `drop` is a training step's dropout."""
    rows = jnp.arange(tokens.size).reshape(tokens.shape)
    if drop is None or model["dropout"] == 0:
        return jax.vmap(lambda sequence: forward(p, model, sequence))(tokens)

    def dropped(sequence, rows):
        return forward(p, model, sequence, lambda site, x: drop(site, rows, x))

    return jax.vmap(dropped)(tokens, rows)


def capped_logits(p, model, tokens, drop=None):
    """Gemma 2 (arXiv 2408.00118): cap · tanh(logits / cap)."""
    logits, cap = batch_logits(p, model, tokens, drop), model["logit_soft_cap"]
    return cap * jnp.tanh(logits / cap) if cap > 0 else logits
