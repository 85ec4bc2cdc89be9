"""Makes the files of this folder, see README.md: python make.py"""
import json
import os
import shutil
import tempfile

import sentencepiece
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPTokenizerFast,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)
from transformers.models.t5.modeling_t5 import T5Attention, T5LayerNorm

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = """A photo of a red fox in the snow, 35mm, sharp focus. A portrait of an old fisherman with a grey beard.
The streets of Paris in the rain at night, neon lights, reflections. A bowl of ramen on a wooden table, top view.
It's a close-up of a butterfly's wing; we've never seen anything like that! They're flying, I'll follow, he'd say.
Mountains behind a lake in the morning mist, 4k, highly detailed. A cat sleeping on a windowsill, soft light.
An oil painting of ships in a storm by a Dutch master. Macro shot of dew drops on grass, bokeh, 100mm lens.
"""
TEXTS = [
    "",
    "A photo of a red fox in the snow",
    "a close-up of a butterfly's wing, 100mm lens; it's SHARP!!",
    "  spaces \t and\nlines   between  ",
    "caf\u00e9 cafe\u0301 na\u00efve \u00dcber \u6771\u4eac \ud83e\udd8a".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\uff21\uff22\uff23 \ufb01ne \u2460 \u00bd x\u00b2 \u2026",
    "100% of 3.14, e-mail@example.com #tag 1234567890",
    "they'll've I'd're 's'''",
    "<|endoftext|> in the text</s> and <pad>",
    "a portrait of an old fisherman with a grey beard " * 4,
]


def clip_tokenizer(folder):
    """The slow files, in the order of CLIP's: bytes, bytes that end a word, merges, the two special tokens."""
    os.makedirs(folder, exist_ok=True)
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(False)])
    trainer = trainers.BpeTrainer(vocab_size=330, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator([CORPUS.lower()], trainer)
    merges = [" ".join(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]][:90]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = alphabet + [f"{byte}</w>" for byte in alphabet] + [merge.replace(" ", "") for merge in merges]
    names += ["<|startoftext|>", "<|endoftext|>"]
    with open(f"{folder}/vocab.json", "w") as file:
        json.dump({name: i for i, name in enumerate(names)}, file, ensure_ascii=False)
    with open(f"{folder}/merges.txt", "w") as file:
        file.write("\n".join(["#version: 0.2", *merges]) + "\n")


def t5_tokenizer(folder):
    """What transformers makes of a SentencePiece model."""
    with tempfile.TemporaryDirectory() as temporary:
        with open(f"{temporary}/corpus.txt", "w") as file:
            file.write(CORPUS)
        sentencepiece.SentencePieceTrainer.train(
            input=f"{temporary}/corpus.txt", model_prefix=f"{temporary}/spiece", vocab_size=112, model_type="unigram",
            pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
        )
        tokenizer = T5TokenizerFast(vocab_file=f"{temporary}/spiece.model", extra_ids=4)
        tokenizer.save_pretrained(folder)
        os.remove(f"{folder}/spiece.model")
    return tokenizer


def randomise(model, seed):
    """Weights that bf16 holds exactly, spread so that attention is far from even."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        is_norm = "norm" in name and name.endswith("weight")
        spread = 0.2 if weight.dim() == 1 else 1 if "embedding" in name or "shared" in name or "bias" in name else (
            weight.shape[1] ** -0.5)
        weight.data = (noise * spread + is_norm).to(torch.bfloat16)
    return model


def in_float64():
    """Takes the roundings to float32 out of transformers' T5."""
    def rms_norm(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
    T5LayerNorm.forward = rms_norm
    torch.Tensor.float = lambda self: self if self.dtype == torch.float64 else self.to(torch.float32)


def clip_model(vocab):
    config = CLIPTextConfig(
        vocab_size=vocab, hidden_size=32, intermediate_size=60, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=40, hidden_act="quick_gelu", bos_token_id=0, eos_token_id=2, pad_token_id=1,
        attn_implementation="eager",
    )
    model = randomise(CLIPTextModel(config).eval(), 1)
    model.save_pretrained(f"{HERE}/text_encoder")
    ids = torch.randint(0, vocab - 2, (2, 17), generator=torch.Generator().manual_seed(2))
    ids[:, 0] = vocab - 2
    ids[0, 9:] = vocab - 1
    ids[1, 16] = vocab - 1
    torch.set_default_dtype(torch.float64)
    result = model.double()(ids)
    return {"clip.ids": ids, "clip.hidden": result.last_hidden_state, "clip.pooled": result.pooler_output}


def t5_model(vocab):
    config = T5Config(
        vocab_size=vocab, d_model=48, d_kv=7, d_ff=40, num_layers=2, num_heads=4, relative_attention_num_buckets=12,
        relative_attention_max_distance=30, feed_forward_proj="gated-gelu", dropout_rate=0, tie_word_embeddings=False,
    )
    model = randomise(T5EncoderModel(config).eval(), 3)
    model.save_pretrained(f"{HERE}/text_encoder_2", max_shard_size="30KB")
    ids = torch.randint(0, vocab, (2, 37), generator=torch.Generator().manual_seed(4))
    ids[0, 20:] = 0
    torch.set_default_dtype(torch.float64)
    return {"t5.ids": ids, "t5.hidden": model.double()(ids).last_hidden_state}


def main():
    torch.set_grad_enabled(False)
    for folder in ("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"):
        shutil.rmtree(f"{HERE}/{folder}", ignore_errors=True)
    clip_tokenizer(f"{HERE}/tokenizer")
    t5 = t5_tokenizer(f"{HERE}/tokenizer_2")
    files = {"vocab_file": f"{HERE}/tokenizer/vocab.json", "merges_file": f"{HERE}/tokenizer/merges.txt"}
    clip = CLIPTokenizerFast(**files)
    slow = CLIPTokenizer(**files)
    tokens = []
    for text in TEXTS:
        own = {"text": text, "clip": clip(text, max_length=40, truncation=True).input_ids,
               "t5": t5(text, max_length=40, truncation=True, padding="max_length").input_ids}
        if slow(text, max_length=40, truncation=True).input_ids != own["clip"]:
            print("slow CLIP differs:", repr(text), slow.tokenize(text), clip.tokenize(text))
        tokens.append(own)
    buckets = {f"{count} {largest}": T5Attention._relative_position_bucket(
        torch.arange(-300, 301), True, count, largest).tolist() for count, largest in ((32, 128), (12, 30))}
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump({"tokens": tokens, "buckets_of_-300_to_300": buckets}, file)
        file.write("\n")
    in_float64()
    values = {}
    for make, vocab in ((clip_model, len(clip)), (t5_model, len(t5))):
        values |= make(vocab)
        torch.set_default_dtype(torch.float32)
    save_file({name: value.to(torch.float32).contiguous() for name, value in values.items()},
              f"{HERE}/expected.safetensors")

    # transformers saves the table of Unicode's compositions, 300 KB that no reader of these files looks at.
    path = f"{HERE}/tokenizer_2/tokenizer.json"
    with open(path) as file:
        contents = json.load(file)
    for each in contents["normalizer"]["normalizers"]:
        if each["type"] == "Precompiled":
            each["precompiled_charsmap"] = ""
    with open(path, "w") as file:
        json.dump(contents, file, ensure_ascii=False)


main()
