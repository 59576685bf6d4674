"""Makes golden.json: what the reference libraries encode texts.json to.

Pretrained: GPT-NeoX by Hugging Face's tokenizers, GPT-2 by OpenAI's tiktoken, the two .model files by Google's
sentencepiece. Learned: the files in learned/, which trainlab learned, by Hugging Face's tokenizers.

    npm run tokenizer-files
    cargo test --test all tokenizers:: -- --ignored write_learned
    pip install -r tests/tokenizers/requirements.txt
    python3 tests/tokenizers/make.py
"""

import json
from pathlib import Path

import sentencepiece
import tiktoken
import tokenizers
from tiktoken.load import data_gym_to_mergeable_bpe_ranks

HERE = Path(__file__).parent
FILES = HERE / "files"


def sentencepiece_of(name):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(FILES / name))
    return lambda text: processor.encode(text)


def tokenizer_of(path):
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def gpt2():
    ranks = data_gym_to_mergeable_bpe_ranks(
        vocab_bpe_file=str(FILES / "gpt2-vocab.bpe"), encoder_json_file=str(FILES / "gpt2-encoder.json")
    )
    pattern = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
    encoding = tiktoken.Encoding("gpt2", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return encoding.encode_ordinary


def main():
    texts = json.loads((HERE / "texts.json").read_text(encoding="utf-8"))
    encoders = {
        "neox": tokenizer_of(FILES / "neox.json"),
        "gpt2": gpt2(),
        "mistral": sentencepiece_of("mistral.model"),
        "toy": sentencepiece_of("toy.model"),
    }
    for path in sorted((HERE / "learned").glob("*.json")):
        encoders[path.stem] = tokenizer_of(path)
    lines = []
    for name, encode in encoders.items():
        of_texts = (f"  {json.dumps(text)}: {json.dumps(encode(texts[text]), separators=(',', ':'))}" for text in texts)
        lines.append(f"{json.dumps(name)}: {{\n" + ",\n".join(of_texts) + "\n}")
    (HERE / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


main()
