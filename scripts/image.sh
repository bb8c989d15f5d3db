#!/usr/bin/env bash
# Packs the release binary into a container image, with whichever of Podman, Docker and Buildah is there.
#
#   scripts/image.sh [NAME]      default: gourmetgram
#
# IMAGE_BASE names another base than the stable Debian, BINARY another binary.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

name=${1:-gourmetgram}
binary=${BINARY:-${CARGO_TARGET_DIR:-target}/release/gourmetgram}
[[ -x $binary ]] || fail "there is no $binary" "Build it: make build"

arguments=(--file Containerfile --tag "$name")
if [[ -n ${IMAGE_BASE:-} ]]; then
    arguments+=(--build-arg "BASE=$IMAGE_BASE")
fi

# Nothing but the recipe and the binary is sent to the builder.
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp deploy/Containerfile "$context/"
cp "$binary" "$context/gourmetgram"
cd "$context"

if has podman && podman info >/dev/null 2>&1; then
    podman build "${arguments[@]}" .
elif has docker && docker info >/dev/null 2>&1; then
    docker build "${arguments[@]}" .
elif has buildah; then
    buildah build "${arguments[@]}" .
else
    fail "nothing here builds images" "Install Podman, Docker or Buildah, and start Docker's service where it is Docker"
fi
say "Made the image $name. Run it: docker run -p 8080:8080 -v gourmetgram:/data $name"
