#!/usr/bin/env bash
# run.sh [SHARE] [DIR]: all stages of the recipe one after another into DIR (default out/nano), the model into DIR/model.
# SHARE of the steps is taken, 0.1 for a tenth; default 1. Run again with the same arguments, it goes on where it stopped.
set -euo pipefail
share=${1:-1} dir=${2:-out/nano} recipe=models/nano/recipe
trap 'exit 130' INT # a stage that is interrupted saves and ends well
$recipe/photos.sh out/photos
$recipe/vgg16.sh out/vgg16
# stage KIND NAME KEY FLAGS...: a stage with its share of the steps (of the pairs: of their number) that its configuration
# says
stage() {
  local kind=$1 name=$2 key=$3 count
  shift 3
  count=$(deno eval "console.log(Math.ceil($share * JSON.parse(Deno.readTextFileSync('$recipe/$name.json')).$key))")
  deno task train "$kind" --config "$recipe/$name.json" --out "$dir/$name" "--$key" "$count" "$@"
}
stage autoencoder autoencoder steps --resume
stage flow flow steps --resume --model "$dir/autoencoder/model"
stage pairs pairs count --model "$dir/flow/model"
stage ftd ftd steps --resume --model "$dir/flow/model" --pairs "$dir/pairs"
stage ftd refine steps --resume --model "$dir/flow/model" --pairs "$dir/pairs" \
  --init-lora "$dir/ftd/pytorch_lora_weights.safetensors"
stage ftd perceptual steps --resume --model "$dir/flow/model" --pairs "$dir/pairs" \
  --init-lora "$dir/refine/pytorch_lora_weights.safetensors"
stage pairs crops count --model "$dir/flow/model"
stage ftd texture steps --resume --model "$dir/flow/model" --pairs "$dir/crops" \
  --init-lora "$dir/perceptual/pytorch_lora_weights.safetensors"
$recipe/assemble.sh "$dir" "$dir/model"
