#!/usr/bin/env bash
# ablation.sh [DIR]: trains seven LoRAs on nano's teacher, each with other terms of the loss, into DIR (default
# out/ablation). Run again, it goes on where it stopped. `deno task eval --lora` measures them.
set -euo pipefail
dir=${1:-out/ablation} recipe=models/nano/recipe
trap 'exit 130' INT # a run that is interrupted saves and ends well
$recipe/photos.sh out/photos
$recipe/vgg16.sh out/vgg16
deno task train pairs --model models/nano --from-images out/photos/train --out "$dir/pairs" \
  --count 192 --size 128 --steps 6 --batch-size 24 --seed 11
# run NAME FLAGS...: a run with what the flags change of ablation.json
run() {
  local name=$1
  shift
  deno task train ftd --config "$recipe/ablation.json" --pairs "$dir/pairs" --out "$dir/$name" --resume "$@"
}
run all
run no_ftd --ftd 0
run mse --lambda 0 --adl 0
run lpips --gamma 0 --adl 0
run tv_lpips --adl 0
run adl_5 --adl 0.1
run ftd_only --mse 0 --latent-mse 0 --lambda 0 --adl 0
