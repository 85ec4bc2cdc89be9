#!/usr/bin/env bash
# photos.sh DIR: the photographs of the recipe, out of Debian's packages, as DIR/train and DIR/valid, unless there is DIR
# already. Packages are of Debian 12, or of the release that photos.txt names (package/release); nothing is installed.
# Needs Debian's apt-get and dpkg, and this project's dependencies; run it from the project's root. Licences:
# ATTRIBUTION.md.
set -euo pipefail
out=${1:?usage: photos.sh DIR}
[ ! -d "$out" ] || exit 0
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packages=$(awk '{ print $2 ($2 ~ "/" ? "" : "/bookworm") }' "$here/photos.txt" | sort -u)
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
for release in $(sed 's,.*/,,' <<< "$packages" | sort -u); do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main"
done > "$work/sources.list"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
apt() {
  apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
apt update
(cd "$work/packages" && apt download $packages)
for each in "$work/packages"/*.deb; do dpkg -x "$each" "$work/files"; done

rm -rf "$out.part"
deno run -A "$here/photos.ts" "$work/files" "$here/photos.txt" "$out.part"
mv "$out.part" "$out"
