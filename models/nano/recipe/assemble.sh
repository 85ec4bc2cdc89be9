#!/usr/bin/env bash
# assemble.sh RUNS DIR: the model folder DIR out of the stages' results in RUNS (flow/model and texture). How it is
# used, from token_shifts on, was chosen after training: README.md of the model.
set -euo pipefail
runs=${1:?usage: assemble.sh RUNS DIR} dir=${2:?usage: assemble.sh RUNS DIR}
mkdir -p "$dir/lora"
cp -r "$runs/flow/model/transformer" "$runs/flow/model/vae" "$dir/"
cp "$runs/texture/pytorch_lora_weights.safetensors" "$dir/lora/fluxsr.safetensors"
cat >"$dir/fluxsr.json" <<'JSON'
{
  "name": "FluxSR nano",
  "T_L": 0.25,
  "scale": 4,
  "token_shifts": 4,
  "tile": 192,
  "border": 16,
  "residual": true,
  "lora": "lora/fluxsr.safetensors",
  "license": "CC-BY-SA-4.0"
}
JSON
