#!/bin/sh
# Pulls gadget images, each NAME:TAG@DIGEST, into ig's store, where they are then called NAME:TAG.
set -eu

test $# -gt 0 || { echo "GADGETS is empty: expected NAME:TAG@sha256:… of each gadget" >&2; exit 2; }
for gadget; do
    case ${gadget##*/} in
    *:*@sha256:*) ;;
    *) echo "$gadget: expected NAME:TAG@sha256:…" >&2; exit 2 ;;
    esac
    name=${gadget%@*}
    pinned=${name%:*}@${gadget#*@}
    ig image pull "$pinned"
    ig image tag "$pinned" "$name"
done
ig image list
