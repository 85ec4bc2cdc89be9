#!/usr/bin/env bash
# photos.sh DIR: the photographs of the recipe, out of Debian's packages, as DIR/train and DIR/valid, unless there is DIR
# already. Needs apt-get and dpkg (Debian 12) and this project's dependencies; run it from the project's root. Licences:
# ATTRIBUTION.md.
set -euo pipefail
out=${1:?usage: photos.sh DIR}
[ ! -d "$out" ] || exit 0
here=$(cd "$(dirname "$0")" && pwd)
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
(cd "$packages" && apt-get -qq download $(awk '{ print $2 }' "$here/photos.txt" | sort -u))
for each in "$packages"/*.deb; do dpkg -x "$each" "$packages/files"; done
rm -rf "$out.part"
deno run -A "$here/photos.ts" "$packages/files" "$here/photos.txt" "$out.part"
mv "$out.part" "$out"
