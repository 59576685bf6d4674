"""Scores downstream tasks in JAX, from a saved run and the items that trainlab exported, and compares.

    trainlab train --out RUN …
    trainlab eval RUN --export-items ITEMS.jsonl
    python tests/downstream/score.py RUN ITEMS.jsonl [GOLDEN.json]

Shares with trainlab the items' texts and the parameters; encoding, cutting, the model and the choice are its own. Exits with
1 where a log-probability differs by more than 1e-4, or an answer does. Writes what it found to GOLDEN.json.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).parent.parent / "golden"))
from model import forward  # noqa: E402

jax.config.update("jax_enable_x64", True)

run, items = Path(sys.argv[1]), [json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines()]
with safe_open(run / "checkpoint.safetensors", "numpy") as file:
    header = json.loads(file.metadata()["trainlab"])
    tensors = {name: file.get_tensor(name) for name in file.keys() if not name.startswith("optimizer.")}
tokenizer_json = tensors.pop("tokenizer.json", None)
p = {name: jnp.asarray(values, jnp.float64) for name, values in tensors.items()}
config = header["config"]
model, length = config["model"], config["evaluation"]["context"] or config["model"]["context"]
if tokenizer_json is None:
    # A token a character; which id a character has is read off the first text that has it, and has to hold for all.
    ids = {}
    for item in items:
        for choice, tokens in zip(item["choices"], item["tokens"]):
            for character, token in zip(reversed(item["context"] + choice), reversed(tokens)):
                assert ids.setdefault(character, token) == token, f"{character!r} has two ids"
    assert [ids[c] for c in sorted(ids)] == sorted(ids.values()), "ids are in the order of code points"

    def encode(text):
        return [ids.get(character, 0) for character in text]
else:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(bytes(tokenizer_json).decode())

    def encode(text):
        return tokenizer.encode(text, add_special_tokens=False).ids


@jax.jit
def log_probabilities(tokens):
    """(T, V)"""
    cap = model["logit_soft_cap"]
    logits = forward(p, model, tokens)
    return jax.nn.log_softmax(cap * jnp.tanh(logits / cap) if cap else logits)


def score(context, choice):
    """As `_encode_pair` and `_loglikelihood_tokens` of the lm-evaluation-harness: the log-probability of the choice's
    tokens and whether greedy decoding would write them."""
    blanks = len(context) - len(context.rstrip())
    context, choice = context[: len(context) - blanks], context[len(context) - blanks :] + choice
    whole = encode(context + choice)
    before = min(len(encode(context)), len(whole) - 1)
    continuation = whole[before:][-length:]
    inputs = whole[-(length + 1) :][:-1]
    padded = jnp.array(inputs + [0] * (length - len(inputs)))
    logs = log_probabilities(padded)[len(inputs) - len(continuation) : len(inputs)]
    targets = jnp.array(continuation)
    own = logs[jnp.arange(len(continuation)), targets]
    return float(own.sum()), bool((logs.argmax(-1) == targets).all())


worst, differing, tasks = 0.0, 0, {}
for item in items:
    scored = [score(item["context"], choice) for choice in item["choices"]]
    logs = [log for log, _ in scored]
    if len(scored) == 1:
        chosen = 0 if scored[0][1] else None
    else:
        chosen = max(range(len(logs)), key=lambda i: logs[i])
    worst = max(worst, *(abs(a - b) for a, b in zip(logs, item["log_probabilities"])))
    differing += chosen != item["chosen"]
    line = {key: item[key] for key in ("context", "choices", "answer")}
    tasks.setdefault(item["task"], []).append({**line, "log_probabilities": logs, "chosen": chosen})

for task, answers in tasks.items():
    right = sum(answer["chosen"] == answer["answer"] for answer in answers)
    print(f"{task}: {right} of {len(answers)} right")
print(f"{len(items)} items, largest difference of a log-probability {worst:.1e}, {differing} answers differ")
if len(sys.argv) > 3:
    Path(sys.argv[3]).write_text(json.dumps(tasks, indent=0, ensure_ascii=False) + "\n")
sys.exit(worst > 1e-4 or differing > 0)
