#!/bin/sh
# Makes the goldens of tests/downstream.rs: two small runs without an optimizer's state, and what JAX says of their items.
#
#   python -m venv .venv && .venv/bin/pip install -r tests/golden/requirements.txt -r tests/tokenizers/requirements.txt
#   PATH=.venv/bin:$PATH sh tests/downstream/make.sh
set -e
cd "$(dirname "$0")"
folder=$(mktemp -d)
for kind in characters bpe; do
    "${TRAINLAB:-trainlab}" train --device cpu --out "$folder/$kind" \
        --set tokenizer.kind=$kind --set tokenizer.vocabulary=300 \
        --set model.layers=2 --set model.width=32 --set model.heads=2 --set model.hidden=64 --set model.context=96 \
        --set model.position=rope --set model.norm=rms_norm --set optimizer.kind=sgd --set optimizer.momentum=0 \
        --set data.text_bytes=200000 --set data.practice=copy,reverse,key_value --set training.steps=300 \
        --set downstream.tasks=cloze,agreement,count,tracking,recall,key_value,copy,reverse --set downstream.items=10 \
        --set evaluation.sample_every=0 > "$folder/$kind.jsonl"
    "${TRAINLAB:-trainlab}" eval "$folder/$kind" --device cpu --export-items "$folder/$kind.items.jsonl"
    python score.py "$folder/$kind" "$folder/$kind.items.jsonl" $kind.json
    cp "$folder/$kind/checkpoint.safetensors" $kind.safetensors
done
